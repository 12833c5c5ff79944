package readers

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/words"
)

// Added is somebody whom staff add by hand.
type Added struct {
	Email       string
	Name        string
	Newsletters []string // slugs, at least one
	Cadence     string   // empty: the first that each newsletter offers
	Slot        string   // empty: the first that the cadence has
	Sections    []string // slugs; none: everything
	TimeZone    string
}

// Filter narrows a list of subscribers; empty fields do not.
type Filter struct {
	Newsletter  string // slug
	State       string // pending, active, paused or left
	EmailPrefix string
}

// Patch is what staff change about a subscriber; nil is left as it is.
type Patch struct {
	Name     *string
	TimeZone *string
	Language *string // one that the pages are in; empty: not chosen
}

// MaxPage is the most subscribers that one call of Subscribers returns.
const MaxPage = 1000

// Add subscribes somebody, active at once. origin.Note is compulsory and says where the
// consent was given. Whoever left, or must not be mailed, is refused (S26) with reason
// "left" or "suppressed"; it is a Conflict if everything is active already.
func (s *Service) Add(ctx context.Context, a Added, origin newsletter.Origin) (newsletter.Subscriber, error) {
	var p problems
	email, key, err := mail.ParseAddress(a.Email)
	if err != nil {
		p.addError("email", err)
	}
	name, wrong := cleanName(a.Name)
	if wrong != "" {
		p.add("name", "%s", wrong)
	}
	if wrong := checkZone(a.TimeZone); wrong != "" {
		p.add("time_zone", "%s", wrong)
	}
	origin = cleanOrigin(origin)
	if origin.Note == "" {
		p.add("consent", "Say where this person agreed to get the newsletter, such as \"paper form, book fair 2026\".")
	}
	all, err := s.newsletters(ctx)
	if err != nil {
		return newsletter.Subscriber{}, err
	}
	_, choices, err := s.choose(ctx, all, a.Newsletters, a.Cadence, a.Slot, a.Sections, &p)
	if err != nil {
		return newsletter.Subscriber{}, err
	}
	if err := p.err(); err != nil {
		return newsletter.Subscriber{}, err
	}
	id, err := s.store.AddSubscriptions(ctx, newsletter.Addition{
		Email: email, EmailKey: key, Name: name, TimeZone: a.TimeZone,
		Suppression: s.o.Suppression.Hashes(key), Choices: choices, Origin: origin,
	}, s.o.Now())
	if err != nil {
		return newsletter.Subscriber{}, err
	}
	return s.store.Subscriber(ctx, id)
}

// Subscriber returns somebody by address or id, with what happened so far, oldest first. The
// error is NotFound if there is nobody, and Invalid if it is neither address nor id.
func (s *Service) Subscriber(ctx context.Context, emailOrID string) (newsletter.Subscriber, []newsletter.Event, error) {
	sub, err := s.find(ctx, emailOrID)
	if err != nil {
		return newsletter.Subscriber{}, nil, err
	}
	events, err := s.store.Events(ctx, sub.ID)
	return sub, events, err
}

func (s *Service) find(ctx context.Context, emailOrID string) (newsletter.Subscriber, error) {
	if id, err := strconv.ParseInt(emailOrID, 10, 64); err == nil {
		return s.store.Subscriber(ctx, id)
	}
	_, key, err := mail.ParseAddress(emailOrID)
	if err != nil {
		return newsletter.Subscriber{}, err
	}
	return s.store.SubscriberByKey(ctx, key)
}

// Subscribers returns up to limit subscribers with an id greater than after, by id.
func (s *Service) Subscribers(ctx context.Context, f Filter, after int64, limit int) ([]newsletter.Subscriber, error) {
	if limit < 1 || limit > MaxPage {
		return nil, newsletter.Invalidf("limit", "the limit is a number from 1 to %d", MaxPage)
	}
	filter := newsletter.SubscriberFilter{EmailPrefix: strings.ToLower(strings.TrimSpace(cut(f.EmailPrefix, 254)))}
	switch state := newsletter.SubscriptionState(f.State); state {
	case "", newsletter.Pending, newsletter.Active, newsletter.PausedSub, newsletter.Left:
		filter.State = state
	default:
		return nil, newsletter.Invalidf("state", "%.20q is not a state; use pending, active, paused or left", f.State)
	}
	if f.Newsletter != "" {
		n, _, err := s.Newsletter(ctx, f.Newsletter)
		if err != nil {
			return nil, err
		}
		filter.NewsletterID = n.ID
	}
	return s.store.Subscribers(ctx, filter, after, limit)
}

// Update changes a subscriber's name or time zone, and leaves alone what the patch lacks,
// also if somebody else changes it at the same time. The error is NotFound if there is
// nobody, and Invalid with field name or time_zone.
func (s *Service) Update(ctx context.Context, id int64, patch Patch, origin newsletter.Origin) (newsletter.Subscriber, error) {
	var p problems
	if patch.Name != nil {
		name, wrong := cleanName(*patch.Name)
		if wrong != "" {
			p.add("name", "%s", wrong)
		}
		patch.Name = &name
	}
	if patch.TimeZone != nil {
		if wrong := checkZone(*patch.TimeZone); wrong != "" {
			p.add("time_zone", "%s", wrong)
		}
	}
	if patch.Language != nil && *patch.Language != "" {
		if _, ok := s.o.Templates[words.Prefix+*patch.Language]; !ok {
			p.add("language", "there are no mails in the language %.20q", *patch.Language)
		}
	}
	origin = cleanOrigin(origin)
	return s.store.UpdateSubscriber(ctx, id, origin, s.o.Now(), func(sub *newsletter.Subscriber) (string, error) {
		if err := p.err(); err != nil { // after it is known that there is somebody
			return "", err
		}
		changed := patch.apply(sub)
		if len(changed) == 0 {
			return "", nil
		}
		return cut(strings.TrimSuffix("changed: "+strings.Join(changed, ", ")+"; "+origin.Note, "; "), maxNote), nil
	})
}

// apply changes a subscriber and says in words what is different.
func (p Patch) apply(sub *newsletter.Subscriber) (changed []string) {
	if p.Name != nil && *p.Name != sub.Name {
		sub.Name, changed = *p.Name, append(changed, "name")
	}
	if p.TimeZone != nil && *p.TimeZone != sub.TimeZone {
		sub.TimeZone, changed = *p.TimeZone, append(changed, "time zone")
	}
	if p.Language != nil && *p.Language != sub.Language {
		sub.Language, changed = *p.Language, append(changed, "language")
	}
	return changed
}

// Remove ends the subscription to one newsletter, or all of them if the slug is empty. The
// subscriber stays, with the history. It is idempotent. The error is NotFound if there is
// nobody, or if the newsletter is none of theirs.
func (s *Service) Remove(ctx context.Context, emailOrID, newsletterSlug string, origin newsletter.Origin) (newsletter.Subscriber, error) {
	sub, err := s.find(ctx, emailOrID)
	if err != nil {
		return newsletter.Subscriber{}, err
	}
	var newsletterID int64
	if newsletterSlug != "" {
		n, _, err := s.Newsletter(ctx, newsletterSlug)
		if err != nil {
			return newsletter.Subscriber{}, err
		}
		if _, ok := subscriptionTo(sub, n.ID); !ok {
			return newsletter.Subscriber{}, newsletter.NotFoundf("%s does not have %s", sub.Email, n.Name)
		}
		newsletterID = n.ID
	}
	if err := s.store.RemoveSubscriptions(ctx, sub.ID, newsletterID, cleanOrigin(origin), s.o.Now()); err != nil {
		return newsletter.Subscriber{}, err
	}
	sub, err = s.store.Subscriber(ctx, sub.ID)
	if err != nil {
		return newsletter.Subscriber{}, fmt.Errorf("removed, but: %w", err)
	}
	return sub, nil
}
