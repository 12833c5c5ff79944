package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"

	"broadsheet/internal/mail"
)

func TestDKIMCheck_TellsWhatTheDNSHas(t *testing.T) {
	t.Parallel()
	key, _, err := mail.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	k := signingKey{Domain: "example.org", Selector: "news1", Key: key}
	record, err := k.record()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		published []string
		err       error
		want      string
		ok        bool
	}{
		"there":     {[]string{record.Value}, nil, "fits the key", true},
		"missing":   {nil, &net.DNSError{IsNotFound: true}, "there is no TXT record of this name", false},
		"other":     {[]string{"v=DKIM1; p=AAAA"}, nil, "another key", false},
		"no answer": {nil, &net.DNSError{Err: "i/o timeout", IsTimeout: true}, "the DNS does not answer, try again later", false},
		"broken":    {nil, errors.New("broken"), "the DNS does not answer", false},
	} {
		lookup := func(ctx context.Context, name string) ([]string, error) {
			if _, limited := ctx.Deadline(); !limited || name != "news1._domainkey.example.org" {
				t.Errorf("%q is looked up, with a deadline: %v", name, limited)
			}
			return c.published, c.err
		}
		var out bytes.Buffer
		a := &app{stdout: &out}
		err := a.checkKeys(t.Context(), []signingKey{k}, lookup)
		if (err == nil) != c.ok || !strings.Contains(out.String(), "news1._domainkey.example.org: ") || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %v, %q, want %q", name, err, out.String(), c.want)
		}
		out.Reset()
		a.json = true
		if err := a.checkKeys(t.Context(), []signingKey{k}, lookup); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		var views []checkView
		if err := json.Unmarshal(out.Bytes(), &views); err != nil || len(views) != 1 || views[0].OK != c.ok || (views[0].Problem == "") != c.ok {
			t.Errorf("%s: %v, %s", name, err, out.String())
		}
	}
}
