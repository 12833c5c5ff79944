package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// SponsorStore keeps bookings of sponsors, and reads the record.
type SponsorStore interface {
	Bookings(ctx context.Context, newsletterID int64, from, to newsletter.Date) ([]newsletter.Booking, error)
	BookSponsor(ctx context.Context, b newsletter.Booking, force bool, actor string, now time.Time) (int64, error)
	ChangeBooking(ctx context.Context, id int64, action, actor string, now time.Time, change func(*newsletter.Booking)) (newsletter.Booking, error)
	EditionLog(ctx context.Context, id int64) ([]newsletter.LogEntry, error)
}

// PlaceSponsor puts a sponsor's message into a draft, at a position among the stories.
func (d *Desk) PlaceSponsor(ctx context.Context, id int64, b newsletter.SheetBlock, position int) (*Draft, error) {
	record, err := d.o.Press.Store.DraftRecord(ctx, id)
	if err != nil {
		return nil, err
	}
	b.Kind, b.ID = newsletter.SheetSponsor, record.Sheet.FreeID("s")
	if err := checkSponsor(b, position); err != nil {
		return nil, err
	}
	record.Sheet = record.Sheet.Insert(b, position)
	return d.saveDraft(ctx, record, "sponsor placed", fmt.Sprintf("%s at position %d", b.Sponsor, position))
}

// checkSponsor returns what is wrong with a sponsor's message.
func checkSponsor(b newsletter.SheetBlock, position int) error {
	if position < newsletter.MinSponsorPosition {
		return newsletter.Invalidf("position", "it is %d or more: advertising does not stand before the lead", newsletter.MinSponsorPosition)
	}
	if position > 100 {
		return newsletter.Invalidf("position", "it is at most 100")
	}
	return digest.CheckBlock(digest.KindSponsor, sheetBlock(b, position))
}

// BookSponsor books a sponsor's message for the newsletter's editions of a date; its text may come
// later. It is a Conflict with the reason clash if the place is taken, unless force is given.
func (d *Desk) BookSponsor(ctx context.Context, slug string, b newsletter.Booking, force bool) (newsletter.Booking, error) {
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return b, err
	}
	if b.Cadence != "" && !n.Offers(b.Cadence) {
		return b, newsletter.Invalidf("cadence", "%s has no %s edition; it has: %s", n.Slug, b.Cadence, joinCadences(n.Cadences()))
	}
	zone, err := n.Location()
	if err != nil {
		return b, err
	}
	today := newsletter.DateOf(d.now().In(zone))
	if b.Date.String() < today.String() {
		return b, newsletter.Invalidf("date", "%s is past", b.Date)
	}
	b.NewsletterID, b.Newsletter = n.ID, n.Slug
	if b.Sponsor = strings.TrimSpace(b.Sponsor); b.Sponsor == "" {
		return b, newsletter.Invalidf("sponsor", "say who pays; the law wants advertising to say so")
	}
	check := b.Block()
	if check.Text == "" { // it is still to come
		check.Text = "…"
	}
	if err := checkSponsor(check, b.Position); err != nil {
		return b, err
	}
	b.ChangedBy, b.ChangedAt = d.o.Actor, d.now()
	if b.NoEdition, err = noEdition(n, b); err != nil {
		return b, err
	}
	b.ID, err = d.o.Press.Store.BookSponsor(ctx, b, force, d.o.Actor, d.now())
	return b, err
}

// lastDate is after all that can be booked.
var lastDate = newsletter.Date{Year: 9999, Month: 12, Day: 31} //nolint:gochecknoglobals // a constant

// Bookings returns what is booked from a date on, today if it is zero, of one newsletter or, with an
// empty slug, all.
func (d *Desk) Bookings(ctx context.Context, slug string, from newsletter.Date) ([]newsletter.Booking, error) {
	var id int64
	if slug != "" {
		n, err := d.Newsletter(ctx, slug)
		if err != nil {
			return nil, err
		}
		id = n.ID
	}
	if from == (newsletter.Date{}) {
		from = newsletter.DateOf(d.now()).AddDays(-1) // it may be today still somewhere
	}
	list, err := d.o.Press.Store.Bookings(ctx, id, from, lastDate)
	if err != nil {
		return nil, err
	}
	known := map[string]newsletter.Newsletter{}
	for i, b := range list {
		n, ok := known[b.Newsletter]
		if !ok {
			if n, err = d.Newsletter(ctx, b.Newsletter); err != nil {
				return nil, err
			}
			known[b.Newsletter] = n
		}
		if list[i].NoEdition, err = noEdition(n, b); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// SetSponsorCopy gives a booking its message. Editions that are frozen already do not change.
func (d *Desk) SetSponsorCopy(ctx context.Context, id int64, b newsletter.SheetBlock) (newsletter.Booking, error) {
	check := b
	check.ID, check.Sponsor = "b1", "…"
	if err := checkSponsor(check, newsletter.MinSponsorPosition); err != nil {
		return newsletter.Booking{}, err
	}
	return d.o.Press.Store.ChangeBooking(ctx, id, "sponsor copy set", d.o.Actor, d.now(), func(k *newsletter.Booking) {
		k.Text, k.URL, k.ImageURL, k.ImageAlt = b.Text, b.URL, b.ImageURL, b.ImageAlt
	})
}

// CancelBooking ends a booking. Drafts that have it already keep it.
func (d *Desk) CancelBooking(ctx context.Context, id int64) (newsletter.Booking, error) {
	now := d.now()
	return d.o.Press.Store.ChangeBooking(ctx, id, "sponsor cancelled", d.o.Actor, now, func(k *newsletter.Booking) { k.CancelledAt = now })
}

// booked returns what is booked for the edition and can be mailed; of the rest it warns. An edition
// does not wait for a sponsor.
func (d *Desk) booked(ctx context.Context, draft *Draft) ([]newsletter.Booking, error) {
	e := draft.Edition
	list, err := d.o.Press.Store.Bookings(ctx, draft.Newsletter.ID, e.Date, e.Date)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	enters, err := d.enters(ctx, draft)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(b newsletter.Booking) bool {
		if !b.For(e.Cadence) {
			return true
		}
		if why := enters(b); why != "" {
			draft.warn("%s, who has booked %s (booking %d), is not in this extra edition: %s; \"broadsheet edition sponsor ID --booking %[3]d\" puts it into a draft", b.Sponsor, b.Date, b.ID, why)
			return true
		}
		err := digest.CheckBlock(digest.KindSponsor, sheetBlock(b.Block(), b.Position))
		switch {
		case b.Text == "":
			draft.warn("the message of the sponsor %s has not come, and the edition goes without it; \"broadsheet sponsor copy %d --file\" has it in", b.Sponsor, b.ID)
		case err != nil:
			draft.warn("the message of the sponsor %s (booking %d) cannot be mailed, and the edition goes without it: %v", b.Sponsor, b.ID, err)
		}
		return err != nil
	}), nil
}

// addBooked adds to what a snapshot is taken of what is booked for it.
func (d *Desk) addBooked(ctx context.Context, in *digest.Input, draft *Draft) error {
	list, err := d.booked(ctx, draft)
	for _, b := range list {
		in.Sponsors = append(in.Sponsors, sheetBlock(b.Block(), b.Position))
	}
	return err
}

// placeBooked puts into a sheet what is booked for its edition and was changed after a time. It
// returns how many blocks are new.
func (d *Desk) placeBooked(ctx context.Context, s *newsletter.Sheet, draft *Draft, after time.Time) (int, error) {
	list, err := d.booked(ctx, draft)
	placed := 0
	for _, b := range list {
		i := slices.IndexFunc(s.Blocks, func(k newsletter.SheetBlock) bool { return k.ID == b.BlockID() })
		switch {
		case !b.ChangedAt.After(after):
		case i >= 0:
			s.Blocks = slices.Clone(s.Blocks)
			s.Blocks[i] = b.Block()
			placed++
		default:
			*s = s.Insert(b.Block(), b.Position)
			placed++
		}
	}
	return placed, err
}

// nextFor is when the next edition is built that a booking is for; noon where the schedule makes
// none on its date, and the last one where all have passed.
func nextFor(n newsletter.Newsletter, b newsletter.Booking, zone *time.Location, now time.Time) time.Time {
	var due time.Time
	for _, s := range n.Schedules {
		slot, ok := s.On(b.Date, zone)
		if ok && b.For(s.Cadence) && (due.IsZero() || due.Before(now) || slot.At.Before(due) && !slot.At.Before(now)) {
			due = slot.At
		}
	}
	if due.IsZero() {
		return newsletter.Resolve(b.Date, 12, 0, zone)
	}
	return due
}

// judgeSponsors tells of bookings whose message has not come a day before.
func (d *Desk) judgeSponsors(ctx context.Context, s *Status, n newsletter.Newsletter) error {
	zone, err := n.Location()
	if err != nil {
		return err
	}
	today := newsletter.DateOf(d.now().In(zone))
	list, err := d.o.Press.Store.Bookings(ctx, n.ID, today, today.AddDays(1))
	for _, b := range list {
		due := nextFor(n, b, zone, d.now())
		if b.Text != "" || due.Sub(d.now()) > 24*time.Hour || due.Before(d.now()) {
			continue
		}
		s.problem(newsletter.Alarm{
			Kind: newsletter.AlarmSponsor, Subject: fmt.Sprintf("booking/%d", b.ID),
			What: fmt.Sprintf("the message of the sponsor %s for %s of %s has not come", b.Sponsor, n.Slug, b.Date),
			Do:   fmt.Sprintf(`"broadsheet sponsor copy %d --file ad.md", or the edition goes without it`, b.ID),
		})
	}
	return err
}
