package readers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// Managed is what the page behind a manage link shows.
type Managed struct {
	TimeZone      string                  // of the reader, IANA; may be empty
	Others        []newsletter.Newsletter // that can be subscribed to, and are not theirs
	Masked        string                  // "a…@example.org"
	Silence       Silence
	Subscriptions []ManagedSubscription
	Language      string    // that the reader chose; may be empty
	FreshUntil    time.Time // until then the link opens all of the page; zero: it does not
}

// ManagedSubscription is a subscription with what can be chosen for it.
type ManagedSubscription struct {
	newsletter.Subscription
	Newsletter       newsletter.Newsletter // Cadences says what is offered
	Sections         []newsletter.Section  // that there are; Subscription.Sections is the choice
	UnsubscribeToken string
	Next             newsletter.Due // the next edition
	Zone             string         // IANA; the zone in which Next is meant
	ByHand           bool           // there is no Next: editions are sent by hand, or the newsletter pauses
	Why              Why
}

// Manage returns the reader's active and paused subscriptions, and that which the link came
// with whatever its state. The error is NotFound for a token that is not ours.
func (s *Service) Manage(ctx context.Context, token string) (Managed, error) {
	link, sub, err := s.openManage(ctx, token)
	if err != nil {
		return Managed{}, err
	}
	all, err := s.newsletters(ctx)
	if err != nil {
		return Managed{}, err
	}
	m := Managed{Masked: masked(sub.Email), TimeZone: sub.TimeZone, Language: sub.Language}
	if _, m.FreshUntil, err = s.openManageLink(token); err != nil {
		return Managed{}, errLink()
	}
	if m.Silence, err = s.silence(ctx, sub); err != nil {
		return Managed{}, err
	}
	events, err := s.store.Events(ctx, sub.ID)
	if err != nil {
		return Managed{}, err
	}
	for _, u := range sub.Subscriptions {
		if u.State != newsletter.Active && u.State != newsletter.PausedSub && u.NewsletterID != link.NewsletterID {
			continue
		}
		n, ok := byID(all, u.NewsletterID)
		if !ok {
			return Managed{}, fmt.Errorf("subscriber %d: newsletter %d is gone", sub.ID, u.NewsletterID)
		}
		managed, err := s.managed(ctx, u, n, link.EditionID)
		if err != nil {
			return Managed{}, err
		}
		managed.Why = why(events, n.ID)
		m.Subscriptions = append(m.Subscriptions, managed)
	}
	for _, n := range all {
		u, known := subscriptionTo(sub, n.ID)
		if s.takesReaders(n) == nil && (!known || u.State == newsletter.Left && n.ID != link.NewsletterID || u.State == newsletter.Pending) {
			m.Others = append(m.Others, n)
		}
	}
	return m, nil
}

func (s *Service) managed(ctx context.Context, u newsletter.Subscription, n newsletter.Newsletter, editionID int64) (ManagedSubscription, error) {
	sections, err := s.store.Sections(ctx, n.ID)
	if err != nil {
		return ManagedSubscription{}, fmt.Errorf("sections of %s: %w", n.Slug, err)
	}
	next, ok, err := s.nextEdition(ctx, n, u.Cadence, u.Slot, s.o.Now())
	link := newsletter.Link{SubscriberID: u.SubscriberID, NewsletterID: n.ID, EditionID: editionID}
	return ManagedSubscription{
		Subscription: u, Newsletter: n, Sections: sections,
		UnsubscribeToken: s.o.Keys.Sign(newsletter.PurposeUnsubscribe, link),
		Next:             next, Zone: n.Zone, ByHand: !ok,
	}, err
}

// openManage returns what a manage token names and whose it is.
func (s *Service) openManage(ctx context.Context, token string) (newsletter.Link, newsletter.Subscriber, error) {
	link, _, err := s.openManageLink(token)
	if err != nil {
		return newsletter.Link{}, newsletter.Subscriber{}, errLink()
	}
	sub, err := s.store.Subscriber(ctx, link.SubscriberID)
	if newsletter.KindOf(err) == newsletter.NotFound {
		err = errLink()
	}
	return link, sub, err
}

// Change is a reader's new choice for one newsletter.
type Change struct {
	Newsletter string   // slug
	Cadence    string   // empty: as it is
	Slot       string   // empty: as it is, or of another cadence the first one
	Sections   []string // slugs; none: everything, unless
	Keep       bool     // the sections stay as they are
}

// ChangeSubscription sets the choice and returns what Manage would. The error is Invalid
// with field newsletter, cadence, slot or section, or Conflict if the reader has left.
func (s *Service) ChangeSubscription(ctx context.Context, token string, c Change, origin newsletter.Origin) (Managed, error) {
	link, sub, err := s.openManage(ctx, token)
	if err != nil {
		return Managed{}, err
	}
	n, sections, err := s.Newsletter(ctx, c.Newsletter)
	if newsletter.KindOf(err) == newsletter.NotFound {
		return Managed{}, newsletter.Invalidf("newsletter", "There is no newsletter %.60q.", c.Newsletter)
	}
	if err != nil {
		return Managed{}, err
	}
	u, ok := subscriptionTo(sub, n.ID)
	if !ok || u.State != newsletter.Active && u.State != newsletter.PausedSub {
		return Managed{}, newsletter.Conflictf("You do not get %s any more. You are welcome to sign up again.", n.Name)
	}
	if err := s.setChoice(ctx, link, n, sections, c, origin); err != nil {
		return Managed{}, err
	}
	return s.Manage(ctx, token)
}

// ChooseFor is ChangeSubscription by staff, for somebody by address or id. Without a newsletter
// it is the only one that they get. changed is false if it was chosen already. The error is
// NotFound if there is nobody or no such subscription.
func (s *Service) ChooseFor(ctx context.Context, emailOrID string, c Change, origin newsletter.Origin) (sub newsletter.Subscriber, now ManagedSubscription, changed bool, err error) {
	if sub, err = s.find(ctx, emailOrID); err != nil {
		return sub, now, false, err
	}
	before, err := onlySubscription(sub, c.Newsletter)
	if err != nil {
		return sub, now, false, err
	}
	n, sections, err := s.Newsletter(ctx, before.NewsletterSlug)
	if err != nil {
		return sub, now, false, err
	}
	link := newsletter.Link{SubscriberID: sub.ID, NewsletterID: n.ID}
	if err := s.setChoice(ctx, link, n, sections, c, origin); err != nil {
		return sub, now, false, err
	}
	if sub, err = s.store.Subscriber(ctx, sub.ID); err != nil {
		return sub, now, true, fmt.Errorf("done, but: %w", err)
	}
	u, _ := subscriptionTo(sub, n.ID)
	now, err = s.managed(ctx, u, n, 0)
	changed = u.Cadence != before.Cadence || n.SlotOf(u.Cadence, u.Slot) != n.SlotOf(before.Cadence, before.Slot) || u.Sections != before.Sections
	return sub, now, changed, err
}

// onlySubscription returns the subscription to the newsletter, or the only one that there is.
func onlySubscription(sub newsletter.Subscriber, slug string) (u newsletter.Subscription, err error) {
	var slugs []string
	for _, each := range sub.Subscriptions {
		if each.State == newsletter.Active || each.State == newsletter.PausedSub {
			if slugs = append(slugs, each.NewsletterSlug); slug == "" || slug == each.NewsletterSlug {
				u = each
			}
		}
	}
	switch {
	case slug == "" && len(slugs) > 1:
		return u, newsletter.Invalidf("newsletter", "%s gets several newsletters; say which: %s", sub.Email, strings.Join(slugs, ", "))
	case u.NewsletterID != 0:
		return u, nil
	case slug != "":
		return u, newsletter.NotFoundf("%s does not get %s", sub.Email, slug)
	}
	return u, newsletter.NotFoundf("%s gets no newsletter", sub.Email)
}

// setChoice sets the choice of the link's subscriber, and says in the history what changed.
func (s *Service) setChoice(ctx context.Context, link newsletter.Link, n newsletter.Newsletter, sections []newsletter.Section, c Change, origin newsletter.Origin) error {
	origin = cleanOrigin(origin)
	return s.store.ChangeSubscription(ctx, link, n.ID, origin, s.o.Now(), func(u newsletter.Subscription) (newsletter.SignUpChoice, string, error) {
		choice, err := checkChange(n, sections, u, c)
		note := describeChange(n, sections, u, choice)
		if note != "" && origin.Note != "" {
			note = cut(note+"; "+origin.Note, maxNote)
		}
		return choice, note, err
	})
}

func checkChange(n newsletter.Newsletter, sections []newsletter.Section, u newsletter.Subscription, c Change) (newsletter.SignUpChoice, error) {
	var p problems
	choice := newsletter.SignUpChoice{NewsletterID: n.ID, Cadence: u.Cadence, Slot: n.SlotOf(u.Cadence, u.Slot)}
	if a := askedFor(c.Cadence, c.Slot); a.cadence != "" && a.cadence != string(u.Cadence) || a.slot != "" {
		if a.cadence == "" {
			a.cadence = string(u.Cadence)
		}
		if a.cadence != string(u.Cadence) || a.slot != choice.Slot { // what is not offered any more can be kept
			r := rhythmsOf([]newsletter.Newsletter{n}, a.cadence, a.slot, &p)[0]
			choice.Cadence, choice.Slot = r.cadence, r.slot
		}
	}
	if c.Keep {
		choice.Sections = u.Sections
		return choice, p.err()
	}
	if len(c.Sections) > maxSections {
		p.add("section", "These are too many sections.")
		return choice, p.err()
	}
	known := map[string]bool{}
	choice.Sections = maskOf(sections, c.Sections, known)
	for _, slug := range c.Sections {
		if !known[slug] {
			p.add("section", "There is no section %.60q.", slug)
			break
		}
	}
	return choice, p.err()
}

// describeChange says in words what a reader changed, for the history; empty: nothing.
func describeChange(n newsletter.Newsletter, sections []newsletter.Section, u newsletter.Subscription, c newsletter.SignUpChoice) string {
	var parts []string
	if now, was := newsletter.SlotName(c.Cadence, c.Slot), newsletter.SlotName(u.Cadence, n.SlotOf(u.Cadence, u.Slot)); now != was {
		parts = append(parts, fmt.Sprintf("cadence: %s, was %s", now, was))
	}
	if u.Sections != c.Sections {
		parts = append(parts, fmt.Sprintf("sections: %s, were %s", slugsOf(sections, c.Sections), slugsOf(sections, u.Sections)))
	}
	return cut(strings.Join(parts, "; "), maxNote)
}

func slugsOf(sections []newsletter.Section, mask newsletter.Mask) string {
	if mask == 0 {
		return "all"
	}
	var slugs []string
	for _, sec := range chosen(sections, mask) {
		slugs = append(slugs, sec.Slug)
	}
	return strings.Join(slugs, ",")
}
