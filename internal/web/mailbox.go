package web

import "time"

// Mailbox is a place where mails end instead of at readers: the outbox folder, or the
// mailbox server of the demo.
type Mailbox interface {
	// List returns at most limit mails, newest first.
	List(limit int) ([]MailboxEntry, error)
	// Open returns one mail by its entry's name, and a NotFound error if there is none.
	Open(name string) (MailboxMail, error)
}

// MailboxEntry is one mail in the list. All texts are decoded.
type MailboxEntry struct {
	Name    string // names the mail in addresses; need not be anything a person understands
	From    string
	To      string
	Subject string
	Date    time.Time
	Problem string // what is wrong with the mail; empty: nothing
}

// MailboxMail is one mail, decoded.
type MailboxMail struct {
	MailboxEntry
	Headers        []MailboxHeader // in the order of the message
	Text           string
	HTML           string
	Raw            []byte
	UnsubscribeURL string // from List-Unsubscribe
	OneClick       bool   // List-Unsubscribe-Post allows RFC 8058
}

// MailboxHeader is one header field, decoded and unfolded.
type MailboxHeader struct {
	Name  string
	Value string
}
