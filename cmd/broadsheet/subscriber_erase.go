package main

import (
	"context"
	"fmt"
	"strings"

	"broadsheet/internal/readers"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

func subscriberErase(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "erase EMAIL|NUMBER",
		Short: "Remove all that is held about a person",
		Long: `Removes a person for good: address, name, subscriptions with their history, sign-ups and
mails. What is still to be sent is withheld. It cannot be undone; "subscriber export" first
makes a copy for the person.

A keyed hash of the address stays, from which nobody can read the address: no import brings
the person back. They can sign up again themselves, as somebody new. What editions add up to
stays, without saying who it was. Backups made before still hold the person, until they are
rotated away, and databases that an upgrade or a restore has set aside until you remove them;
they are named. "broadsheet restore" erases again whom the journal names.

Of an address that no subscriber has, words that name it and notes about it go; a suppression
stays.

It asks on a terminal and needs --yes without one.`,
		Example: `  broadsheet subscriber erase vera@example.org
  broadsheet subscriber erase 42 --yes`,
		Args: exactArgs("EMAIL|NUMBER"),
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withReaders(cmd.Context(), func(s *services, r *readers.Service) error {
			return a.eraseSubscriber(cmd.Context(), s, r, args[0], yes)
		})
	}
	return cmd
}

func (a *app) eraseSubscriber(ctx context.Context, s *services, r *readers.Service, who string, yes bool) error {
	record, err := r.Record(ctx, who)
	if err != nil {
		return err
	}
	if record.Nobody() {
		return a.eraseAddress(ctx, s, r, record, yes)
	}
	sub := record.Subscriber
	question := fmt.Sprintf("Erase subscriber %d, %s, for good: %s, %s of their history, %s, %s?", sub.ID, sub.Email,
		counted(len(sub.Subscriptions), "subscription", "subscriptions"), counted(len(record.Events), "event", "events"), counted(len(record.SignUps), "sign-up", "sign-ups"),
		counted(len(record.Mails), "mail", "mails"))
	goOn, err := a.ask(ctx, yes, plain(question), fmt.Sprintf("erase subscriber %d", sub.ID))
	if err != nil {
		return err
	}
	if !goOn {
		a.say("Nothing was changed.")
		return nil
	}
	// By number: what was shown is what goes.
	gone, err := r.Erase(ctx, fmt.Sprint(sub.ID), s.origin(""))
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(viewErased(gone))
	}
	a.say("Erased subscriber %d: %s, %s, %s and %s.", gone.SubscriberID, counted(gone.Subscriptions, "subscription", "subscriptions"),
		counted(gone.Events, "event", "events"), counted(gone.SignUps, "sign-up", "sign-ups"), counted(gone.Mails, "mail", "mails"))
	if gone.Deliveries > 0 {
		a.say("%s in the ledger count on without saying whom; %d of them were still to be sent and are withheld.", counted(gone.Deliveries, "row", "rows"), gone.Withheld)
	}
	a.sayErased(gone, "the person")
	return nil
}

// eraseAddress removes what is held about an address that no subscriber has.
func (a *app) eraseAddress(ctx context.Context, s *services, r *readers.Service, record *readers.Record, yes bool) error {
	email := record.Subscriber.Email
	question := fmt.Sprintf("No subscriber has the address %s. Take it out of %s that name it, and empty the notes about it, for good?", email,
		counted(len(record.Mentions), "row", "rows"))
	goOn, err := a.ask(ctx, yes, plain(question), "erase "+email)
	if err != nil {
		return err
	}
	if !goOn {
		a.say("Nothing was changed.")
		return nil
	}
	gone, err := r.EraseAddress(ctx, email, s.origin(""))
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(viewErased(gone))
	}
	if gone.Mentions == 0 {
		a.say("No subscriber has the address %s, and no words name it.", email)
	} else {
		a.say("No subscriber has the address %s; it is taken out of %s that named it.", email, counted(gone.Mentions, "row", "rows"))
	}
	if words := standingWords(record.Standing); words != "" {
		a.say("It stays suppressed (a keyed hash, from which nobody can read it), so that nobody mails it: %s.", words)
	}
	a.sayErased(gone, "it")
	return nil
}

// sayErased says where there may still be traces.
func (a *app) sayErased(gone readers.Erased, what string) {
	if gone.Traces {
		a.say("The database's log could not be emptied, since others are reading; serve does it within the hour.")
	}
	a.say("Backups made before now still hold %s, until they are rotated away.", what)
	settings, err := a.settings()
	if err != nil {
		return
	}
	if old, err := store.SetAside(settings.DatabasePath); err == nil && len(old) > 0 {
		a.say("So do these, which nothing removes but you: %s", strings.Join(old, ", "))
	}
}

// erasedView is what erasing removed, in JSON.
type erasedView struct {
	Subscriber    int64 `json:"subscriber"`
	Subscriptions int   `json:"subscriptions"`
	Events        int   `json:"events"`
	SignUps       int   `json:"sign_ups"`
	Mails         int   `json:"mails"`
	Deliveries    int   `json:"deliveries"` // rows that stay without the person
	Withheld      int   `json:"withheld"`
	Mentions      int   `json:"mentions"` // rows that named an address that no subscriber has
	Traces        bool  `json:"traces_in_log"`
}

func viewErased(g readers.Erased) erasedView {
	return erasedView{
		Subscriber: g.SubscriberID, Subscriptions: g.Subscriptions, Events: g.Events, SignUps: g.SignUps, Mails: g.Mails,
		Deliveries: g.Deliveries, Withheld: g.Withheld, Mentions: g.Mentions, Traces: g.Traces,
	}
}
