package delivery_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// What the relay takes is signed for the newsletter's domain and comes back, if it does, to a
// return path that names its delivery, and nobody else's.
func TestDelivery_IsSigned_AndItsReturnPathNamesIt(t *testing.T) {
	t.Parallel()
	key, _, err := mail.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	record, err := mail.NewKeyRecord("example.org", "news1", &key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := mail.NewSigner("example.org", "news1", key, func() time.Time { return newsroomtest.Start })
	if err != nil {
		t.Fatal(err)
	}
	r := newsroomtest.New(t, newsroomtest.Options{Signers: mail.Signers{signer}, Bounces: "bounces.example.org"})
	n := r.Newsletter("daily-news", nil)
	ids := map[string]int64{}
	for _, email := range []string{"a@example.net", "b@example.net", "c@example.net"} {
		ids[email] = r.Reader(n, email, newsletter.Daily, 0)
	}
	r.Feed.Publish("Ports reopen", r.Clock.Now())
	e, tally := r.Send("daily-news")
	if tally.Counts[newsletter.Accepted] != len(ids) {
		t.Fatalf("accepted %d of %d", tally.Counts[newsletter.Accepted], len(ids))
	}
	for _, m := range r.SMTP.Messages() {
		list, err := dkim.VerifyWithOptions(bytes.NewReader(m.Data), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
			if name != record.Name {
				t.Errorf("the key is looked for under %s", name)
			}
			return []string{record.Value}, nil
		}})
		if err != nil || len(list) != 1 || list[0].Err != nil {
			t.Errorf("to %s: %v, %+v", m.To, err, list)
		}
		local, domain, _ := strings.Cut(m.From, "@")
		edition, subscriber, ok := r.Keys.ParseBounceAddress(local)
		if domain != "bounces.example.org" || !ok || edition != e.ID || subscriber != ids[m.To] {
			t.Errorf("the return path of %s is %s: edition %d, subscriber %d, %v", m.To, m.From, edition, subscriber, ok)
		}
	}
}
