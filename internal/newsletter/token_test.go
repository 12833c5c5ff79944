package newsletter_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

var ring = newsletter.KeyRing{
	{ID: 1, Secret: bytes.Repeat([]byte{1}, 32)},
	{ID: 2, Secret: bytes.Repeat([]byte{2}, 32)},
}

func TestLink_OpensForItsPurposeOnly(t *testing.T) {
	t.Parallel()
	for _, l := range []newsletter.Link{{SubscriberID: 1}, {SubscriberID: 1<<48 - 1, NewsletterID: 1<<24 - 1, EditionID: 1<<32 - 1}, {SubscriberID: 77, NewsletterID: 3, EditionID: 42}} {
		token := ring.Sign(newsletter.PurposeUnsubscribe, l)
		if len(token) != newsletter.LinkTokenLength {
			t.Errorf("%v: %d characters, want %d", l, len(token), newsletter.LinkTokenLength)
		}
		if got, err := ring.Open(newsletter.PurposeUnsubscribe, token); err != nil || got != l {
			t.Errorf("%v opens as %v (%v)", l, got, err)
		}
		if _, err := ring.Open(newsletter.PurposeManage, token); !errors.Is(err, newsletter.ErrToken) {
			t.Errorf("a token to leave opens preferences: %v", err)
		}
	}
}

func TestLink_OldKeysStillOpen(t *testing.T) {
	t.Parallel()
	l := newsletter.Link{SubscriberID: 7, NewsletterID: 1}
	token := ring[:1].Sign(newsletter.PurposeUnsubscribe, l)
	if got, err := ring.Open(newsletter.PurposeUnsubscribe, token); err != nil || got != l {
		t.Errorf("opens as %v (%v)", got, err)
	}
	if _, err := ring[1:].Open(newsletter.PurposeUnsubscribe, token); !errors.Is(err, newsletter.ErrToken) {
		t.Errorf("an unknown key opens: %v", err)
	}
}

func TestLink_AnyChangedCharacterIsRefused(t *testing.T) {
	t.Parallel()
	token := ring.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: 7, NewsletterID: 1, EditionID: 3})
	for i := range len(token) {
		changed := []byte(token)
		changed[i] = 'A'
		if token[i] == 'A' {
			changed[i] = 'B'
		}
		if _, err := ring.Open(newsletter.PurposeManage, string(changed)); !errors.Is(err, newsletter.ErrToken) {
			t.Errorf("changed at %d it opens: %v", i, err)
		}
	}
}

func TestConfirmation_NeedsTheNonce(t *testing.T) {
	t.Parallel()
	token := ring.Confirmation(9, []byte("nonce"))
	id, err := ring.ConfirmationID(token)
	if id != 9 || err != nil {
		t.Fatalf("names sign-up %d (%v)", id, err)
	}
	if err := ring.CheckConfirmation(token, 9, []byte("nonce")); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"another nonce":   ring.CheckConfirmation(token, 9, []byte("other")),
		"another sign-up": ring.CheckConfirmation(token, 10, []byte("nonce")),
		"a link's token":  ring.CheckConfirmation(ring.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: 9}), 9, []byte("nonce")),
	} {
		if !errors.Is(err, newsletter.ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMessageID_IsTheSameAfterAKeyIsAdded(t *testing.T) {
	t.Parallel()
	a, b := ring[:1].MessageID(4, 5, "news.example.org"), ring.MessageID(4, 5, "news.example.org")
	if a != b || !strings.HasSuffix(a, "@news.example.org") {
		t.Errorf("%s and %s", a, b)
	}
	if ring.MessageID(5, 4, "news.example.org") == a {
		t.Error("two deliveries share a Message-ID")
	}
}

func FuzzOpenToken(f *testing.F) {
	f.Add(ring.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: 7}))
	f.Add(ring.Confirmation(7, nil))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		l, err := ring.Open(newsletter.PurposeManage, token)
		if err == nil && ring[:1].Sign(newsletter.PurposeManage, l) != token && ring.Sign(newsletter.PurposeManage, l) != token {
			t.Fatalf("%q opens as %v and was not signed by us", token, l)
		}
		if id, err := ring.ConfirmationID(token); err == nil && id < 0 {
			t.Fatalf("%q names sign-up %d", token, id)
		}
	})
}

func TestStripPlaces_LeavesNothingThatLooksLikeAPlace(t *testing.T) {
	t.Parallel()
	for _, s := range []string{newsletter.PlaceUnsubscribe, "Personal.INVALID/x", "personalpersonal.invalid.invalid", "x " + newsletter.PlaceManage} {
		if got := strings.ToLower(newsletter.StripPlaces(s)); strings.Contains(got, "personal.invalid") {
			t.Errorf("StripPlaces(%q) = %q", s, got)
		}
	}
	if got := newsletter.StripPlaces("a personal note"); got != "a personal note" {
		t.Errorf("changed to %q", got)
	}
}
