package digest

import (
	"errors"

	"broadsheet/internal/newsletter"
)

// ConfirmMail is what the mail that asks to confirm a sign-up says. The address is the only
// thing in it that the person at the form typed (S29).
type ConfirmMail struct {
	Wanted        []Wanted // what was asked for, at least one
	Address       string   // that the form was filled in with
	ConfirmURL    string   // http(s), absolute
	ValidDays     int      // how long the link works
	Language      string   // BCP 47
	Sender        string   // who writes: the publisher's or the newsletter's name
	PostalAddress string   // may be empty
	PrivacyURL    string   // may be empty
}

// Wanted is one newsletter that somebody asked for.
type Wanted struct {
	Name    string
	Cadence newsletter.Cadence // may be empty
}

// AlreadyMail is what somebody is told who signs up for what they get already.
type AlreadyMail struct {
	Wanted        []Wanted
	Address       string
	ManageURL     string // http(s), absolute
	Language      string
	Sender        string
	PostalAddress string
	PrivacyURL    string
}

// RenderConfirm renders the mail that asks to confirm a sign-up.
func RenderConfirm(t Templates, data ConfirmMail) (subject, html, text string, err error) {
	return "", "", "", errors.New("not written yet")
}

// RenderAlready renders the mail that says "you already get this, change it here".
func RenderAlready(t Templates, data AlreadyMail) (subject, html, text string, err error) {
	return "", "", "", errors.New("not written yet")
}
