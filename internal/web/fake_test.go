package web

import (
	"context"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// fake answers what a test puts in it: for pages in states that are hard to reach, and for
// errors. Everything else is tested with the real service.
type fake struct {
	newsletters  []newsletter.Newsletter
	sections     []newsletter.Section
	confirmation readers.Confirmation
	confirmed    readers.Confirmed
	leaving      readers.Leaving
	managed      readers.Managed
	done         readers.Done
	subscriber   newsletter.Subscriber
	err          error // of everything that changes something
	seen         []string
}

func (f *fake) Newsletters(context.Context) ([]newsletter.Newsletter, error) {
	return f.newsletters, nil
}

func (f *fake) Newsletter(_ context.Context, slug string) (newsletter.Newsletter, []newsletter.Section, error) {
	for _, n := range f.newsletters {
		if n.Slug == slug {
			return n, f.sections, nil
		}
	}
	return newsletter.Newsletter{}, nil, newsletter.NotFoundf("there is no newsletter %q", slug)
}

func (f *fake) ConsentWords(string, ...newsletter.Newsletter) (newsletter.Words, error) {
	return newsletter.Words{Text: "I would like to get it by e-mail. I can leave at any time.", Version: "1"}, nil
}

func (f *fake) SignUp(_ context.Context, s readers.SignUp) (readers.SignedUp, error) {
	f.saw("sign up " + s.Email + " " + strings.Join(s.Newsletters, ",") + " " + s.Origin.Page)
	return readers.SignedUp{}, f.err
}

func (f *fake) Expect(context.Context, []string) (readers.SignedUp, error) {
	return readers.SignedUp{Newsletters: f.newsletters, From: newsletter.Address{Name: "Example News", Email: "confirm@news.example.org"}, Subject: "Please confirm: Daily News"}, nil
}

func (f *fake) Confirmation(context.Context, string, string) (readers.Confirmation, error) {
	return f.confirmation, f.err
}

func (f *fake) Confirm(context.Context, string, string, newsletter.Origin) (readers.Confirmed, error) {
	f.saw("confirm")
	return f.confirmed, f.err
}

func (f *fake) RenewConfirmation(context.Context, string, newsletter.Origin) (readers.SignedUp, error) {
	f.saw("renew")
	return readers.SignedUp{Newsletters: f.newsletters[:1]}, f.err
}

func (f *fake) Leaving(context.Context, string) (readers.Leaving, error) { return f.leaving, f.err }

func (f *fake) Leave(_ context.Context, _ string, o newsletter.Origin) (readers.Leaving, error) {
	f.saw("leave " + o.Channel + " " + o.IP)
	return f.leaving, f.err
}

func (f *fake) UndoLeave(context.Context, string, newsletter.Origin) (readers.Leaving, error) {
	f.saw("undo")
	return f.leaving, f.err
}

func (f *fake) Manage(context.Context, string) (readers.Managed, error) { return f.managed, nil }

func (f *fake) ChangeSubscription(context.Context, string, readers.Change, newsletter.Origin) (readers.Managed, error) {
	f.saw("change")
	return f.managed, f.err
}

func (f *fake) Authenticate(context.Context, string) (newsletter.Token, error) {
	return newsletter.Token{}, newsletter.Refusef("token", "no")
}

func (f *fake) Returns(context.Context, int64) ([]newsletter.Return, error) { return nil, nil }

func (f *fake) Subscriber(context.Context, string) (newsletter.Subscriber, []newsletter.Event, error) {
	return f.subscriber, nil, f.err
}

func (f *fake) Subscribers(context.Context, readers.Filter, int64, int) ([]newsletter.Subscriber, error) {
	return nil, f.err
}

func (f *fake) Add(context.Context, readers.Added, newsletter.Origin) (newsletter.Subscriber, error) {
	return f.subscriber, f.err
}

func (f *fake) Update(context.Context, int64, readers.Patch, newsletter.Origin) (newsletter.Subscriber, error) {
	return f.subscriber, f.err
}

func (f *fake) Remove(context.Context, string, string, newsletter.Origin) (newsletter.Subscriber, error) {
	return f.subscriber, f.err
}

func (f *fake) saw(what string) { f.seen = append(f.seen, what) }

// now is the time that tests live in: a Sunday afternoon.
func now() time.Time { return time.Date(2026, 11, 22, 15, 4, 0, 0, time.UTC) }

func mustRule(s string) newsletter.Rule {
	r, err := newsletter.ParseRule(s)
	if err != nil {
		panic(err)
	}
	return r
}

// dailyNews is a newsletter with two cadences.
func dailyNews() newsletter.Newsletter {
	return newsletter.Newsletter{
		ID: 1, Slug: "daily-news", Name: "Daily News", Description: "What happened, and why it matters. Every working day before breakfast.",
		From:          newsletter.Address{Name: "The Example Gazette", Email: "daily@news.example.org"},
		PostalAddress: "Example Gazette Ltd, 1 Fleet Street, London EC4", Language: "en-GB", Zone: "Europe/London",
		PrivacyURL: "https://news.example.org/privacy", LegalFooter: "Registered in England.", Status: newsletter.Open,
		Schedules: []newsletter.Schedule{
			{Cadence: newsletter.Daily, Slot: newsletter.MainSlot, Rule: mustRule("mon-fri 07:00")},
			{Cadence: newsletter.Weekly, Slot: newsletter.MainSlot, Rule: mustRule("fri 16:30")},
		},
	}
}

// weekend is a newsletter that is only sent by hand.
func weekend() newsletter.Newsletter {
	n := dailyNews()
	n.ID, n.Slug, n.Name, n.Description = 2, "weekend", "The Weekend Read", "Three long stories to read slowly."
	n.Schedules = []newsletter.Schedule{{Cadence: newsletter.Weekly, Slot: newsletter.MainSlot}}
	return n
}

func topics() []newsletter.Section {
	return []newsletter.Section{
		{ID: 1, NewsletterID: 1, Bit: 0, Slug: "politics", Name: "Politics"},
		{ID: 2, NewsletterID: 1, Bit: 1, Slug: "business", Name: "Business & Markets"},
		{ID: 3, NewsletterID: 1, Bit: 2, Slug: "culture", Name: "Culture"},
		{ID: 4, NewsletterID: 1, Bit: 3, Slug: "science", Name: "Science"},
	}
}

func (f *fake) Suppressions(context.Context, readers.SuppressionFilter, int64, int) ([]newsletter.Suppression, error) {
	return nil, f.err
}

func (f *fake) Standing(_ context.Context, who string) (readers.Standing, error) {
	return readers.Standing{Target: who}, nil
}

func (f *fake) Suppress(_ context.Context, who, _ string, _ newsletter.Origin) (readers.Standing, bool, error) {
	return readers.Standing{Target: who}, true, f.err
}

func (f *fake) LiftSuppression(context.Context, string, newsletter.Origin) (newsletter.LiftedSuppression, error) {
	return newsletter.LiftedSuppression{}, f.err
}

func (f *fake) Waiting(context.Context, newsletter.Subscriber) (readers.Waiting, bool, error) {
	return readers.Waiting{}, false, nil
}

func (f *fake) PauseByLink(_ context.Context, _, slug, until string, _ newsletter.Origin) error {
	f.saw("pause " + slug + " " + until)
	return f.err
}

func (f *fake) ResumeByLink(_ context.Context, _, slug string, _ newsletter.Origin) error {
	f.saw("resume " + slug)
	return f.err
}

func (f *fake) LeaveByLink(_ context.Context, _, slug string, _ newsletter.Origin) error {
	f.saw("leave " + slug)
	return f.err
}

func (f *fake) UndoByLink(context.Context, string, time.Time, newsletter.Origin) error {
	f.saw("undo")
	return f.err
}

func (f *fake) DoneAt(context.Context, string, time.Time) (readers.Done, error) { return f.done, nil }

func (f *fake) AskLink(_ context.Context, address string, _ newsletter.Origin) error {
	f.saw("link " + address)
	return f.err
}

func (f *fake) AskLinkBy(context.Context, string, newsletter.Origin) error { return f.err }

func (f *fake) Own(context.Context, string) (readers.Own, error) {
	return readers.Own{Subscriber: f.subscriber, About: f.newsletters}, f.err
}

func (f *fake) ChangeOwn(context.Context, string, readers.Patch, newsletter.Origin) error {
	return f.err
}

func (f *fake) Receipt(context.Context, string, int64) (readers.Receipt, error) {
	return readers.Receipt{}, f.err
}

func (f *fake) OwnRecord(context.Context, string) (*readers.Record, error) { return nil, f.err }

func (f *fake) EraseOwn(context.Context, string, newsletter.Origin) error { return f.err }
