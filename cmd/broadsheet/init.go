package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"broadsheet/internal/desk"
	"broadsheet/internal/feed"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

func newInitCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "init FEED-URL",
		Short:   "Begin: make a newsletter from a feed",
		GroupID: groupStart,
		Long: `Reads the feed, proposes slug, name, language and time zone from it, makes the newsletter
and its source (and the database if there is none), shows the real articles, and sends one
test mail if an address is given.

On a terminal it asks, with the proposals as answers. Otherwise, and with --yes, it takes
the proposals and the flags; --from and --postal-address have no proposal. A feed that
cannot be read, or a value that is wrong, leaves everything as it was.`,
		Example: `  broadsheet init https://news.example.org/feed
  broadsheet init https://news.example.org/feed --yes --from "Example News <news@example.org>" \
    --postal-address "1 High Street, London" --daily "mon-fri 07:00" --test me@example.org`,
		Args: exactArgs("FEED-URL"),
	}
	newsletterFlags(cmd)
	slug := cmd.Flags().String("slug", "", "the newsletter's name in addresses, such as daily-news (default: from the feed)")
	test := cmd.Flags().String("test", "", "send one test mail to this address")
	yes := cmd.Flags().BoolP("yes", "y", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		i := &initialisation{app: a, address: args[0], slug: *slug, edit: editOf(cmd), test: *test}
		if a.interactive() && !*yes {
			i.answers = a.answers(cmd.Context())
		}
		return i.run(cmd.Context())
	}
	return cmd
}

// initialisation is one run of init.
type initialisation struct {
	*app
	address string
	slug    string
	edit    desk.NewsletterEdit
	test    string
	answers *bufio.Reader // nil: nobody can be asked
}

func (i *initialisation) run(ctx context.Context) error {
	settings, err := i.settings()
	if err != nil {
		return err
	}
	if i.test != "" {
		if _, _, err := mail.ParseAddress(i.test); err != nil {
			return newsletter.Invalidf("test", "%s", fieldMessage(err))
		}
	}
	got, err := fetchFeed(ctx, newFeeds(settings, i.now), i.address)
	if err != nil {
		return feedError(err, "begin with")
	}
	i.say("%s: %s.", titleOfFeed(got), counted(len(got.Items), "article", "articles"))
	i.sayItems(got.Items)
	if err := i.complete(propose(got, i.now())); err != nil {
		return err
	}
	log := i.logger(settings, false)
	s, err := i.openWith(ctx, settings, store.CreateIfMissing, log)
	if err != nil {
		return err
	}
	return errors.Join(i.make(ctx, s), s.Close())
}

// make makes the newsletter and its source.
func (i *initialisation) make(ctx context.Context, s *services) error {
	n, err := s.desk.NewNewsletter(ctx, i.slug, i.edit)
	if err != nil {
		return err
	}
	added, err := s.desk.AddSource(ctx, i.address, n.Slug, "")
	if err != nil {
		return fmt.Errorf("the newsletter %s is made, but its source is not; go on with \"broadsheet source add %s --newsletter %s\": %w", n.Slug, i.address, n.Slug, err)
	}
	next, err := s.desk.NextSlots(ctx, n)
	if err != nil {
		return err
	}
	if i.json {
		err = i.printJSON(struct {
			newsletterView
			Source fetchedView `json:"source"`
		}{viewNewsletter(n, next), viewFetched(added.Fetched)})
		if err != nil {
			return err
		}
	}
	i.say("\nMade the newsletter %s. %s", n.Slug, nextSlots(n, next))
	i.sayFetched(added.Fetched)
	if i.test != "" {
		if err := i.app.sendTest(ctx, s, n, i.test); err != nil {
			return err
		}
		i.say("Sent a test to %s.", i.test)
	}
	if err := n.MayMail("https://"); err != nil { // at an address that readers can reach
		i.say("\nBefore readers elsewhere sign up or are mailed: %v", err)
	}
	i.say("\nReaders sign up at %s/n/%s while \"broadsheet serve\" runs.", s.settings.BaseURL, n.Slug)
	i.say("See what would be sent: broadsheet send %s --dry-run", n.Slug)
	return nil
}

// complete fills in what was not given, by asking or from the proposal, and checks all of it.
func (i *initialisation) complete(p proposal) error {
	if i.slug == "" {
		i.slug = p.Slug
		if err := i.ask("Name in addresses", &i.slug, newsletter.CheckSlug); err != nil {
			return err
		}
	}
	for _, q := range []struct {
		question string
		proposal string
		field    string
		to       **string
	}{
		{"Title", p.Name, "name", &i.edit.Name},
		{"Language", p.Language, "language", &i.edit.Language},
		{"Time zone", p.Zone, "zone", &i.edit.Zone},
		{"Sender, as in Example News <news@example.org>", "", "from", &i.edit.From},
		{"The publisher's postal address", "", "postal_address", &i.edit.PostalAddress},
		{"Address of your privacy policy (empty: later)", "", "privacy_url", &i.edit.PrivacyURL},
		{"Legal footer, such as Example News Ltd, registered in England, no. 01234567 (empty: later)", "", "legal_footer", &i.edit.LegalFooter},
		{"Daily edition due (empty: sent by hand)", p.Daily, "daily", &i.edit.Daily},
	} {
		if *q.to != nil || q.field == "daily" && (i.edit.Weekly != nil || len(i.edit.Slots) > 0) {
			continue
		}
		answer := q.proposal
		check := func(text string) error {
			*q.to = &text
			return onField(desk.New(nil, nil, desk.Options{Now: i.now}).CheckNewNewsletter(i.slug, i.edit), q.field)
		}
		if err := i.ask(q.question, &answer, check); err != nil {
			return err
		}
		if *q.to = &answer; answer == "" {
			*q.to = nil
		}
	}
	if i.answers != nil && i.test == "" {
		wrong := func(text string) error {
			if text == "" {
				return nil
			}
			_, _, err := mail.ParseAddress(text)
			return err
		}
		if err := i.ask("Send a test mail to (empty: none)", &i.test, wrong); err != nil {
			return err
		}
	}
	return desk.New(nil, nil, desk.Options{Now: i.now}).CheckNewNewsletter(i.slug, i.edit)
}

// onField returns what is wrong with one field.
func onField(err error, field string) error {
	e, ok := errors.AsType[*newsletter.Error](err)
	if !ok {
		return err
	}
	for _, f := range e.Fields {
		if f.Name == field {
			return newsletter.Invalidf(field, "%s", f.Message)
		}
	}
	return nil
}

// ask asks until the answer is right; nothing typed means the proposal in answer. If nobody
// can be asked the proposal stays.
func (i *initialisation) ask(question string, answer *string, check func(string) error) error {
	if i.answers == nil {
		return nil
	}
	proposal := *answer
	for {
		hint := ""
		if proposal != "" {
			hint = " [" + plain(proposal) + "]"
		}
		fmt.Fprintf(i.stderr, "%s%s: ", question, hint)
		line, err := i.answers.ReadString('\n')
		*answer = strings.TrimSpace(line)
		if *answer == "" {
			*answer = proposal
		}
		wrong := check(*answer)
		if wrong == nil {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return wrong
		}
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		fmt.Fprintf(i.stderr, "  %s\n", fieldMessage(wrong))
	}
}

func titleOfFeed(f *feed.Feed) string {
	if f.Title == "" {
		return "The feed"
	}
	return cut(f.Title, 100)
}

// sendTest sends what the newsletter would look like to one address.
func (a *app) sendTest(ctx context.Context, s *services, n newsletter.Newsletter, to string) error {
	if _, err := s.openPress(); err != nil {
		return err
	}
	draft, err := s.desk.Build(ctx, desk.BuildOptions{Newsletter: n.Slug, Cadence: n.Schedules[0].Cadence, Sample: true})
	if err != nil {
		return err
	}
	return s.desk.SendTest(ctx, draft, to)
}
