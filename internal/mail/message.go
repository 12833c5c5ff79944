package mail

import (
	"time"

	"broadsheet/internal/newsletter"
)

// Message is what all readers of one variant share, or what one transactional mail says.
//
// Text and HTML may contain newsletter.PlaceUnsubscribe and newsletter.PlaceManage; they are
// replaced by the reader's own links. HTML may be empty: then the mail has a text part only.
type Message struct {
	From    newsletter.Address
	ReplyTo newsletter.Address // zero: no Reply-To field
	Subject string
	Text    string
	HTML    string
	// Language is the BCP 47 tag for Content-Language; may be empty.
	Language string
	// List is nil for a transactional mail.
	List *List
	// FeedbackID is the value of the Feedback-ID field, "a:b:c:SenderId"; may be empty.
	FeedbackID string
	// Headers are more fields, in any order. A field that the package sets itself, or one
	// with anything but printable ASCII, is refused.
	Headers []Header
}

// List is the newsletter as a mailing list: it sets List-Id (RFC 2919), Precedence,
// List-Unsubscribe and List-Unsubscribe-Post (RFC 8058).
type List struct {
	Name string // for people: "Daily News"
	ID   string // for programs: "daily-news.news.example.org"
}

// Header is one header field, not encoded and not folded.
type Header struct {
	Name  string
	Value string
}

// Personal is what differs from reader to reader.
type Personal struct {
	To        newsletter.Address
	MessageID string // without angle brackets: "42.7@news.example.org"
	Date      time.Time
	// UnsubscribeURL is where one click leaves the list; needed for a list mail, and for a
	// message that contains PlaceUnsubscribe.
	UnsubscribeURL string
	// ManageURL is needed for a message that contains PlaceManage.
	ManageURL string
}
