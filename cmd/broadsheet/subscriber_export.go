package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"

	"github.com/spf13/cobra"
)

func subscriberExport(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export EMAIL|NUMBER [--html] [-o FILE]",
		Short: "Write all that is held about a person",
		Long: `Writes all that is held about a person, to hand to them: subscriptions and their history
with the words of consent, sign-ups, mails, every newsletter that was sent with what was in
it, what came back, words of staff and other systems that name the address, and whether it
may be mailed. It is JSON, or with --html a page that opens in any browser and prints. Of an
address that no subscriber has, it is what is held all the same.

Make sure that it is the person who asks: send it to the address that it is about. Look at
the words of others ("mentions") first: they may name somebody else too.`,
		Example: `  broadsheet subscriber export vera@example.org --html -o vera.html
  broadsheet subscriber export vera@example.org -o vera.json
  broadsheet subscriber export 42 --json | jq .events`,
		Args: exactArgs("EMAIL|NUMBER"),
	}
	html := cmd.Flags().Bool("html", false, "a page to read and print instead of JSON")
	out := cmd.Flags().StringP("output", "o", "", "the file to write, which must not be there yet (default: standard output)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *html && a.json {
			return usagef("say either --html or --json")
		}
		return a.withReaders(cmd.Context(), func(_ *services, r *readers.Service) error {
			record, err := r.Record(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.writeOut(*out, func(w io.Writer) error {
				if *html {
					return record.WriteHTML(cmd.Context(), w)
				}
				return a.writeRecord(cmd.Context(), r, record, w)
			})
		})
	}
	return cmd
}

// writeOut has f write to a new file that only its owner can read, or to standard output if
// the name is empty. Nothing stays of a file that could not be written as a whole.
func (a *app) writeOut(name string, f func(io.Writer) error) (err error) {
	if name == "" {
		w := bufio.NewWriter(a.stdout)
		return errors.Join(f(w), w.Flush())
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return newsletter.Conflictf("%s is there already; name another file, or remove it", name)
	}
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	err = f(w)
	if err == nil {
		err = w.Flush()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	a.say("Wrote %s.", name)
	return nil
}

// personView is what is held about a person, in JSON, without the deliveries that follow it.
type personView struct {
	MadeAt *time.Time `json:"made_at"`
	subscriberDetail
	Language            string                 `json:"language"`
	UpdatedAt           *time.Time             `json:"updated_at"`
	SubscriptionDetails []personSubscription   `json:"subscription_details"`
	Mentions            []mentionView          `json:"mentions"` // what others wrote and names the address
	SuppressionEvents   []suppressionEventView `json:"suppression_events"`
	SignUps             []signUpView           `json:"sign_ups"`
	Mails               []mailView             `json:"mails"`
}

type personSubscription struct {
	Newsletter string     `json:"newsletter"`
	Slot       string     `json:"slot"`
	UpdatedAt  *time.Time `json:"updated_at"`
	OwedSince  *time.Time `json:"owed_since"` // null: since they joined
	PausedAt   *time.Time `json:"paused_at"`  // null: never
}

type mentionView struct {
	Where string `json:"where"`
	ID    int64  `json:"id"`
	Text  string `json:"text"`
}

// askedView is what a sign-up asks for in one newsletter.
type askedView struct {
	Newsletter string   `json:"newsletter"`
	Cadence    string   `json:"cadence"`
	Slot       string   `json:"slot"`
	Sections   []string `json:"sections"` // slugs; empty: everything
}

type signUpView struct {
	SignUp      int64       `json:"sign_up"`
	Email       string      `json:"email"`
	Name        string      `json:"name"`
	TimeZone    string      `json:"time_zone"`
	Page        string      `json:"page"`
	Placement   string      `json:"placement"`
	Newsletters []string    `json:"newsletters"`
	Asked       []askedView `json:"asked"`
	CreatedAt   *time.Time  `json:"created_at"`
	ExpiresAt   *time.Time  `json:"expires_at"`
	ConfirmedAt *time.Time  `json:"confirmed_at"`
}

type mailView struct {
	Mail      int64      `json:"mail"`
	Kind      string     `json:"kind"`
	SignUp    int64      `json:"sign_up,omitempty"`
	State     string     `json:"state"`
	Attempts  int        `json:"attempts"`
	Doubts    int        `json:"doubts"`
	CreatedAt *time.Time `json:"created_at"`
	Date      *time.Time `json:"date"`
	NextTry   *time.Time `json:"next_try"`
	ExpiresAt *time.Time `json:"expires_at"`
	UpdatedAt *time.Time `json:"updated_at"`
	Code      int        `json:"code,omitempty"`
	Status    string     `json:"status,omitempty"`
	Reply     string     `json:"reply,omitempty"`
}

type personDeliveryView struct {
	Edition    int64         `json:"edition"`
	Newsletter string        `json:"newsletter"`
	LocalDate  string        `json:"local_date"`
	Subject    string        `json:"subject"`
	State      string        `json:"state"`
	Reason     string        `json:"reason,omitempty"`
	Attempts   int           `json:"attempts"`
	Doubts     int           `json:"doubts"`
	DoubtedAt  *time.Time    `json:"doubted_at,omitempty"`
	Date       *time.Time    `json:"date"`
	NextTry    *time.Time    `json:"next_try"`
	ExpiresAt  *time.Time    `json:"expires_at"`
	UpdatedAt  *time.Time    `json:"updated_at"`
	Code       int           `json:"code,omitempty"`
	Status     string        `json:"status,omitempty"`
	Reply      string        `json:"reply,omitempty"`
	Relay      string        `json:"relay,omitempty"`
	Returned   string        `json:"returned,omitempty"`
	Articles   []articleLink `json:"articles"`
}

type articleLink struct {
	Headline string `json:"headline"`
	URL      string `json:"url"`
}

// writeRecord writes the record as one JSON object. The deliveries come last and are written
// one by one: they need not fit into memory.
func (a *app) writeRecord(ctx context.Context, r *readers.Service, record *readers.Record, w io.Writer) error {
	view, err := viewPerson(ctx, r, record)
	if err != nil {
		return err
	}
	head, err := json.MarshalIndent(view, "", "  ")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "%s,\n  \"deliveries\": [", bytes.TrimSuffix(head, []byte("\n}"))); err != nil {
		return err
	}
	lead := "\n    "
	err = record.EachDelivery(ctx, func(d newsletter.PersonDelivery) error {
		text, err := json.MarshalIndent(viewPersonDelivery(d), "    ", "  ")
		if err == nil {
			_, err = fmt.Fprintf(w, "%s%s", lead, text)
		}
		lead = ",\n    "
		return err
	})
	if err == nil {
		_, err = io.WriteString(w, "\n  ]\n}\n")
	}
	return err
}

func viewPerson(ctx context.Context, r *readers.Service, record *readers.Record) (v personView, err error) {
	v.MadeAt = utc(record.MadeAt)
	if v.subscriberView, err = (&subscriberViewer{readers: r}).view(ctx, record.Subscriber); err != nil {
		return v, err
	}
	if v.subscriberStanding, err = standingOf(ctx, r, record.Subscriber); err != nil {
		return v, err
	}
	v.Events, v.Returns = viewEvents(record.Events), viewReturns(record.Returns)
	v.SuppressionEvents, v.SignUps, v.Mails = viewStanding(record.Standing).Events, []signUpView{}, []mailView{}
	v.Language, v.UpdatedAt, v.SubscriptionDetails, v.Mentions = record.Detail.Language, utc(record.Detail.UpdatedAt), []personSubscription{}, []mentionView{}
	for _, u := range record.Detail.Subscriptions {
		v.SubscriptionDetails = append(v.SubscriptionDetails, personSubscription{u.Newsletter, u.Slot, utc(u.UpdatedAt), utc(u.OwedSince), utc(u.PausedAt)})
	}
	for _, m := range record.Mentions {
		v.Mentions = append(v.Mentions, mentionView(m))
	}
	for _, u := range record.SignUps {
		v.SignUps = append(v.SignUps, signUpView{
			SignUp: u.ID, Email: u.Email, Name: u.Name, TimeZone: u.TimeZone, Page: u.Page, Placement: u.Placement, Newsletters: u.Newsletters,
			Asked: viewAsked(record, u), CreatedAt: utc(u.CreatedAt), ExpiresAt: utc(u.ExpiresAt), ConfirmedAt: utc(u.ConfirmedAt),
		})
	}
	for _, m := range record.Mails {
		v.Mails = append(v.Mails, viewMail(m))
	}
	return v, nil
}

func viewAsked(record *readers.Record, u newsletter.PersonSignUp) []askedView {
	views := []askedView{}
	for _, c := range u.Asked {
		view := askedView{c.Newsletter, string(c.Cadence), c.Slot, []string{}}
		for _, sec := range record.SectionsIn(c.NewsletterID, c.Sections) {
			view.Sections = append(view.Sections, sec.Slug)
		}
		views = append(views, view)
	}
	return views
}

func viewMail(m newsletter.PersonMail) mailView {
	return mailView{
		Mail: m.ID, Kind: string(m.Kind), SignUp: m.SignupID, State: m.State.String(), Attempts: m.Attempts,
		Doubts: m.Doubts, CreatedAt: utc(m.CreatedAt), Date: utc(m.NotBefore), NextTry: utc(m.NextTry), ExpiresAt: utc(m.ExpiresAt),
		UpdatedAt: utc(m.UpdatedAt), Code: m.Code, Status: m.Enhanced, Reply: m.Reply,
	}
}

func viewPersonDelivery(d newsletter.PersonDelivery) personDeliveryView {
	v := personDeliveryView{
		Edition: d.EditionID, Newsletter: d.Newsletter, LocalDate: d.Date, Subject: d.Subject, State: d.State.String(), Reason: d.Reason,
		Attempts: d.Attempts, Doubts: d.Doubts, DoubtedAt: utc(d.DoubtedAt), Date: utc(d.NotBefore), NextTry: utc(d.NextTry),
		ExpiresAt: utc(d.ExpiresAt), UpdatedAt: utc(d.UpdatedAt), Code: d.Code, Status: d.Enhanced, Reply: d.Reply, Relay: d.Relay,
		Returned: d.Returned.String(), Articles: []articleLink{},
	}
	for _, x := range d.Articles {
		v.Articles = append(v.Articles, articleLink{x.Headline, x.URL})
	}
	return v
}
