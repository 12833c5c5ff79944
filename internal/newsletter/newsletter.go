package newsletter

import (
	"regexp"
	"strings"
	"time"
)

// Address is a mailbox with its display name, both as text: encoding is for package mail.
type Address struct {
	Name  string
	Email string
}

// Domain returns the part of the e-mail address after the last @.
func (a Address) Domain() string {
	return a.Email[strings.LastIndexByte(a.Email, '@')+1:]
}

// String returns `Name <email>`, or the bare address, for people; not for a mail header.
func (a Address) String() string {
	if a.Name == "" {
		return a.Email
	}
	return a.Name + " <" + a.Email + ">"
}

// Status is whether a newsletter runs.
type Status string

// The statuses of a newsletter.
const (
	Open   Status = "open"
	Paused Status = "paused" // no slot is built; readers can still sign up and leave
	Closed Status = "closed" // nobody can sign up and nothing is sent
)

// Newsletter is a titled publication that readers subscribe to.
type Newsletter struct {
	ID            int64
	Slug          string // in addresses and on the command line, for ever
	Name          string
	Description   string // one sentence for the sign-up page
	From          Address
	ReplyTo       Address // zero: replies go to From
	PostalAddress string
	Language      string // BCP 47
	Zone          string // IANA, the zone of its schedules
	PrivacyURL    string
	LegalFooter   string
	LinkParams    string // a query string added to article links: "utm_source=newsletter"
	SiteURL       string // where there is more to read; empty: the newsletter's own page
	Design        Design
	BrandColour   string // as CheckBrandColour takes it; empty: DefaultBrandColour
	LogoURL       string // empty: the name in letters
	Typeface      Typeface
	MinArticles   int // a reader who is owed fewer waits for more
	MaxArticles   int // more are left for the next edition
	Repeats       Repeats
	Welcome       bool // who has confirmed gets a mail of welcome at once
	Related       int  // so many related stories stand under an article at most, 0 to MaxRelated
	Status        Status
	Approval      ApprovalRule
	Immediate     ImmediateRule // of its cadence immediate, if it offers that
	Canary        Canary
	Archive       ArchiveRule
	Origins       []string // the sites whose pages may have its form, as CheckOrigin returns them
	Schedules     []Schedule
	CreatedAt     time.Time
}

// Contact returns where people who read the newsletter's mail write to.
func (n Newsletter) Contact() string {
	if n.ReplyTo.Email != "" {
		return n.ReplyTo.Email
	}
	return n.From.Email
}

// Location loads the newsletter's time zone.
func (n Newsletter) Location() (*time.Location, error) {
	loc, err := time.LoadLocation(n.Zone)
	if err != nil {
		return nil, Invalidf("zone", "%q is not a time zone; write it as Europe/London or America/New_York", n.Zone)
	}
	return loc, nil
}

// Cadences returns the cadences that the newsletter offers, in the order of the schedules.
func (n Newsletter) Cadences() []Cadence {
	var list []Cadence
	for _, s := range n.Schedules {
		if len(list) == 0 || list[len(list)-1] != s.Cadence {
			list = append(list, s.Cadence)
		}
	}
	return list
}

// Offers reports whether readers can choose the cadence.
func (n Newsletter) Offers(c Cadence) bool {
	for _, s := range n.Schedules {
		if s.Cadence == c {
			return true
		}
	}
	return false
}

// Cadence is how often a reader gets a newsletter.
type Cadence string

// The cadences.
const (
	Daily     Cadence = "daily"
	Weekly    Cadence = "weekly"
	Immediate Cadence = "immediate" // each story as it comes; see ImmediateRule
)

// ParseCadence returns the cadence of that name.
func ParseCadence(s string) (Cadence, error) {
	switch c := Cadence(s); c {
	case Daily, Weekly, Immediate:
		return c, nil
	}
	return "", Invalidf("cadence", "%q is not a cadence; use daily, weekly or immediate", s)
}

// Schedule says when a cadence's slot is due.
type Schedule struct {
	Cadence Cadence
	Slot    string    // MainSlot, and the names of others that readers can choose instead
	Rule    Rule      // zero: only sent by hand
	SetAt   time.Time // no slot at or before it is due: a new rule does not reach back
}

var slugPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// CheckSlug returns an Invalid error unless s can name a newsletter: lower-case letters,
// digits and single hyphens, at most 60.
func CheckSlug(s string) error {
	if len(s) > 60 || !slugPattern.MatchString(s) {
		return Invalidf("newsletter", "%q cannot name a newsletter; use lower-case letters, digits and hyphens, such as daily-news", s)
	}
	return nil
}

// The numbers of articles that an edition can be told to have.
const (
	DefaultMinArticles = 1
	DefaultMaxArticles = 12
	LimitArticles      = 50
)
