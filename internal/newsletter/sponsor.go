package newsletter

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Booking is a sponsor's message that is booked ahead for a newsletter's editions of a date.
type Booking struct {
	ID           int64
	NewsletterID int64
	Newsletter   string  // slug
	Cadence      Cadence // empty: every edition of the date
	Date         Date
	Position     int // among the stories: 2 is after the lead
	Sponsor      string
	Text         string // Markdown; empty: it is still to come
	URL          string
	ImageURL     string
	ImageAlt     string
	CancelledAt  time.Time // zero: it stands
	ChangedBy    string
	ChangedAt    time.Time
	Editions     []int64 // that have it, frozen or sent; not those that were cancelled or expired
	NoEdition    bool    // the schedule makes no edition that it is for: only one by hand has it
}

// MinSponsorPosition is the first place that advertising can have: it never stands before the lead.
const MinSponsorPosition = 2

// BlockID is the name of the booking's block in an edition.
func (b Booking) BlockID() string { return fmt.Sprintf("b%d", b.ID) }

// BookingOf returns the number of the booking that a block of an edition is, if it is one.
func BookingOf(blockID string) (id int64, ok bool) {
	number, ok := strings.CutPrefix(blockID, "b")
	id, err := strconv.ParseInt(number, 10, 64)
	return id, ok && err == nil
}

// For reports whether the booking enters editions of the cadence. One for any cadence does not
// enter immediate editions, of which a day has many.
func (b Booking) For(c Cadence) bool { return b.Cadence == "" && c != Immediate || b.Cadence == c }

// Clashes reports whether both bookings want the same place of the same edition.
func (b Booking) Clashes(o Booking) bool {
	return b.ID != o.ID && b.NewsletterID == o.NewsletterID && b.Date == o.Date && b.Position == o.Position &&
		(b.Cadence == "" || o.Cadence == "" || b.Cadence == o.Cadence)
}

// Block returns the booking as a block of a sheet.
func (b Booking) Block() SheetBlock {
	return SheetBlock{
		Kind: SheetSponsor, ID: b.BlockID(), Text: b.Text, Sponsor: b.Sponsor, URL: b.URL, ImageURL: b.ImageURL, ImageAlt: b.ImageAlt,
	}
}

// LogEntry is one thing that was done to an edition.
type LogEntry struct {
	At     time.Time
	Actor  string // who, and from where: "cli:ada", "api:crm", "schedule"
	Action string
	Detail string
}
