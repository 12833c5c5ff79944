package readers

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"iter"
	"time"

	"broadsheet/internal/newsletter"
)

// papers are the pages that staff print, or hand to a person.
//
//go:embed paper
var papers embed.FS

// paper is what the pages show.
type paper struct {
	*Record
	*Proof
	Deliveries iter.Seq[newsletter.PersonDelivery]
}

var errStopped = errors.New("the page ended")

// deliveries returns what the page of the record goes through; what fails is left in failed.
func (r *Record) deliveries(ctx context.Context, failed *error) iter.Seq[newsletter.PersonDelivery] {
	return func(yield func(newsletter.PersonDelivery) bool) {
		err := r.EachDelivery(ctx, func(d newsletter.PersonDelivery) error {
			if !yield(d) {
				return errStopped
			}
			return nil
		})
		if !errors.Is(err, errStopped) {
			*failed = err
		}
	}
}

// WriteHTML writes the record as one page that needs nothing else, to hand to the person. It
// reads the deliveries as it writes.
func (r *Record) WriteHTML(ctx context.Context, w io.Writer) error {
	var failed error
	err := writePaper(w, "record.html", paper{Record: r, Deliveries: r.deliveries(ctx, &failed)})
	return errors.Join(err, failed)
}

// WriteHTML writes the proof as one page that needs nothing else, to print.
func (p *Proof) WriteHTML(w io.Writer) error {
	return writePaper(w, "proof.html", paper{Record: p.Record, Proof: p})
}

func writePaper(w io.Writer, name string, data paper) error {
	t, err := template.New(name).Funcs(template.FuncMap{
		"time": func(t time.Time) string {
			if t.IsZero() {
				return ""
			}
			return t.UTC().Format("2 January 2006, 15:04:05 UTC")
		},
		"channel": channelWords, "event": eventWords, "state": stateWords, "mailkind": mailWords,
		"number": func(i int) int { return i + 1 },
		"dict":   dict,
		"tries": func(n int) string {
			if n == 1 {
				return "1 try"
			}
			return fmt.Sprintf("%d tries", n)
		},
		"events": onPage[newsletter.Event], "mails": onPage[newsletter.PersonMail],
	}).ParseFS(papers, "paper/*.html")
	if err == nil {
		err = t.ExecuteTemplate(w, name, data)
	}
	if err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	return nil
}

// dict makes one value of several, for a part of a page: names and values by turns.
func dict(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return m
}

// pageOf is what a page shows of a list.
type pageOf[T any] struct {
	First, Last []T
	Between     int // are left out
}

func onPage[T any](list []T) (p pageOf[T]) {
	p.First, p.Last, p.Between = OnPage(list)
	return p
}

// stateWords says in plain words what became of a newsletter.
func stateWords(state newsletter.State) string {
	words := map[newsletter.State]string{
		newsletter.Accepted: "accepted by our relay", newsletter.Refused: "refused", newsletter.Expired: "not sent in time, given up",
		newsletter.Withheld: "not sent on purpose", newsletter.InDoubt: "in doubt: nobody knows whether it arrived",
		newsletter.Waiting: "still to be sent", newsletter.Deferred: "put off, to be tried again", newsletter.Sending: "being sent",
	}[state]
	if words == "" {
		return state.String()
	}
	return words
}

// channelWords says in plain words how something came about.
func channelWords(channel string) string {
	words := map[string]string{
		"form": "the sign-up form", "api": "a program of the publisher", "link": "a link in a mail", "one_click": "the unsubscribe button of the mail program",
		"import": "an imported file", "staff": "the publisher's staff", newsletter.ChannelComplaint: "a report as spam",
	}[channel]
	if words == "" {
		return channel
	}
	return words
}

// mailWords says in plain words what a transactional mail was about.
func mailWords(kind newsletter.MailKind) string {
	words := map[newsletter.MailKind]string{
		newsletter.MailConfirm: "mail that asks to confirm", newsletter.MailAlready: "mail that says that the address is subscribed already",
		newsletter.MailLink: "mail with a link to the reader's page", newsletter.MailAddress: "mail that asks to confirm a new address",
		newsletter.MailMoved: "mail that says that the address was changed", newsletter.MailWelcome: "mail of welcome",
	}[kind]
	if words == "" {
		return string(kind)
	}
	return words
}

// eventWords says in plain words what happened.
func eventWords(kind newsletter.EventKind) string {
	words := map[newsletter.EventKind]string{
		newsletter.EventRequested: "asked for the newsletter", newsletter.EventConfirmed: "confirmed it with the link in our mail",
		newsletter.EventAdded: "was added", newsletter.EventImported: "was imported", newsletter.EventLeft: "left",
		newsletter.EventUndone: "took leaving back", newsletter.EventRemoved: "was removed", newsletter.EventChanged: "was changed",
	}[kind]
	if words == "" {
		return string(kind)
	}
	return words
}
