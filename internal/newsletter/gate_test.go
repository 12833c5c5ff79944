package newsletter_test

import (
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

func TestCheckSubject(t *testing.T) {
	t.Parallel()
	const fail, warn = newsletter.LevelFail, newsletter.LevelWarn
	for _, c := range []struct {
		subject        string
		own, published newsletter.Level // what is found in staff's own words, and in a headline
	}{
		{"Harbour opens a second gate", "", ""},
		{"Driving test fees rise", "", ""},
		{"NATO", "", ""},
		{"GREEN PARTY WINS", fail, warn},
		{"اختبار", "", ""},
		{"  ", fail, fail},
		{"Test", fail, warn},
		{"test 2", fail, warn},
		{"[TEST] Harbour opens", fail, warn},
		{"Test: Harbour opens", fail, warn},
		{"Test cricket returns", "", ""},
		{"Lorem ipsum dolor", fail, warn},
		{"Hello {{name}}", fail, warn},
		{"Hello {first name}", fail, warn},
		{"Hello *|FNAME|*", fail, warn},
		{"Good morning, [First name]", fail, warn},
		{"Good morning, [FNAME]", fail, warn},
		{"Good morning, %FIRSTNAME%", fail, warn},
		{"News for [subscriber:email]", fail, warn},
		{"News for %recipient.name%", fail, warn},
		{"A name for 100% of boats, [update]", "", ""},
		{"Rents up 11 % in a year", "", ""},
		{"Harbour\u202eetag", fail, fail},
		{"Harbour\r\nBcc: all", fail, fail},
		{strings.Repeat("ä", 110), "", ""},
		{strings.Repeat("ä", 111), fail, warn},
	} {
		for own, want := range map[bool]newsletter.Level{true: c.own, false: c.published} {
			var got newsletter.Level
			for _, f := range newsletter.CheckSubject(c.subject, own) {
				if got = f.Level; f.Message == "" || f.Remedy == "" || f.Gate != newsletter.GateSubject {
					t.Errorf("%q: %+v", c.subject, f)
				}
				if got == fail {
					break
				}
			}
			if got != want {
				t.Errorf("%q, own %t: %q, want %q", c.subject, own, got, want)
			}
		}
	}
}
