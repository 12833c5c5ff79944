package main

import (
	"fmt"
	"io"
	"strings"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"

	"github.com/spf13/cobra"
)

func subscriberProof(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "proof EMAIL|NUMBER [--html] [-o FILE]",
		Short: "Show the proof of consent, for an answer to a complaint",
		Long: `Shows on a page how a person came to get newsletters: which form, on which page and in
which place, from which address, the words that were shown and their version, when it was
asked for and confirmed, the mails that were sent for it, what changed, and who left when.

Addresses of machines are kept for BROADSHEET_KEEP_IP days; the rest for as long as the person
is on record.`,
		Example: `  broadsheet subscriber proof vera@example.org
  broadsheet subscriber proof vera@example.org --html -o proof.html`,
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
			if a.json {
				return a.printJSON(viewProof(p))
			}
			return a.writeOut(*out, func(w io.Writer) error {
				if *html {
					return p.WriteHTML(w)
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
	Subscriber int64          `json:"subscriber"`
	Email      string         `json:"email"`
	Consents   []eventView    `json:"consents"`
	Changes    []eventView    `json:"changes"`
	Sent       map[string]int `json:"sent"` // digests by state
}

func viewProof(p *readers.Proof) proofView {
	v := proofView{
		Subscriber: p.Subscriber.ID, Email: p.Subscriber.Email, Consents: viewEvents(p.Consents), Changes: viewEvents(p.Changes),
		Sent: map[string]int{},
	}
	for state, n := range p.Sent {
		v.Sent[state.String()] = n
	}
	return v
}

// proofText is the proof for a terminal.
func proofText(p *readers.Proof) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintln(&b, plain(fmt.Sprintf(format, args...))) }
	none := func(entries int) {
		if entries == 0 {
			line("  none")
		}
	}
	line("Proof of consent of %s, subscriber %d, on record since %s", p.Subscriber.Email, p.Subscriber.ID, local(p.Subscriber.CreatedAt))
	line("")
	line("How consent was given")
	for _, e := range p.Consents {
		proofEvent(line, e)
	}
	line("")
	line("Mails that asked for it")
	none(len(p.Mails))
	for _, m := range p.Mails {
		line("  %s  mail %d, %s: %s since %s", local(m.NotBefore), m.ID, m.Kind, m.State, local(m.UpdatedAt))
		if m.Reply != "" {
			line("    the relay said: %d %s", m.Code, m.Reply)
		}
	}
	line("")
	line("What changed since, and who left when")
	none(len(p.Changes))
	for _, e := range p.Changes {
		proofEvent(line, e)
	}
	line("")
	line("Newsletters sent")
	none(len(p.Sent))
	for _, state := range newsletter.States() {
		if n := p.Sent[state]; n > 0 {
			line("  %d %s", n, state)
		}
	}
	if p.First.EditionID != 0 {
		line("  the first on record on %s, the last on %s", local(p.First.UpdatedAt), local(p.Last.UpdatedAt))
	}
	return b.String()
}

func proofEvent(line func(string, ...any), e newsletter.Event) {
	line("  %s  %s (%s), by %s", local(e.At), e.Kind, e.Newsletter, e.Channel)
	for _, f := range [][2]string{
		{"page", e.Page}, {"place on the page", e.Placement}, {"address", e.IP}, {"program", e.UserAgent}, {"who", e.Actor}, {"note", e.Note},
		{"version of the words", e.WordsVersion}, {"words shown", e.Words},
	} {
		if f[1] != "" {
			line("    %s: %s", f[0], f[1])
		}
	}
	if e.EditionID != 0 {
		line("    by the link of edition %d", e.EditionID)
	}
}
