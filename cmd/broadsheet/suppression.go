package main

import (
	"context"
	"errors"
	"strconv"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"

	"github.com/spf13/cobra"
)

func newSuppressionCommand(a *app) *cobra.Command {
	return newGroup("suppression", "Addresses that must not be mailed, and why",
		`A suppression is an address, or a whole domain, that must not be mailed. Of an address only
a keyed hash is kept, so that it holds after the person's data are erased: it is looked at
when somebody signs up, is added or imported, when an edition is planned, and again just
before each message is sent.

The reasons, the strongest first, are complaint, staff, erased, left, hard_bounce and
soft_bounces. A stronger one is never replaced by a weaker. What lifts which is in
docs/suppression.md: an import nothing, the person's own sign-up, once its mail is
answered, the last four, and staff all of them.`, groupThings,
		suppressionList(a), suppressionShow(a), suppressionAdd(a), suppressionRemove(a), suppressionImport(a), suppressionExport(a))
}

func suppressionList(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [--reason REASON]",
		Short: "Show who must not be mailed",
		Long: `Shows suppressions in the order in which they came, 100 at a time unless --limit says
otherwise. A domain is shown as it is. An address is shown if it is still a subscriber's;
that takes a second or two for a million subscribers. Of others, such as people who were
erased, only the hash is left: "suppression show ADDRESS" answers for an address that you
know.

--count prints how many there are by reason.`,
		Example: `  broadsheet suppression list --reason complaint
  broadsheet suppression list --count
  broadsheet suppression list --limit 0 --json > suppressions.json`,
		Args: cobra.NoArgs,
	}
	f := readers.SuppressionFilter{Addresses: true}
	flags := cmd.Flags()
	flags.StringVar(&f.Reason, "reason", "", "only those with this reason")
	limit := flags.Int("limit", 100, "at most so many; 0: all")
	after := flags.Int64("after", 0, "begin after the suppression with this number")
	count := flags.Bool("count", false, "print only how many there are, by reason")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *limit < 0 || *after < 0 {
			return usagef("--limit and --after are numbers from 0")
		}
		return a.withReaders(cmd.Context(), func(_ *services, r *readers.Service) error {
			if *count {
				return a.countSuppressions(cmd.Context(), r)
			}
			return a.listSuppressions(cmd.Context(), r, f, *after, *limit)
		})
	}
	return cmd
}

// eachSuppression calls f with suppressions in the order of their numbers, at most limit of
// them (0: all). It returns the last number if there may be more, else 0.
func eachSuppression(ctx context.Context, r *readers.Service, f readers.SuppressionFilter, after int64, limit int, do func(newsletter.Suppression) error) (int64, error) {
	for count := 0; limit == 0 || count < limit; {
		size := readers.MaxSuppressions
		if limit > 0 {
			size = min(size, limit-count)
		}
		page, err := r.Suppressions(ctx, f, after, size)
		if err != nil {
			return 0, err
		}
		for _, s := range page {
			if err := do(s); err != nil {
				return 0, err
			}
		}
		if len(page) < size {
			return 0, nil
		}
		after, count = page[len(page)-1].ID, count+len(page)
	}
	return after, nil
}

func (a *app) listSuppressions(ctx context.Context, r *readers.Service, f readers.SuppressionFilter, after int64, limit int) error {
	array := jsonArray{w: a.stdout}
	var rows [][]string
	more, err := eachSuppression(ctx, r, f, after, limit, func(s newsletter.Suppression) error {
		if a.json {
			return array.add(viewSuppression(s))
		}
		rows = append(rows, []string{strconv.FormatInt(s.ID, 10), whoIs(s), string(s.Reason), local(s.CreatedAt), s.Actor, cut(s.Note, 80)})
		return nil
	})
	switch {
	case err != nil:
		return err
	case a.json:
		return array.end()
	case len(rows) == 0:
		a.say("Nobody is suppressed here.")
		return nil
	}
	a.printTable([]string{"SUPPRESSION", "WHO", "REASON", "SINCE", "BY", "NOTE"}, rows)
	if more > 0 {
		a.say("There may be more: --after %d", more)
	}
	return nil
}

func (a *app) countSuppressions(ctx context.Context, r *readers.Service) error {
	counts, err := r.SuppressionCounts(ctx)
	if err != nil {
		return err
	}
	view, all := map[string]int{}, 0
	for reason, n := range counts {
		view[string(reason)], all = n, all+n
	}
	for _, reason := range newsletter.SuppressionReasons() {
		view[string(reason)] = counts[reason]
	}
	if a.json {
		view["all"] = all
		return a.printJSON(view)
	}
	var rows [][]string
	for _, reason := range newsletter.SuppressionReasons() {
		rows = append(rows, []string{string(reason), strconv.Itoa(counts[reason])})
		delete(view, string(reason))
	}
	for _, reason := range orderedKeys(view) { // of a newer version of the program
		rows = append(rows, []string{reason, strconv.Itoa(view[reason])})
	}
	a.printTable([]string{"REASON", "SUPPRESSIONS"}, append(rows, []string{"all", strconv.Itoa(all)}))
	return nil
}

func suppressionShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show ADDRESS|@DOMAIN|NUMBER",
		Short: "Say whether an address may be mailed, and what happened to it",
		Long: `Says whether an address, or a whole domain, may be mailed, why not, what would change that,
and what happened so far. It works for people who were erased too: the hash of what you
type is compared.`,
		Example: `  broadsheet suppression show vera@example.org
  broadsheet suppression show @example.org
  broadsheet suppression show 42 --json`,
		Args: exactArgs("ADDRESS|@DOMAIN|NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withReaders(cmd.Context(), func(_ *services, r *readers.Service) error {
				st, err := r.Standing(cmd.Context(), args[0])
				if err != nil {
					return asTarget(err)
				}
				if a.json {
					return a.printJSON(viewStanding(st))
				}
				a.printStanding(st)
				return nil
			})
		},
	}
}

// asTarget calls the wrong field by the name of the argument that a person typed.
func asTarget(err error) error {
	e, ok := errors.AsType[*newsletter.Error](err)
	if !ok || len(e.Fields) != 1 || e.Fields[0].Name != "email" && e.Fields[0].Name != "domain" {
		return err
	}
	return newsletter.Invalidf("ADDRESS|@DOMAIN", "%s", e.Fields[0].Message)
}
