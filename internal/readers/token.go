package readers

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// The shape of an API token: a prefix by which scanners for leaked secrets know it, and 256
// random bits.
const (
	tokenPrefix  = "bs_"
	tokenBytes   = 32
	shownLength  = len(tokenPrefix) + 6 // how much of a secret is kept to recognise it by
	touchedEvery = time.Minute
)

// CreateToken makes an API token with a comma-separated list of scopes. The secret is
// returned this once and cannot be read again.
func (s *Service) CreateToken(ctx context.Context, name, scopes string) (secret string, t newsletter.Token, err error) {
	var p problems
	name, wrong := cleanName(name)
	switch {
	case wrong != "":
		p.add("name", "%s", wrong)
	case name == "":
		p.add("name", "say what the token is for, such as \"members' area\"")
	}
	list, err := newsletter.ParseScopes(scopes)
	if err != nil {
		p.addError("scopes", err)
	}
	if err := p.err(); err != nil {
		return "", newsletter.Token{}, err
	}
	random := make([]byte, tokenBytes)
	if _, err := io.ReadFull(s.o.Rand, random); err != nil {
		return "", newsletter.Token{}, fmt.Errorf("create token %q: %w", name, err)
	}
	secret = tokenPrefix + base64.RawURLEncoding.EncodeToString(random)
	hash := sha256.Sum256([]byte(secret))
	t, err = s.store.CreateToken(ctx, newsletter.Token{Name: name, Prefix: secret[:shownLength], Scopes: list}, hash[:], s.o.Now())
	if err != nil {
		return "", newsletter.Token{}, err
	}
	return secret, t, nil
}

// Tokens returns all API tokens, revoked ones too, by id.
func (s *Service) Tokens(ctx context.Context) ([]newsletter.Token, error) {
	return s.store.Tokens(ctx)
}

// RevokeToken ends a token at once. It is idempotent. The error is NotFound if there is none
// with this id.
func (s *Service) RevokeToken(ctx context.Context, id int64) error {
	return s.store.RevokeToken(ctx, id, s.o.Now())
}

// Authenticate returns the token with this secret, and records that it was used. The error
// is Forbidden with reason "token" if there is none that works; an HTTP server answers 401.
//
// The secret is looked up by its SHA-256. Whoever guesses cannot steer that hash, so the
// time that the look-up takes tells nothing about the secrets that there are (S33).
func (s *Service) Authenticate(ctx context.Context, secret string) (newsletter.Token, error) {
	refused := newsletter.Refusef("token", "this API token does not work; make one with \"broadsheet token create\"")
	if len(secret) != len(tokenPrefix)+base64.RawURLEncoding.EncodedLen(tokenBytes) || !strings.HasPrefix(secret, tokenPrefix) {
		return newsletter.Token{}, refused
	}
	hash := sha256.Sum256([]byte(secret))
	t, err := s.store.TokenByHash(ctx, hash[:])
	switch {
	case newsletter.KindOf(err) == newsletter.NotFound:
		return newsletter.Token{}, refused
	case err != nil:
		return newsletter.Token{}, err
	case !t.RevokedAt.IsZero():
		return newsletter.Token{}, refused
	}
	if now := s.o.Now(); now.Sub(t.LastUsedAt) >= touchedEvery {
		if err := s.store.TouchToken(ctx, t.ID, now); err != nil {
			return newsletter.Token{}, err
		}
		t.LastUsedAt = now
	}
	return t, nil
}
