package newsletter

import "testing"

func TestHideAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"550 <anna@reader.example> unknown":                 "550 <(address)> unknown",
		`550 "anna b"@example.org is unknown`:               "550 (address) is unknown",
		"no anna/x@example.org here":                        "no (address) here",
		"no mailbox äda@exämple.org, sorry":                 "no mailbox (address), sorry",
		"smtp://relay-user@mail.example.org does not reply": "smtp://relay-user@mail.example.org does not reply",
		"https://user:secret@host/x":                        "https://user:(address)",
		"nothing to hide at 7 @ night":                      "nothing to hide at 7 @ night",
	} {
		if got := HideAddresses(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
}
