package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"

	"github.com/spf13/cobra"
)

func subscriberProof(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "proof EMAIL|NUMBER [--html] [-o FILE]",
		Short: "Show the proof of consent, for an answer to a complaint",
		Long: `Shows, to print, how a person came to get newsletters: which form, on which page and in
which place, from which address, the words that were shown and their version, when it was
asked for and confirmed, the mails that asked for that, what changed, who left when, and
what became of the newsletters. Of long lists it has the beginning and the end.

Addresses of machines are kept for BROADSHEET_KEEP_IP days, what became of newsletters for
BROADSHEET_KEEP_DELIVERIES days; the rest, with the mails that asked to confirm, for as long
as the person is on record.`,
		Example: `  broadsheet subscriber proof vera@example.org
  broadsheet subscriber proof vera@example.org --html -o proof.html
  broadsheet subscriber proof vera@example.org --json -o proof.json`,
		Args: exactArgs("EMAIL|NUMBER"),
	}
	html := cmd.Flags().Bool("html", false, "a page to print")
	out := cmd.Flags().StringP("output", "o", "", "the file to write, which must not be there yet (default: standard output)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *html && a.json {
			return usagef("say either --html or --json")
		}
		return a.withReaders(cmd.Context(), func(_ *services, r *readers.Service) error {
			p, err := r.Proof(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.writeOut(*out, func(w io.Writer) error {
				switch {
				case *html:
					return p.WriteHTML(w)
				case a.json:
					return writeJSON(w, viewProof(p))
				}
				_, err := io.WriteString(w, proofText(p))
				return err
			})
		})
	}
	return cmd
}

// proofView is the proof in JSON.
type proofView struct {
	MadeAt     *time.Time       `json:"made_at"`
	Subscriber int64            `json:"subscriber"`
	Email      string           `json:"email"`
	Name       string           `json:"name"`
	CreatedAt  *time.Time       `json:"created_at"`
	Suppressed *suppressionView `json:"suppression"` // null: the address may be mailed
	Consents   []eventView      `json:"consents"`
	Mails      []mailView       `json:"mails"` // that asked to confirm, with the relay's words
	Changes    []eventView      `json:"changes"`
	Sent       map[string]int   `json:"sent"`  // digests by what became of them
	First      *proofDelivery   `json:"first"` // that is on record and was accepted; null: none
	Last       *proofDelivery   `json:"last"`
}

// proofDelivery is one newsletter that a relay accepted.
type proofDelivery struct {
	Edition    int64      `json:"edition"`
	Newsletter string     `json:"newsletter"`
	LocalDate  string     `json:"local_date"`
	UpdatedAt  *time.Time `json:"updated_at"`
}

func viewProof(p *readers.Proof) proofView {
	v := proofView{
		MadeAt: utc(p.MadeAt), Subscriber: p.Subscriber.ID, Email: p.Subscriber.Email, Name: p.Subscriber.Name, CreatedAt: utc(p.Subscriber.CreatedAt),
		Consents: viewEvents(p.Consents), Mails: []mailView{}, Changes: viewEvents(p.Changes), Sent: map[string]int{},
		First: viewProofDelivery(p.First), Last: viewProofDelivery(p.Last),
	}
	if st := viewStanding(p.Standing); st.Suppressed {
		v.Suppressed = cmp.Or(st.Suppression, st.ByDomain)
	}
	for _, m := range p.Asked {
		v.Mails = append(v.Mails, viewMail(m))
	}
	for state, n := range p.Sent {
		v.Sent[state.String()] = n
	}
	return v
}

func viewProofDelivery(d newsletter.PersonDelivery) *proofDelivery {
	if d.EditionID == 0 {
		return nil
	}
	return &proofDelivery{d.EditionID, d.Newsletter, d.Date, utc(d.UpdatedAt)}
}

// proofText is the proof for a terminal.
func proofText(p *readers.Proof) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintln(&b, plain(fmt.Sprintf(format, args...))) }
	event := func(e newsletter.Event) { proofEvent(line, e, p.WordsOf(e)) }
	line("Proof of consent of %s, subscriber %d, on record since %s", p.Subscriber.Email, p.Subscriber.ID, local(p.Subscriber.CreatedAt))
	line("Made on %s", local(p.MadeAt))
	line("\nHow consent was given")
	proofList(line, p.Consents, event)
	line("\nThe words that were shown")
	for i, w := range p.Shown {
		line("  words %d, version %s: %s", i+1, w.Version, w.Text)
	}
	if len(p.Shown) == 0 {
		line("  none are on record: it was not a form of ours")
	}
	line("\nMails that asked to confirm")
	proofList(line, p.Asked, func(m newsletter.PersonMail) {
		line("  %s  mail %d: %s since %s", local(m.NotBefore), m.ID, m.State, local(m.UpdatedAt))
		if m.Reply != "" {
			line("    the relay said: %s", strings.TrimSpace(fmt.Sprintf("%d %s", m.Code, m.Reply)))
		}
	})
	line("\nWhat changed since, and who left when")
	proofList(line, p.Changes, event)
	line("\nWhat became of newsletters")
	for _, state := range newsletter.States() {
		if n := p.Sent[state]; n > 0 {
			line("  %d %s", n, state)
		}
	}
	switch {
	case len(p.Sent) == 0:
		line("  none is on record")
	case p.First.EditionID != 0:
		line("  the first that was accepted and is on record on %s, the last on %s", local(p.First.UpdatedAt), local(p.Last.UpdatedAt))
	}
	return b.String()
}

// proofList writes the first and the last of the entries, and how many it leaves out.
func proofList[T any](line func(string, ...any), list []T, write func(T)) {
	first, last, between := readers.OnPage(list)
	for _, one := range first {
		write(one)
	}
	if between > 0 {
		line("  %d more in between; \"broadsheet subscriber export\" has them", between)
	}
	for _, one := range last {
		write(one)
	}
	if len(list) == 0 {
		line("  none")
	}
}

func proofEvent(line func(string, ...any), e newsletter.Event, words int) {
	line("  %s  %s (%s), by %s", local(e.At), e.Kind, e.Newsletter, e.Channel)
	for _, f := range [][2]string{
		{"page", e.Page}, {"place on the page", e.Placement}, {"address", e.IP}, {"program", e.UserAgent}, {"who", e.Actor}, {"note", e.Note},
	} {
		if f[1] != "" {
			line("    %s: %s", f[0], f[1])
		}
	}
	if words != 0 {
		line("    words shown: words %d", words)
	}
	if e.EditionID != 0 {
		line("    by the link of edition %d", e.EditionID)
	}
}
