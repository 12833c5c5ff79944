package desk

import (
	"context"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// Newsletters returns all newsletters with their schedules, in order of their slugs.
func (d *Desk) Newsletters(ctx context.Context) ([]newsletter.Newsletter, error) {
	return d.store.Newsletters(ctx)
}

// Newsletter returns the newsletter of that slug, or a NotFound error.
func (d *Desk) Newsletter(ctx context.Context, slug string) (newsletter.Newsletter, error) {
	if slug == "" {
		return newsletter.Newsletter{}, newsletter.Invalidf("newsletter", "which one? \"broadsheet newsletter list\" shows those there are")
	}
	return d.store.Newsletter(ctx, slug)
}

// Readers returns how many subscriptions of the newsletter are in each state.
func (d *Desk) Readers(ctx context.Context, newsletterID int64) (map[newsletter.SubscriptionState]int, error) {
	return d.store.ReaderCounts(ctx, newsletterID)
}

// CreateNewsletter makes a newsletter. Language, zone, and the numbers of articles have
// defaults (en, UTC, 1, 12); without a schedule it gets a daily cadence that is sent by hand.
// The error is Invalid and lists all fields that are wrong, or a Conflict if the slug is
// taken.
func (d *Desk) CreateNewsletter(ctx context.Context, n newsletter.Newsletter) (newsletter.Newsletter, error) {
	return d.create(ctx, n, nil)
}

// NewNewsletter makes a newsletter from values as they were typed. It is CreateNewsletter
// that also lists what cannot be read.
func (d *Desk) NewNewsletter(ctx context.Context, slug string, e NewsletterEdit) (newsletter.Newsletter, error) {
	n := newsletter.Newsletter{Slug: slug}
	n, c := prepare(n, e, d.now())
	return d.create(ctx, n, c)
}

// CheckNewNewsletter returns the error that NewNewsletter would give for the values, without
// looking at the database.
func (d *Desk) CheckNewNewsletter(slug string, e NewsletterEdit) error {
	n, c := prepare(newsletter.Newsletter{Slug: slug}, e, d.now())
	return d.finish(&n, c, d.now())
}

func prepare(n newsletter.Newsletter, e NewsletterEdit, now time.Time) (newsletter.Newsletter, checks) {
	n = withDefaults(n)
	var c checks
	e.apply(&n, now, &c)
	return n, c
}

func withDefaults(n newsletter.Newsletter) newsletter.Newsletter {
	if n.Language == "" {
		n.Language = "en"
	}
	if n.Zone == "" {
		n.Zone = "UTC"
	}
	if n.MinArticles == 0 {
		n.MinArticles = newsletter.DefaultMinArticles
	}
	if n.MaxArticles == 0 {
		n.MaxArticles = newsletter.DefaultMaxArticles
	}
	return n
}

// finish completes the schedules of a new newsletter and checks all of it.
func (d *Desk) finish(n *newsletter.Newsletter, c checks, now time.Time) error {
	if len(n.Schedules) == 0 {
		n.Schedules = []newsletter.Schedule{{Cadence: newsletter.Daily}}
	}
	n.Schedules = append([]newsletter.Schedule(nil), n.Schedules...)
	for i := range n.Schedules {
		if n.Schedules[i].Slot == "" {
			n.Schedules[i].Slot = newsletter.MainSlot
		}
		n.Schedules[i].SetAt = now
	}
	c.newsletter(*n)
	c.sender(*n, d.o.ConfirmFrom)
	return c.err("the newsletter cannot be made like this")
}

func (d *Desk) create(ctx context.Context, n newsletter.Newsletter, c checks) (newsletter.Newsletter, error) {
	now := d.now()
	n = withDefaults(n)
	n.Status = newsletter.Open
	if err := d.finish(&n, c, now); err != nil {
		return newsletter.Newsletter{}, err
	}
	return d.store.CreateNewsletter(ctx, n, d.o.Actor, now)
}

// EditNewsletter changes the fields that are given. A rule that changes counts from now on.
// The error is Invalid and lists all fields that are wrong, or a Conflict with the number of
// readers if a cadence is dropped that readers have, or a refusal with the reason legal if it
// would take from readers what the law wants them to be told. Readers of a slot that is dropped
// have the main one.
func (d *Desk) EditNewsletter(ctx context.Context, slug string, e NewsletterEdit) (newsletter.Newsletter, error) {
	now := d.now()
	if e.ImmediateSections != nil {
		var err error
		if e.sections, err = d.Sections(ctx, slug); err != nil {
			return newsletter.Newsletter{}, err
		}
	}
	if err := d.leaveSlots(ctx, slug, e); err != nil { // who had a slot of the same name before does not have the new one
		return newsletter.Newsletter{}, err
	}
	n, err := d.store.ChangeNewsletter(ctx, slug, "newsletter changed", d.o.Actor, now, func(n *newsletter.Newsletter) (string, error) {
		var c checks
		may := n.MayMail(d.o.BaseURL)
		changed := e.apply(n, now, &c)
		if err := n.MayMail(d.o.BaseURL); may == nil && err != nil { // readers get it already
			return "", err
		}
		c.newsletter(*n)
		c.sender(*n, d.o.ConfirmFrom)
		return strings.Join(changed, ", "), c.err("the newsletter cannot be changed like this")
	})
	if err != nil {
		return n, err
	}
	return n, d.leaveSlots(ctx, slug, e)
}

// CloseNewsletter ends a newsletter: nobody can sign up and no edition is made. Readers and
// the archive stay; ResumeNewsletter opens it again. Closing a closed one changes nothing.
func (d *Desk) CloseNewsletter(ctx context.Context, slug string) (newsletter.Newsletter, error) {
	return d.setStatus(ctx, slug, newsletter.Closed)
}

// PauseNewsletter stops the schedule of a newsletter until it is resumed; readers can still
// sign up and leave. Pausing a paused one changes nothing; a closed one is a Conflict.
func (d *Desk) PauseNewsletter(ctx context.Context, slug string) (newsletter.Newsletter, error) {
	return d.setStatus(ctx, slug, newsletter.Paused)
}

// ResumeNewsletter opens a newsletter that was paused or closed. Slots that passed meanwhile
// are not made up: its rules count from now on.
func (d *Desk) ResumeNewsletter(ctx context.Context, slug string) (newsletter.Newsletter, error) {
	return d.setStatus(ctx, slug, newsletter.Open)
}

func (d *Desk) setStatus(ctx context.Context, slug string, to newsletter.Status) (newsletter.Newsletter, error) {
	action := map[newsletter.Status]string{
		newsletter.Open: "newsletter resumed", newsletter.Paused: "newsletter paused", newsletter.Closed: "newsletter closed",
	}[to]
	now := d.now()
	return d.store.ChangeNewsletter(ctx, slug, action, d.o.Actor, now, func(n *newsletter.Newsletter) (string, error) {
		switch {
		case n.Status == to:
			return "", nil
		case n.Status == newsletter.Closed && to == newsletter.Paused:
			return "", newsletter.Conflictf("%s is closed; there is nothing to pause", slug)
		case to == newsletter.Open:
			for i := range n.Schedules {
				n.Schedules[i].SetAt = now
			}
		}
		detail := slug + ", was " + string(n.Status)
		n.Status = to
		return detail, nil
	})
}
