package main

import (
	"strings"

	"broadsheet/internal/mail"
	"broadsheet/internal/web"
)

// folder shows a folder of stored mails as the web's mailbox.
type folder string

// outbox returns the mailbox of the outbox folder, nil if mail goes to a relay.
func (s *Settings) outbox() web.Mailbox {
	dir, ok := strings.CutPrefix(s.SMTPURL, "outbox:")
	if !ok {
		return nil
	}
	return folder(dir)
}

// List returns the newest mails of the folder.
func (f folder) List(limit int) ([]web.MailboxEntry, error) {
	stored, err := mail.ReadFolder(string(f), limit)
	entries := make([]web.MailboxEntry, 0, len(stored))
	for _, s := range stored {
		entries = append(entries, entryOf(s))
	}
	return entries, err
}

// Open returns one mail of the folder.
func (f folder) Open(name string) (web.MailboxMail, error) {
	stored, err := mail.ReadStored(string(f), name)
	if err != nil {
		return web.MailboxMail{}, err
	}
	m := web.MailboxMail{
		MailboxEntry: entryOf(stored.Entry), Text: stored.Text, HTML: stored.HTML, Raw: stored.Raw,
		UnsubscribeURL: stored.UnsubscribeURL, OneClick: stored.OneClick,
	}
	for _, h := range stored.Headers {
		m.Headers = append(m.Headers, web.MailboxHeader{Name: h.Name, Value: h.Value})
	}
	return m, nil
}

func entryOf(e mail.Entry) web.MailboxEntry {
	return web.MailboxEntry{Name: e.Name, From: e.From, To: e.To, Subject: e.Subject, Date: e.Date, Problem: e.Problem}
}
