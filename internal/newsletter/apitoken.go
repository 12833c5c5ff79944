package newsletter

import (
	"slices"
	"strings"
	"time"
)

// Scope is a right that an API token of staff carries.
type Scope string

// The scopes.
const (
	ScopeAll               Scope = "all" // every right, later ones too
	ScopeReadSubscribers   Scope = "subscribers:read"
	ScopeWriteSubscribers  Scope = "subscribers:write"
	ScopeReadSuppressions  Scope = "suppressions:read"
	ScopeWriteSuppressions Scope = "suppressions:write"
)

// ParseScopes reads a comma-separated list of scopes.
func ParseScopes(list string) ([]Scope, error) {
	var scopes []Scope
	for word := range strings.SplitSeq(list, ",") {
		switch s := Scope(strings.TrimSpace(word)); s {
		case ScopeAll, ScopeReadSubscribers, ScopeWriteSubscribers, ScopeReadSuppressions, ScopeWriteSuppressions:
			if !slices.Contains(scopes, s) {
				scopes = append(scopes, s)
			}
		default:
			return nil, Invalidf("scopes", "%.40q is not a scope; use %s, %s, %s, %s or %s, separated by commas", word,
				ScopeReadSubscribers, ScopeWriteSubscribers, ScopeReadSuppressions, ScopeWriteSuppressions, ScopeAll)
		}
	}
	return scopes, nil
}

// JoinScopes returns the list as ParseScopes reads it.
func JoinScopes(scopes []Scope) string {
	words := make([]string, len(scopes))
	for i, s := range scopes {
		words[i] = string(s)
	}
	return strings.Join(words, ",")
}

// Token is an API token of staff. Its secret is shown once and kept only as a hash (S33).
type Token struct {
	ID         int64
	Name       string // what it is for
	Prefix     string // the beginning of the secret, to recognise it by
	Scopes     []Scope
	CreatedAt  time.Time
	LastUsedAt time.Time // to the minute; zero: never
	RevokedAt  time.Time // zero: it works
}

// Allows reports whether the token carries the right.
func (t Token) Allows(s Scope) bool {
	return slices.Contains(t.Scopes, s) || slices.Contains(t.Scopes, ScopeAll)
}
