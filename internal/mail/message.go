package mail

import (
	"errors"
	"fmt"
	"strings"
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

// ours are the fields that the package sets, in lower case, and those that nobody should.
const ours = " from to cc bcc sender reply-to date message-id subject mime-version content-type" +
	" content-transfer-encoding content-language auto-submitted precedence list-id list-unsubscribe" +
	" list-unsubscribe-post feedback-id return-path received dkim-signature user-agent x-mailer "

// maxSenderName is far more than anybody shows, and keeps the line within its limit however
// go-mail writes the name.
const maxSenderName = 300

// clean returns the message with its texts in the form that composing needs, or says which
// field is wrong.
func (m Message) clean() (Message, error) {
	m.Subject = cleanName(m.Subject)
	switch {
	case m.Subject == "":
		return m, newsletter.Invalidf("subject", "a mail needs a subject")
	case strings.TrimSpace(m.Text) == "":
		return m, newsletter.Invalidf("text", "a mail needs a text part")
	case !isToken(strings.ReplaceAll(m.Language, "-", "x")) && m.Language != "":
		return m, newsletter.Invalidf("language", "%q is not a language tag such as en or en-GB", m.Language)
	}
	for _, name := range []string{m.From.Name, m.ReplyTo.Name} {
		if len(name) > maxSenderName {
			return m, newsletter.Invalidf("from", "a sender's name has at most %d octets", maxSenderName)
		}
	}
	if err := checkField("Feedback-ID", m.FeedbackID); err != nil {
		return m, err
	}
	if m.List != nil {
		if !isListID(m.List.ID) {
			return m, newsletter.Invalidf("list_id", "%q is not a list id such as daily-news.example.org", m.List.ID)
		}
	}
	for _, h := range m.Headers {
		if !isToken(h.Name) || strings.Contains(ours, " "+strings.ToLower(h.Name)+" ") {
			return m, newsletter.Invalidf("headers", "%q cannot be a header field of its own", h.Name)
		}
		if err := checkField(h.Name, h.Value); err != nil {
			return m, err
		}
	}
	m.Text = unixLines(m.Text)
	if m.HTML != "" {
		m.HTML = unixLines(m.HTML)
	}
	return m, nil
}

// checkField makes sure that a value can stand in a field as it is: printable ASCII, and no
// word that would make a line too long.
func checkField(name, value string) error {
	word := 0
	for i := range len(value) {
		c := value[i]
		if c < ' ' || c >= 0x7f {
			return newsletter.Invalidf("headers", "the value of %s has characters other than printable ASCII", name)
		}
		if word++; c == ' ' {
			word = 0
		}
		if word > maxLine-2 {
			return newsletter.Invalidf("headers", "the value of %s is too long", name)
		}
	}
	return nil
}

// isToken reports whether s can name a header field: letters, digits and hyphens.
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; !('a' <= c && c <= 'z' || '0' <= s[i] && s[i] <= '9' || s[i] == '-') {
			return false
		}
	}
	return s != "" && len(s) <= 60
}

// isListID reports whether s is a dot-atom with at least one dot (RFC 2919 §2).
func isListID(s string) bool {
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" || strings.ContainsFunc(label, func(r rune) bool { return !isAtext(r) }) {
			return false
		}
	}
	return len(labels) > 1 && len(s) <= 255
}

// need is what a message needs of a reader.
type need struct {
	list, unsubscribe, manage bool
}

// add takes note of the places in a text.
func (n *need) add(text string) {
	n.unsubscribe = n.unsubscribe || strings.Contains(text, newsletter.PlaceUnsubscribe)
	n.manage = n.manage || strings.Contains(text, newsletter.PlaceManage)
}

func hasPlace(line string) bool {
	return strings.Contains(line, newsletter.PlaceUnsubscribe) || strings.Contains(line, newsletter.PlaceManage)
}

var (
	errNoDate   = errors.New("the date is missing")
	errNoID     = errors.New("the message id is not of the form name@domain")
	errNoUnsub  = errors.New("the unsubscribe link is missing or no http(s) address in ASCII")
	errNoManage = errors.New("the manage link is missing or no http(s) address in ASCII")
)

// check makes sure that the values can stand where they go. It runs for each message.
func (p *Personal) check(n need) error {
	err := checkEmail(p.To.Email)
	switch {
	case err != nil:
	case p.Date.IsZero():
		err = errNoDate
	case !isMessageID(p.MessageID):
		err = errNoID
	case (n.list || n.unsubscribe) && !isLink(p.UnsubscribeURL):
		err = errNoUnsub
	case n.manage && !isLink(p.ManageURL):
		err = errNoManage
	}
	if err != nil {
		return fmt.Errorf("message for %q: %w", p.To.Email, err)
	}
	return nil
}

func isMessageID(s string) bool {
	return len(s) <= 250 && strings.IndexByte(s, '@') > 0 && s[len(s)-1] != '@' && isVisible(s)
}

// isLink reports whether s can stand in angle brackets and in a text as a link.
func isLink(s string) bool {
	return len(s) <= 900 && (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && isVisible(s)
}

// isVisible reports whether s is printable ASCII without spaces and angle brackets.
func isVisible(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' {
			return false
		}
	}
	return true
}
