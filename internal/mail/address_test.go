package mail

import (
	netmail "net/mail"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"broadsheet/internal/newsletter"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ raw, email, key string }{
		{"name@example.org", "name@example.org", "name@example.org"},
		{"  Jane.Doe+News@Example.ORG\n", "Jane.Doe+News@example.org", "jane.doe+news@example.org"},
		{"\ufeffa@b.example\u200b", "a@b.example", "a@b.example"},
		{"o'brien@b.example", "o'brien@b.example", "o'brien@b.example"},
		{"a@Bücher.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
		{"a@BU\u0308CHER.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
		{"a@XN--bcher-KVA.example", "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
		{"a@例え。テスト", "a@xn--r8jz45g.xn--zckzah", "a@xn--r8jz45g.xn--zckzah"},
		{"JU\u0308RGEN@b.example", "JÜRGEN@b.example", "jürgen@b.example"},
		{"Straße@b.example", "Straße@b.example", "strasse@b.example"},
		{"用户@b.example", "用户@b.example", "用户@b.example"},
		{`"a..b"@b.example`, `"a..b"@b.example`, `"a..b"@b.example`},
		{`"a@\"b"@b.example`, `"a@\"b"@b.example`, `"a@\"b"@b.example`},
		{strings.Repeat("l", 64) + "@b.example", strings.Repeat("l", 64) + "@b.example", strings.Repeat("l", 64) + "@b.example"},
		{"a@1.2.3.4a", "a@1.2.3.4a", "a@1.2.3.4a"},
	} {
		email, key, err := ParseAddress(c.raw)
		if email != c.email || key != c.key || err != nil {
			t.Errorf("%q gives %q, %q, %v; want %q, %q", c.raw, email, key, err, c.email, c.key)
		}
	}
}

func TestParseAddress_Refuses(t *testing.T) {
	t.Parallel()
	for raw, says := range map[string]string{
		"":                                       "Please enter",
		" \t":                                    "Please enter",
		"name":                                   "has an @",
		"@example.org":                           "before the @ is missing",
		"name@":                                  "after the @ is missing",
		"a b@example.org":                        "no spaces",
		"a@exam ple.org":                         "no spaces",
		"a\r\nBcc: b@example.org":                "no spaces",
		"a\u00a0b@example.org":                   "no spaces",
		"a\x00b@example.org":                     "invisible",
		"a\u200db@example.org":                   "invisible",
		"a\u202eb@example.org":                   "invisible",
		"a\xffb@example.org":                     "cannot be read",
		"Jane <jane@example.org>":                "only the address",
		"a,b@example.org":                        "cannot contain ,",
		"a(comment)@example.org":                 "cannot contain (",
		"mailto:a@example.org":                   "cannot contain :",
		"a@b@example.org":                        "only one @",
		".a@example.org":                         "dot",
		"a.@example.org":                         "dot",
		"a..b@example.org":                       "dot",
		`"a@example.org`:                         "quotation marks",
		`"a"b"@example.org`:                      "quotation marks",
		`""@example.org`:                         "quotation marks",
		`"a\"@example.org`:                       "quotation marks",
		`a"b@example.org`:                        `cannot contain "`,
		"a@localhost":                            "a dot",
		"a@example":                              "a dot",
		"a@.example.org":                         "name of a mail provider",
		"a@example..org":                         "name of a mail provider",
		"a@example.org.":                         "name of a mail provider",
		"a@-example.org":                         "name of a mail provider",
		"a@exa_mple.org":                         "name of a mail provider",
		"a@example.org,":                         "name of a mail provider",
		"a@xn--.org":                             "name of a mail provider",
		"a@\u2460.\u0301org":                     "name of a mail provider",
		"a@1.2.3.4":                              "number in place of",
		"a@[1.2.3.4]":                            "number in place of",
		strings.Repeat("l", 65) + "@b.example":   "too long",
		"a@" + strings.Repeat("d.", 130) + "org": "too long",
		"a@" + strings.Repeat("d", 64) + ".org":  "name of a mail provider",
		"aaaaaa@" + strings.Repeat("d.", 123) + "org": "too long",
		strings.Repeat("x", 5000):                     "too long",
	} {
		email, key, err := ParseAddress(raw)
		if newsletter.KindOf(err) != newsletter.Invalid || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), "email: ") || email != "" || key != "" {
			t.Errorf("%.80q gives %q, %q, %v; want an error with %q", raw, email, key, err, says)
		}
	}
}

func TestParseMailbox(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]newsletter.Address{
		"Example News <news@Example.org>":        {Name: "Example News", Email: "news@example.org"},
		" news@example.org ":                     {Email: "news@example.org"},
		"<news@example.org>":                     {Email: "news@example.org"},
		`"News, \"Daily\"" <news@example.org>`:   {Name: `News, "Daily"`, Email: "news@example.org"},
		"Größe & mehr <news@bücher.example>":     {Name: "Größe & mehr", Email: "news@xn--bcher-kva.example"},
		"Two   spaces\u00a0here <a@example.org>": {Name: "Two spaces here", Email: "a@example.org"},
	} {
		if got, err := ParseMailbox(raw); got != want || err != nil {
			t.Errorf("%q gives %+v, %v; want %+v", raw, got, err, want)
		}
	}
	for _, raw := range []string{"", "News", "News <news>", "News <news@example.org", "News\u202e <news@example.org>", "A\x00 <a@example.org>", strings.Repeat("n", 201) + " <a@example.org>"} {
		if got, err := ParseMailbox(raw); newsletter.KindOf(err) != newsletter.Invalid {
			t.Errorf("%q gives %+v, %v; want an Invalid error", raw, got, err)
		}
	}
}

func TestNeedsSMTPUTF8_OnlyForTheLocalPart(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{"a@example.org": false, "a@bücher.example": false, "jürgen@example.org": true} {
		email, _, err := ParseAddress(raw)
		if err != nil || NeedsSMTPUTF8(email) != want {
			t.Errorf("%q: %v, %v, want %v", raw, NeedsSMTPUTF8(email), err, want)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"name@example.org", " A.B+c@Bücher.example ", `"a\"b"@x.org`, "用户@例え。テスト", "a@[::1]", "a\u0301@b.c", "İ@b.cd", "ΐ@b.cd", "a@\u00df.de"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		email, key, err := ParseAddress(raw)
		if err != nil {
			if newsletter.KindOf(err) != newsletter.Invalid {
				t.Fatalf("%q gives %v, which is no Invalid error", raw, err)
			}
			return
		}
		again, key2, err := ParseAddress(email)
		if again != email || key2 != key || err != nil {
			t.Errorf("%q gives %q and %q, which gives %q and %q, %v", raw, email, key, again, key2, err)
		}
		if len(email) > maxAddress || checkEmail(email) != nil || !norm.NFC.IsNormalString(email) || !norm.NFC.IsNormalString(key) {
			t.Errorf("%q gives %q and %q", raw, email, key)
		}
		if _, err := netmail.ParseAddress("<" + email + ">"); err != nil {
			t.Errorf("%q gives %q, which net/mail refuses: %v", raw, email, err)
		}
		if _, upper, err := ParseAddress(strings.ToUpper(raw)); err == nil && isASCII(raw) && !strings.Contains(strings.ToLower(raw), "xn--") && upper != key {
			t.Errorf("%q and its upper case have the keys %q and %q", raw, key, upper)
		}
	})
}
