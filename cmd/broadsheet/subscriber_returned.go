package main

import (
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// returnView is what came back of a message, in JSON as in the API.
type returnView struct {
	Return     int64      `json:"return"`
	At         *time.Time `json:"at"`
	Kind       string     `json:"kind"`
	Edition    int64      `json:"edition,omitempty"`
	Mail       int64      `json:"mail,omitempty"` // a confirmation mail
	Status     string     `json:"status"`
	Code       int        `json:"code"`
	Reason     string     `json:"reason"`
	Diagnostic string     `json:"diagnostic"`
	Address    string     `json:"address,omitempty"` // that the report names, if it is another one
	Channel    string     `json:"channel"`
	Effect     string     `json:"effect"`
}

func viewReturns(list []newsletter.Return) []returnView {
	views := []returnView{}
	for _, r := range list {
		views = append(views, returnView{
			Return: r.ID, At: utc(r.At), Kind: string(r.Kind), Edition: r.EditionID, Mail: r.MailID, Status: r.Status, Code: r.Code,
			Reason: r.Reason, Diagnostic: r.Diagnostic, Address: r.Address, Channel: r.Channel, Effect: r.Effect,
		})
	}
	return views
}

// printReturns prints what came back of messages to a subscriber, if anything did.
func (a *app) printReturns(list []newsletter.Return) {
	var rows [][]string
	for _, r := range list {
		of := fmt.Sprintf("edition %d", r.EditionID)
		if r.MailID != 0 {
			of = fmt.Sprintf("mail %d", r.MailID)
		}
		said := strings.TrimSpace(strings.Join([]string{r.Status, r.Reason}, " "))
		if r.Address != "" {
			said += " (" + r.Address + ")"
		}
		rows = append(rows, []string{local(r.At), of, string(r.Kind), cut(said, 60), r.Channel, cut(r.Effect, 80)})
	}
	a.printSection([]string{"CAME BACK", "OF", "KIND", "WHY", "BY", "EFFECT"}, rows)
}
