package newsletter

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestFresh_EndsToTheSecond(t *testing.T) {
	made := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for after, want := range map[time.Duration]bool{
		0: true, FreshTime - time.Millisecond: true, FreshTime: false, 24 * time.Hour: false, -time.Hour: false,
	} {
		if Fresh(made, made.Add(after)) != want {
			t.Errorf("after %v: not %v", after, want)
		}
	}
}

// A fresh token is none for another purpose, nor with any other character, and outlives a new key.
func TestOpenFresh_TakesOnlyOurOwn(t *testing.T) {
	old := KeyRing{{ID: 1, Secret: bytes.Repeat([]byte{7}, 32)}}
	link, made := Link{SubscriberID: 4_000_000_000, NewsletterID: 3}, time.UnixMilli(1_795_424_400_123)
	token := old.SignFresh(link, made)
	if len(token) != FreshTokenLength || len(token) == LinkTokenLength {
		t.Fatalf("%d characters", len(token))
	}
	rotated := append(KeyRing{}, old...)
	rotated = append(rotated, Key{ID: 2, Secret: bytes.Repeat([]byte{9}, 32)})
	for name, ring := range map[string]KeyRing{"the same key": old, "an older key": rotated} {
		got, at, err := ring.OpenFresh(token)
		if err != nil || got != link || !at.Equal(made) {
			t.Errorf("%s: %v %v %v", name, got, at, err)
		}
	}
	for i := range token {
		other := "A"
		if token[i] == 'A' {
			other = "B"
		}
		if _, _, err := old.OpenFresh(token[:i] + other + token[i+1:]); err == nil {
			t.Errorf("changed at %d it still opens", i)
		}
	}
	for _, wrong := range []string{"", strings.Repeat("A", FreshTokenLength), old.Sign(PurposeManage, link), token + "A"} {
		if _, _, err := old.OpenFresh(wrong); err == nil {
			t.Errorf("%q opens", wrong)
		}
	}
	for _, p := range []Purpose{PurposeManage, PurposeUnsubscribe} {
		if _, err := old.Open(p, token); err == nil {
			t.Errorf("it opens for %s", p)
		}
	}
	if _, _, err := (KeyRing{{ID: 1, Secret: bytes.Repeat([]byte{8}, 32)}}).OpenFresh(token); err == nil {
		t.Error("it opens with another key")
	}
}
