package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"broadsheet/internal/desk"
	"broadsheet/internal/feed"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

func newSourceCommand(a *app) *cobra.Command {
	return newGroup("source", "Feeds that articles come from",
		`A source is a feed (RSS, Atom or JSON Feed) that newsletters take articles from. "serve"
fetches each every ten minutes, and once more before an edition is made; one that fails
is asked less and less often, up to every six hours.`, groupThings,
		sourceAdd(a), sourceList(a), sourceFetch(a), sourceRemove(a))
}

func sourceAdd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add URL --newsletter SLUG [--name NAME]",
		Short: "Take articles from a feed",
		Long: `Makes the feed a source of the newsletter, fetches it at once, and shows what was found.
A feed that cannot be read is not added. Adding one that is a source already attaches it
to this newsletter as well.

Nobody is flooded: of a new source, articles published more than 48 hours ago are known
and never sent, unless staff release them.`,
		Example: `  broadsheet source add https://news.example.org/feed --newsletter daily-news
  broadsheet source add https://news.example.org/feed --newsletter weekly-review --name "Example News"`,
		Args: exactArgs("URL"),
	}
	slug := newsletterFlag(cmd)
	name := cmd.Flags().String("name", "", "what to call it (default: the feed's title)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
			added, err := s.desk.AddSource(cmd.Context(), args[0], *slug, *name)
			if err != nil {
				return feedError(err, "add")
			}
			if a.json {
				return a.printJSON(viewFetched(added.Fetched))
			}
			word := "Added source"
			if !added.Attached {
				word = *slug + " has it already: source"
			}
			a.say("%s %d, %s, to %s.", word, added.Source.ID, added.Source.Name, *slug)
			a.sayFetched(added.Fetched)
			a.sayItems(added.Items)
			return nil
		})
	}
	return cmd
}

// feedError says of a feed that cannot be read what to do about the command.
func feedError(err error, verb string) error {
	if _, ok := asFeedError(err); ok {
		return fmt.Errorf("the feed cannot be read, so there is nothing to %s: %w", verb, err)
	}
	return err
}

func sourceList(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [--newsletter SLUG]",
		Short: "Show sources, how they are doing, and what is wrong",
		Long: `Shows the sources of a newsletter, or all: when each was last read, how many items it
has, and its last error. A source is warned about if its last two answers had no item in
common: articles may have come and gone between two fetches.`,
		Example: `  broadsheet source list
  broadsheet source list --newsletter daily-news`,
		Args: cobra.NoArgs,
	}
	slug := newsletterFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
			sources, err := s.desk.Sources(cmd.Context(), *slug)
			if err != nil {
				return err
			}
			return a.printSources(sources)
		})
	}
	return cmd
}

func (a *app) printSources(sources []newsletter.Source) error {
	if a.json {
		return a.printJSON(viewSources(sources))
	}
	if len(sources) == 0 {
		a.say("There is no source yet. Add one: broadsheet source add URL --newsletter SLUG")
		return nil
	}
	var rows [][]string
	for _, src := range sources {
		rows = append(rows, []string{
			strconv.FormatInt(src.ID, 10), src.Name, newslettersOf(src), local(src.LastOKAt),
			itemsOf(src), safeURL(src.URL), troubleOf(src),
		})
	}
	a.printTable([]string{"SOURCE", "NAME", "NEWSLETTERS", "LAST READ", "ITEMS", "ADDRESS", "TROUBLE"}, rows)
	return nil
}

func newslettersOf(src newsletter.Source) string {
	if len(src.Newsletters) == 0 {
		return "none: not fetched"
	}
	return strings.Join(src.Newsletters, ", ")
}

func itemsOf(src newsletter.Source) string {
	if src.BrokenItems > 0 {
		return fmt.Sprintf("%d, %d broken", src.Items, src.BrokenItems)
	}
	return strconv.Itoa(src.Items)
}

// troubleOf says what is wrong with a source; empty: nothing.
func troubleOf(src newsletter.Source) string {
	switch {
	case src.LastError != "":
		return fmt.Sprintf("failed %s, next try %s: %s", counted(src.Failures, "time", "times"), local(src.NextFetchAt), src.LastError)
	case src.TurnedOver:
		return "turned over completely between two fetches: articles may have been missed"
	}
	return ""
}

func sourceFetch(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "fetch [SOURCE]",
		Short: "Fetch a source now, or all of them",
		Long: `Fetches the source with that number or address now, whatever the interval and whatever
went wrong before; without one, all sources that newsletters have. It can be repeated:
no article comes twice.

Exit code 1 if a source could not be read. What is known of it stays as it was.`,
		Example: `  broadsheet source fetch
  broadsheet source fetch 1
  broadsheet source fetch https://news.example.org/feed`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
				if len(args) == 0 {
					all, err := s.desk.FetchAll(cmd.Context())
					if err != nil {
						return err
					}
					return a.printFetched(all, true)
				}
				one, err := s.desk.FetchSource(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return a.printFetched([]desk.Fetched{one}, false)
			})
		},
	}
}

func (a *app) printFetched(all []desk.Fetched, asList bool) error {
	views := []fetchedView{}
	failed := 0
	for _, f := range all {
		views = append(views, viewFetched(f))
		a.sayFetched(f)
		if f.Err != nil {
			failed++
		}
	}
	switch {
	case a.json && asList:
		if err := a.printJSON(views); err != nil {
			return err
		}
	case a.json:
		if err := a.printJSON(views[0]); err != nil {
			return err
		}
	case len(all) == 0:
		a.say("There is no source to fetch. Add one: broadsheet source add URL --newsletter SLUG")
	}
	if failed > 0 {
		if len(all) == 1 {
			return all[0].Err
		}
		return fmt.Errorf("%d of %s could not be read; \"broadsheet source list\" shows why", failed, counted(len(all), "source", "sources"))
	}
	return nil
}

func sourceRemove(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove SOURCE [--newsletter SLUG]",
		Short: "Take no more articles from a feed",
		Long: `Takes the source with that number or address from the newsletter. Its articles stay, and
those that were not sent yet are not sent in this newsletter any more. A source that no
newsletter has is not fetched. --newsletter can be left out if only one has it.`,
		Example: `  broadsheet source remove 1 --newsletter daily-news`,
		Args:    exactArgs("SOURCE"),
	}
	slug := newsletterFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
			src, err := s.desk.RemoveSource(cmd.Context(), args[0], *slug)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(viewSource(src))
			}
			still := "No newsletter has it any more, so it is not fetched."
			if len(src.Newsletters) > 0 {
				still = "It still belongs to " + newslettersOf(src) + "."
			}
			a.say("Removed source %d, %s. %s", src.ID, src.Name, still)
			return nil
		})
	}
	return cmd
}

// fetchFeed reads a feed that is no source yet.
func fetchFeed(ctx context.Context, c *feed.Client, address string) (*feed.Feed, error) {
	return c.Fetch(ctx, feed.Request{URL: address})
}

func asFeedError(err error) (*feed.Error, bool) { return errors.AsType[*feed.Error](err) }
