package newsletter

import (
	"bytes"
	"strings"
	"testing"
)

func bounceKeys() KeyRing {
	return KeyRing{{ID: 1, Secret: bytes.Repeat([]byte{1}, 32)}, {ID: 2, Secret: bytes.Repeat([]byte{2}, 32)}}
}

func TestBounceAddress_NamesItsDelivery_InAnyCase(t *testing.T) {
	t.Parallel()
	keys := bounceKeys()
	for _, ids := range [][2]int64{{1, 1}, {42, 7}, {1<<32 - 1, 1<<48 - 1}} {
		address := keys.BounceAddress(ids[0], ids[1], "bounces.example.org")
		local, domain, _ := strings.Cut(address, "@")
		if domain != "bounces.example.org" || len(local) > 64 || strings.ToLower(local) != local {
			t.Errorf("the address is %q", address)
		}
		if again := keys.BounceAddress(ids[0], ids[1], "bounces.example.org"); again != address {
			t.Errorf("another attempt has %q, not %q", again, address)
		}
		for _, came := range []string{local, strings.ToUpper(local), "B+" + local[2:]} {
			if e, s, ok := keys.ParseBounceAddress(came); !ok || e != ids[0] || s != ids[1] {
				t.Errorf("%q names %d, %d, %v, want %v", came, e, s, ok, ids)
			}
		}
	}
}

func TestBounceAddress_OldKeysStillCount(t *testing.T) {
	t.Parallel()
	keys := bounceKeys()
	local, _, _ := strings.Cut(keys[:1].BounceAddress(42, 7, "b.example"), "@")
	if e, s, ok := keys.ParseBounceAddress(local); !ok || e != 42 || s != 7 {
		t.Errorf("a return path of an older key names %d, %d, %v", e, s, ok)
	}
	if _, _, ok := keys[1:].ParseBounceAddress(local); ok {
		t.Error("a key that is gone still opens")
	}
}

func TestBounceAddress_WhatWeDidNotMake_IsNone(t *testing.T) {
	t.Parallel()
	keys := bounceKeys()
	local, _, _ := strings.Cut(keys.BounceAddress(42, 7, "b.example"), "@")
	mail, _, _ := strings.Cut(keys.BounceMailAddress(7, "b.example"), "@")
	for name, bad := range map[string]string{
		"empty": "", "prefix only": "b+", "no prefix": local[2:], "other prefix": "c+" + local[2:], "longer": local + "a",
		"shorter": local[:len(local)-1], "not base32": local[:20] + "1" + local[21:], "not ASCII": local[:20] + "ı" + local[22:],
		"a transactional mail's": mail, "whole address": local + "@b.example",
	} {
		if e, s, ok := keys.ParseBounceAddress(bad); ok {
			t.Errorf("%s: %q names %d, %d", name, bad, e, s)
		}
	}
	// Any one character changed. The last carries four bits that are no part of the token.
	for i := len(bouncePrefix); i < len(local)-1; i++ {
		c := byte('a')
		if local[i] == c {
			c = 'b'
		}
		if _, _, ok := keys.ParseBounceAddress(local[:i] + string(c) + local[i+1:]); ok {
			t.Errorf("with character %d changed it still opens", i)
		}
	}
	if _, ok := keys.ParseBounceMailAddress(local); ok {
		t.Error("a delivery's return path is one of a transactional mail")
	}
	if id, ok := keys.ParseBounceMailAddress(strings.ToUpper(mail)); !ok || id != 7 {
		t.Errorf("the return path of mail 7 names %d, %v", id, ok)
	}
}

func FuzzParseBounceAddress(f *testing.F) {
	keys := bounceKeys()
	local, _, _ := strings.Cut(keys.BounceAddress(42, 7, "b.example"), "@")
	f.Add(local)
	f.Add(strings.ToUpper(local))
	f.Add("b+" + strings.Repeat("a", 44))
	f.Add("b+" + strings.Repeat("ı", 22))
	f.Add("b+" + strings.Repeat("\n", 44))
	f.Fuzz(func(t *testing.T, came string) {
		e, s, ok := keys.ParseBounceAddress(came)
		if !ok && (e != 0 || s != 0) {
			t.Errorf("%q is none and names %d, %d", came, e, s)
		}
		if !ok {
			return
		}
		made := false
		for i := range keys {
			want, _, _ := strings.Cut(keys[:i+1].BounceAddress(e, s, "d"), "@")
			made = made || strings.EqualFold(want[:len(want)-1], came[:len(came)-1])
		}
		if !made {
			t.Errorf("%q was taken for %d, %d, whose return path is another", came, e, s)
		}
	})
}
