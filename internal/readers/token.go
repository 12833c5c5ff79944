package readers

import (
	"context"
	"errors"

	"broadsheet/internal/newsletter"
)

// CreateToken makes an API token with a comma-separated list of scopes. The secret is
// returned this once and cannot be read again.
func (s *Service) CreateToken(ctx context.Context, name, scopes string) (secret string, t newsletter.Token, err error) {
	return "", newsletter.Token{}, errors.New("not written yet")
}

// Tokens returns all API tokens, revoked ones too, by id.
func (s *Service) Tokens(ctx context.Context) ([]newsletter.Token, error) {
	return nil, errors.New("not written yet")
}

// RevokeToken ends a token at once. It is idempotent.
func (s *Service) RevokeToken(ctx context.Context, id int64) error {
	return errors.New("not written yet")
}

// Authenticate returns the token with this secret. The error is Forbidden with reason
// "token" if there is none that works; an HTTP server answers 401.
func (s *Service) Authenticate(ctx context.Context, secret string) (newsletter.Token, error) {
	return newsletter.Token{}, errors.New("not written yet")
}
