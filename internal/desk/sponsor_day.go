package desk

import (
	"context"
	"fmt"
	"slices"

	"broadsheet/internal/newsletter"
)

// nearby is for how many days before and after its own an edition is asked for bookings that are in
// it: drafts do not get older.
const nearby = 31

// enters returns why a booking of its day is not in the draft's edition; empty: it is. A booking is
// for the day's editions by the schedule. An extra edition has it only where none of them had it or
// will have it: nobody is to read the same twice a day because something else happened.
func (d *Desk) enters(ctx context.Context, draft *Draft) (func(newsletter.Booking) string, error) {
	e, n := draft.Edition, draft.Newsletter
	zone, err := n.Location()
	if err != nil {
		return nil, err
	}
	day, err := d.store.SlotsOf(ctx, n.ID, e.Date)
	if err != nil {
		return nil, err
	}
	extra := draft.manual && (draft.extra || slices.ContainsFunc(day, func(x newsletter.Edition) bool {
		return x.ID != e.ID && x.Cadence == e.Cadence && x.Slot == e.Slot
	}))
	return func(b newsletter.Booking) string {
		if !extra {
			return ""
		}
		for _, s := range n.Schedules {
			due, ok := s.On(e.Date, zone)
			x, taken := editionOf(day, s)
			waits := taken && x.ID != e.ID && x.State == newsletter.EditionDraft
			if ok && b.For(s.Cadence) && (waits || !taken && due.At.After(d.now())) {
				return fmt.Sprintf("the %s edition will have it", s.Name())
			}
		}
		if len(b.Editions) > 0 {
			return fmt.Sprintf("edition %d has it", b.Editions[0])
		}
		return ""
	}, nil
}

// warnBooked tells of what is booked for the day of a draft and not in its sheet, and of what is in
// it and was cancelled, booked for another day, or was in another edition: staff decide what a draft
// has.
func (d *Desk) warnBooked(ctx context.Context, draft *Draft, record *newsletter.DraftRecord) error {
	e := draft.Edition
	list, err := d.o.Press.Store.Bookings(ctx, e.NewsletterID, e.Date.AddDays(-nearby), e.Date.AddDays(nearby))
	if err != nil || record.Sheet.Announcement {
		return err
	}
	for _, k := range record.Sheet.Blocks {
		id, ok := newsletter.BookingOf(k.ID)
		if ok && k.Kind == newsletter.SheetSponsor && !slices.ContainsFunc(list, func(b newsletter.Booking) bool { return b.ID == id }) {
			draft.warn("%s is in the draft by booking %d, which does not stand any more; \"broadsheet edition edit %d\" takes it out", k.Sponsor, id, e.ID)
		}
	}
	if len(list) == 0 {
		return nil
	}
	enters, err := d.enters(ctx, draft)
	if err != nil {
		return err
	}
	for _, b := range list {
		has := slices.ContainsFunc(record.Sheet.Blocks, func(k newsletter.SheetBlock) bool { return k.ID == b.BlockID() })
		switch {
		case has && b.Date != e.Date:
			draft.warn("%s has booked %s (booking %d), and this is the edition of %s; \"broadsheet edition edit %d\" takes it out", b.Sponsor, b.Date, b.ID, e.Date, e.ID)
		case has && enters(b) != "":
			draft.warn("%s is in it by booking %d, and it would be an extra edition: %s; \"broadsheet edition edit %d\" takes it out", b.Sponsor, b.ID, enters(b), e.ID)
		case !has && b.Date == e.Date && b.For(e.Cadence) && b.Text != "" && enters(b) == "":
			draft.warn("%s has booked %s (booking %d), and is not in the draft; \"broadsheet edition sponsor %d --booking %[3]d\" puts it in", b.Sponsor, b.Date, b.ID, e.ID)
		}
	}
	return nil
}

func (draft *Draft) warn(format string, args ...any) {
	draft.Warnings = append(draft.Warnings, fmt.Sprintf(format, args...))
}

// PlaceBooking puts what is booked into a draft, whatever day it is booked for. It is refused with
// the reason placed if it is in it, and no_message if its message has not come.
func (d *Desk) PlaceBooking(ctx context.Context, id, booking int64) (*Draft, error) {
	record, err := d.o.Press.Store.DraftRecord(ctx, id)
	if err != nil {
		return nil, err
	}
	e, err := d.o.Press.Store.Edition(ctx, id)
	if err != nil {
		return nil, err
	}
	list, err := d.o.Press.Store.Bookings(ctx, e.NewsletterID, newsletter.Date{Year: 1, Month: 1, Day: 1}, lastDate)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(b newsletter.Booking) bool { return b.ID == booking })
	if i < 0 {
		return nil, newsletter.NotFoundf("%s has no booking %d, or it was cancelled; \"broadsheet sponsor list %s\" shows those there are", e.Newsletter, booking, e.Newsletter)
	}
	b := list[i]
	switch {
	case slices.ContainsFunc(record.Sheet.Blocks, func(k newsletter.SheetBlock) bool { return k.ID == b.BlockID() }):
		return nil, newsletter.Refusef("placed", "the draft has booking %d already; \"broadsheet edition edit %d\" moves it", b.ID, id)
	case b.Text == "":
		return nil, newsletter.Refusef("no_message", "the message of the sponsor %s has not come; \"broadsheet sponsor copy %d --file\" has it in", b.Sponsor, b.ID)
	}
	record.Sheet = record.Sheet.Insert(b.Block(), b.Position)
	return d.saveDraft(ctx, record, "sponsor placed", fmt.Sprintf("%s (booking %d) at position %d", b.Sponsor, b.ID, b.Position))
}

// noEdition reports whether the schedule makes no edition that the booking is for.
func noEdition(n newsletter.Newsletter, b newsletter.Booking) (bool, error) {
	zone, err := n.Location()
	if err != nil || b.Cadence == newsletter.Immediate {
		return false, err
	}
	return !slices.ContainsFunc(n.Schedules, func(s newsletter.Schedule) bool {
		_, ok := s.On(b.Date, zone)
		return ok && b.For(s.Cadence)
	}), nil
}
