// Package digest renders editions: from a snapshot of everything that goes into an edition
// and the articles that a group of readers sees, to the subject and both parts of their mail.
//
// It is pure: no I/O, no clock, no chance. The same input gives the same bytes, so that a
// frozen edition can be rendered again, previewed and archived as it was sent.
package digest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// Version is the version of this package's part of the bytes. It goes up whenever the same
// snapshot would render differently.
const Version = "3"

// Snapshot is everything that goes into an edition's bytes. New makes one that is valid and
// free of what could be taken for a personal place.
type Snapshot struct {
	Composer      string             `json:"composer"` // version of the composing code
	Newsletter    NewsletterInfo     `json:"newsletter"`
	BaseURL       string             `json:"base_url"` // without a slash at its end
	Date          string             `json:"date"`     // local date of the edition: 2026-11-20
	Cadence       newsletter.Cadence `json:"cadence"`
	Subject       string             `json:"subject"`             // the editors' own words; empty: from the template
	Preheader     string             `json:"preheader,omitempty"` // the same
	About         []int64            `json:"about,omitempty"`     // see Words.About
	Intro         string             `json:"intro"`               // the editors' own words, Markdown
	Sections      []Section          `json:"sections"`
	Blocks        []Block            `json:"blocks"`
	TemplatesHash string             `json:"templates_hash"`
	ViewSecret    string             `json:"view_secret,omitempty"` // see ViewKey; empty: mails have no link to themselves
	Templates     Templates          `json:"-"`                     // stored apart, by their hash
}

// NewsletterInfo is what an edition needs to know of its newsletter.
type NewsletterInfo struct {
	Slug          string      `json:"slug"`
	Name          string      `json:"name"`
	From          AddressInfo `json:"from"`
	ReplyTo       AddressInfo `json:"reply_to"`
	PostalAddress string      `json:"postal_address"`
	Language      string      `json:"language"` // BCP 47
	Zone          string      `json:"zone"`
	PrivacyURL    string      `json:"privacy_url"`
	LegalFooter   string      `json:"legal_footer"`
	LinkParams    string      `json:"link_params"`
	MinArticles   int         `json:"min_articles"`
	MaxArticles   int         `json:"max_articles"`
	// What becomes of an article that a reader had by another cadence or newsletter.
	Repeats newsletter.Repeats `json:"repeats,omitempty"`
	// How its mails look. A snapshot without a design was frozen by a build that had one only:
	// it is rendered by the templates it brings, with its intro as plain lines.
	Design      newsletter.Design   `json:"design,omitempty"`
	BrandColour string              `json:"brand_colour,omitempty"` // "#9b1c1f"; empty: ours
	LogoURL     string              `json:"logo_url,omitempty"`
	Typeface    newsletter.Typeface `json:"typeface,omitempty"`
	SiteURL     string              `json:"site_url,omitempty"` // where there is more to read
}

// AddressInfo is a mailbox with its display name, both as text.
type AddressInfo struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Address returns the mailbox as the domain has it.
func (a AddressInfo) Address() newsletter.Address {
	return newsletter.Address{Name: a.Name, Email: a.Email}
}

// Section is a section of the newsletter, in the order of the mail.
type Section struct {
	Bit  int    `json:"bit"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// The kinds of blocks.
const (
	KindArticle    = "article"
	KindHeadline   = "headline"   // an article that readers can get as a link only
	KindOwed       = "owed"       // an article that some are owed and nobody gets yet: it is only counted
	KindNote       = "note"       // from the editors, for all readers
	KindSponsor    = "sponsor"    // a sponsor's message, always labelled, for all readers
	KindCorrection = "correction" // of an article, for those who had it
)

// Block is one thing in an edition. Blocks stand in the order in which they are read; articles first.
type Block struct {
	Kind      string          `json:"kind"`
	ID        string          `json:"id,omitempty"` // of a note or sponsor: "n1", "s1"
	Article   int64           `json:"article"`      // 0 for notes and sponsors
	URL       string          `json:"url"`          // with the newsletter's link parameters, except a sponsor's
	Headline  string          `json:"headline"`     // may be empty for notes and sponsors
	Summary   string          `json:"summary"`
	Text      string          `json:"text,omitempty"`    // of a note, a sponsor or a correction: Markdown
	Sponsor   string          `json:"sponsor,omitempty"` // who paid
	Author    string          `json:"author"`
	Label     string          `json:"label"`
	ImageURL  string          `json:"image_url"`
	ImageAlt  string          `json:"image_alt"`
	Published time.Time       `json:"published,omitzero"` // UTC
	Sections  newsletter.Mask `json:"sections"`
	Rank      int             `json:"rank,omitempty"` // of an article: its place in the order of choosing
	// Position is where a note or sponsor stands among the stories of a copy: 1 before the first,
	// 2 after the lead, and so on; past the end it stands at the end.
	Position int `json:"position,omitempty"`
	// Related are older stories that nobody was given, as links under an article.
	Related []Related `json:"related,omitempty"`
}

// Related is a link to an older story.
type Related struct {
	Article  int64  `json:"article"`
	Headline string `json:"headline"`
	URL      string `json:"url"` // with the newsletter's link parameters
}

// Words are the editors' own words for one edition.
type Words struct {
	Subject   string // empty: from the template
	Preheader string // empty: from the template
	Intro     string // Markdown; empty: none
	// About are the articles that subject and preheader speak of. A copy that lacks one of them
	// gets the template's words instead, so that no subject names a story that the reader does
	// not have. nil: the first article of the edition; empty: none, so all copies have them.
	About []int64
}

// Articles returns the ids of the articles that readers can get in full, in the order of the
// edition.
func (s Snapshot) Articles() []int64 {
	var ids []int64
	for _, b := range s.Blocks {
		if b.Kind == KindArticle {
			ids = append(ids, b.Article)
		}
	}
	return ids
}

// RelatedStories returns the ids of the stories that stand under articles as related, in order.
func (s Snapshot) RelatedStories() []int64 {
	var ids []int64
	for _, b := range s.Blocks {
		for _, r := range b.Related {
			ids = append(ids, r.Article)
		}
	}
	slices.Sort(ids)
	return ids
}

// Hash is the SHA-256 of everything in the snapshot, the templates included: any changed
// byte changes it.
func (s Snapshot) Hash() string {
	data, err := json.Marshal(s)
	if err != nil { // not reached: a snapshot has no type that cannot be encoded, but for a year past 9999
		data = fmt.Appendf(nil, "%#v", s)
	}
	sum := sha256.Sum256(append(data, s.Templates.Hash()...))
	return hex.EncodeToString(sum[:])
}

// ViewKey names a copy in the link by which its readers see it in a browser. Nobody who does not
// have the mail can tell it, so nobody can try which copies there are. It is empty if the
// snapshot has no secret.
func (s Snapshot) ViewKey(c newsletter.Copy) string {
	if s.ViewSecret == "" {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(s.ViewSecret))
	mac.Write([]byte(c.Key()))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// Encode returns the snapshot as JSON without the templates, always the same bytes for the
// same snapshot.
func (s Snapshot) Encode() ([]byte, error) {
	if s.TemplatesHash != s.Templates.Hash() {
		return nil, fmt.Errorf("encode snapshot: the templates are not those of its hash %.12s", s.TemplatesHash)
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	return data, nil
}

// Decode reads what Encode wrote. It is an error if the templates are not those that the
// snapshot was made with.
func Decode(data []byte, t Templates) (Snapshot, error) {
	var s Snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return Snapshot{}, fmt.Errorf("decode snapshot: %w", err)
	}
	if h := t.Hash(); h != s.TemplatesHash {
		return Snapshot{}, fmt.Errorf("decode snapshot: templates %.12s given, made with %.12s", h, s.TemplatesHash)
	}
	s.Templates = t
	return s, nil
}
