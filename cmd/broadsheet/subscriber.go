package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

// withReaders opens the database, runs f, and closes it again.
func (a *app) withReaders(ctx context.Context, f func(*services, *readers.Service) error) error {
	return a.with(ctx, store.ExistingOnly, func(s *services) error {
		return f(s, s.newReaders(s.usableTemplates()))
	})
}

// origin says that a member of staff acts by a command.
func (s *services) origin(note string) newsletter.Origin {
	return newsletter.Origin{Channel: "staff", Actor: s.actor, Note: note}
}

func newSubscriberCommand(a *app) *cobra.Command {
	return newGroup("subscriber", "Readers and what they subscribe to",
		`A subscriber is a person's address; a subscription ties it to one newsletter. Readers sign
up and leave by themselves. These commands are for what staff do for them; each is kept in
the subscription's history.`, groupThings,
		subscriberList(a), subscriberShow(a), subscriberAdd(a), subscriberChoose(a), subscriberPause(a), subscriberResume(a), subscriberRemove(a), subscriberImport(a),
		subscriberExport(a), subscriberProof(a), subscriberErase(a))
}

func subscriberList(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [--newsletter SLUG] [--state STATE] [--email PREFIX]",
		Short: "Show subscribers",
		Long: `Shows subscribers in the order in which they came, 100 at a time unless --limit says
otherwise. A subscription is pending (to be confirmed), active, paused or left.`,
		Example: `  broadsheet subscriber list --newsletter daily-news --state active
  broadsheet subscriber list --email vera@
  broadsheet subscriber list --limit 0 --json > subscribers.json`,
		Args: cobra.NoArgs,
	}
	var f readers.Filter
	flags := cmd.Flags()
	flags.StringVarP(&f.Newsletter, "newsletter", "n", "", "only those of the newsletter with this slug")
	flags.StringVar(&f.State, "state", "", "only those with a subscription in this state")
	flags.StringVar(&f.EmailPrefix, "email", "", "only those whose address begins like this")
	limit := flags.Int("limit", 100, "at most so many; 0: all")
	after := flags.Int64("after", 0, "begin after the subscriber with this number")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *limit < 0 || *after < 0 {
			return usagef("--limit and --after are numbers from 0")
		}
		return a.withReaders(cmd.Context(), func(_ *services, r *readers.Service) error {
			return a.listSubscribers(cmd.Context(), r, f, *after, *limit)
		})
	}
	return cmd
}

func (a *app) listSubscribers(ctx context.Context, r *readers.Service, f readers.Filter, after int64, limit int) error {
	views := subscriberViewer{readers: r}
	array := jsonArray{w: a.stdout}
	var rows [][]string
	count := 0
	for limit == 0 || count < limit {
		size := readers.MaxPage
		if limit > 0 {
			size = min(size, limit-count)
		}
		page, err := r.Subscribers(ctx, f, after, size)
		if err != nil {
			return err
		}
		for _, s := range page {
			after = s.ID
			count++
			if !a.json {
				rows = append(rows, []string{strconv.FormatInt(s.ID, 10), s.Email, s.Name, subscriptionsOf(s), local(s.CreatedAt)})
				continue
			}
			v, err := views.view(ctx, s)
			if err != nil {
				return err
			}
			if err := array.add(v); err != nil {
				return err
			}
		}
		if len(page) < size {
			after = 0
			break
		}
	}
	switch {
	case a.json:
		return array.end()
	case count == 0:
		a.say("No subscribers.")
		return nil
	}
	a.printTable([]string{"SUBSCRIBER", "EMAIL", "NAME", "SUBSCRIPTIONS", "SINCE"}, rows)
	if after > 0 {
		a.say("There may be more: --after %d", after)
	}
	return nil
}

// subscriptionsOf returns a subscriber's subscriptions in a few words.
func subscriptionsOf(s newsletter.Subscriber) string {
	var parts []string
	for _, u := range s.Subscriptions {
		part := u.NewsletterSlug + " " + string(u.State)
		if u.State == newsletter.Active || u.State == newsletter.PausedSub {
			part = u.NewsletterSlug + " " + newsletter.SlotName(u.Cadence, u.Slot)
			if u.State == newsletter.PausedSub {
				part += " (paused)"
			}
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func subscriberShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show EMAIL|NUMBER",
		Short: "Show a subscriber with the history, the proof of consent",
		Long: `Shows a subscriber, the subscriptions, and all that happened to them, the oldest first:
when, from which page and address, and which words were shown. It says too whether the
address is suppressed, what became of a sign-up that is not confirmed, and what came back
of the last messages: bounces, complaints, automatic answers.`,
		Example: `  broadsheet subscriber show vera@example.org
  broadsheet subscriber show 42 --json`,
		Args: exactArgs("EMAIL|NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withReaders(cmd.Context(), func(_ *services, r *readers.Service) error {
				s, events, err := r.Subscriber(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				v, err := (&subscriberViewer{readers: r}).view(cmd.Context(), s)
				if err != nil {
					return err
				}
				standing, err := standingOf(cmd.Context(), r, s)
				if err != nil {
					return err
				}
				returns, err := r.Returns(cmd.Context(), s.ID)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(subscriberDetail{v, standing, viewEvents(events), viewReturns(returns)})
				}
				a.printSubscriber(v, standing.fields()...)
				a.printEvents(events)
				a.printReturns(returns)
				return nil
			})
		},
	}
}

func (a *app) printSubscriber(v subscriberView, more ...[2]string) {
	fields := [][2]string{
		{"subscriber", strconv.FormatInt(v.Subscriber, 10)}, {"email", v.Email}, {"name", v.Name},
		{"time zone", v.TimeZone}, {"since", local(*v.CreatedAt)},
	}
	for _, u := range v.Subscriptions {
		words := u.State
		switch {
		case u.LeftAt != nil:
			words += " " + local(*u.LeftAt)
		case u.JoinedAt != nil:
			words += " since " + local(*u.JoinedAt)
		}
		words += ", " + newsletter.SlotName(newsletter.Cadence(u.Cadence), u.Slot)
		if len(u.Sections) > 0 {
			words += ", only " + strings.Join(u.Sections, ", ")
		}
		fields = append(fields, [2]string{u.Newsletter, words})
	}
	a.printFields(append(fields, more...))
}

func (a *app) printEvents(events []newsletter.Event) {
	var rows [][]string
	for _, e := range events {
		var from []string
		for _, part := range []string{e.Page, e.Placement, e.IP, e.Actor, e.Note} {
			if part != "" {
				from = append(from, part)
			}
		}
		if e.WordsVersion != "" {
			from = append(from, "words "+e.WordsVersion)
		}
		if e.EditionID != 0 {
			from = append(from, "edition "+strconv.FormatInt(e.EditionID, 10))
		}
		rows = append(rows, []string{local(e.At), e.Newsletter, string(e.Kind), e.Channel, cut(strings.Join(from, ", "), 160)})
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(a.stdout)
	a.printTable([]string{"WHEN", "NEWSLETTER", "WHAT", "BY", "FROM"}, rows)
}

func subscriberAdd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add EMAIL --newsletter SLUG --consent WHERE",
		Short: "Subscribe somebody who agreed to it elsewhere",
		Long: `Subscribes somebody, active at once and without a confirmation mail. --consent says where
and when the person agreed; it is kept as the proof.

Whoever left, or must not be mailed, is refused with exit code 3: only the person can come
back, with the sign-up form.`,
		Example: `  broadsheet subscriber add vera@example.org --newsletter daily-news --consent "paper form, book fair 2026"
  broadsheet subscriber add vera@example.org --newsletter daily-news --name "Vera O." --section ai --consent "by telephone, 23 November"`,
		Args: exactArgs("EMAIL"),
	}
	var add readers.Added
	flags := cmd.Flags()
	flags.StringSliceVarP(&add.Newsletters, "newsletter", "n", nil, "slug of the newsletter; may be repeated")
	consent := flags.String("consent", "", "where the person agreed to get it")
	flags.StringVar(&add.Name, "name", "", "the person's name")
	flags.StringVar(&add.Cadence, "cadence", "", "daily, weekly or immediate (default: the first that the newsletter offers)")
	flags.StringVar(&add.Slot, "slot", "", "which slot of the cadence (default: the first)")
	flags.StringSliceVar(&add.Sections, "section", nil, "slug of a section; may be repeated (default: everything)")
	flags.StringVar(&add.TimeZone, "time-zone", "", "the person's time zone, such as Europe/London")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		add.Email = args[0]
		return a.withReaders(cmd.Context(), func(s *services, r *readers.Service) error {
			sub, err := r.Add(cmd.Context(), add, s.origin(*consent))
			if err != nil {
				return err
			}
			return a.sayChanged(cmd.Context(), r, sub, "Added")
		})
	}
	return cmd
}

// sayChanged shows a subscriber whom a command changed.
func (a *app) sayChanged(ctx context.Context, r *readers.Service, sub newsletter.Subscriber, word string) error {
	if a.json {
		v, err := (&subscriberViewer{readers: r}).view(ctx, sub)
		if err != nil {
			return err
		}
		return a.printJSON(v)
	}
	a.say("%s subscriber %d, %s: %s.", word, sub.ID, sub.Email, subscriptionsOf(sub))
	return nil
}

func subscriberRemove(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove EMAIL|NUMBER [--newsletter SLUG]",
		Short: "End a subscription, or all of a person's",
		Long: `Ends the subscription to one newsletter, or without --newsletter all of them, at once. The
address stays on record with its history, so that no import brings the person back. It can
be repeated.`,
		Example: `  broadsheet subscriber remove vera@example.org
  broadsheet subscriber remove vera@example.org --newsletter daily-news --note "asked by letter"`,
		Args: exactArgs("EMAIL|NUMBER"),
	}
	slug := newsletterFlag(cmd)
	note := cmd.Flags().String("note", "", "why, for the history")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withReaders(cmd.Context(), func(s *services, r *readers.Service) error {
			sub, err := r.Remove(cmd.Context(), args[0], *slug, s.origin(*note))
			if err != nil {
				return err
			}
			return a.sayChanged(cmd.Context(), r, sub, "Removed")
		})
	}
	return cmd
}
