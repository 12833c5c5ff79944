package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

func newSectionCommand(a *app) *cobra.Command {
	return newGroup("section", "Topics that readers can choose among",
		`A section is a topic that staff define, with the feed categories that belong to it.
Readers choose among sections, never among the raw categories of feeds.`, groupThings,
		sectionAdd(a), sectionList(a), sectionEdit(a), sectionRemove(a))
}

func sectionAdd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add NAME --newsletter SLUG [--match CATEGORIES]",
		Short: "Add a section to a newsletter",
		Long: `Adds a section. It has the articles with one of the categories that --match names, and
those with a category of the section's own name, whatever their case. Write \, for a comma
in a category. The next edition counts its articles by it, those that are there included.

"section list --unmapped" shows the categories that no section matches.`,
		Example: `  broadsheet section add "AI" --newsletter daily-news --match "AI & Data,Artificial intelligence"`,
		Args:    exactArgs("NAME"),
	}
	slug := newsletterFlag(cmd)
	match := cmd.Flags().String("match", "", "feed categories, with commas")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
			sec, err := s.desk.AddSection(cmd.Context(), *slug, args[0], splitList(*match))
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(viewSection(sec))
			}
			a.say("Added the section %s (%s)%s.", sec.Name, sec.Slug, sectionMatches(sec))
			return nil
		})
	}
	return cmd
}

// newsletterFlag adds --newsletter.
func newsletterFlag(cmd *cobra.Command) *string {
	return cmd.Flags().StringP("newsletter", "n", "", "slug of the newsletter")
}

// onlyNewsletter fills in the newsletter where there is just one to mean.
func (s *services) onlyNewsletter(ctx context.Context, slug *string) error {
	if *slug != "" {
		return nil
	}
	all, err := s.desk.Newsletters(ctx)
	if err == nil && len(all) == 1 {
		*slug = all[0].Slug
	}
	return err
}

func sectionList(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list --newsletter SLUG [--unmapped]",
		Short: "Show the sections of a newsletter",
		Long: `Shows the newsletter's sections in the order in which readers see them.

--unmapped shows the feed categories of the last 90 days that no section matches, the
most frequent first.`,
		Example: `  broadsheet section list --newsletter daily-news
  broadsheet section list --newsletter daily-news --unmapped`,
		Args: cobra.NoArgs,
	}
	slug := newsletterFlag(cmd)
	unmapped := cmd.Flags().Bool("unmapped", false, "feed categories that no section matches")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
			if err := s.onlyNewsletter(cmd.Context(), slug); err != nil {
				return err
			}
			if *unmapped {
				categories, err := s.desk.UnmappedCategories(cmd.Context(), *slug)
				if err != nil {
					return err
				}
				return a.printUnmapped(categories)
			}
			sections, err := s.desk.Sections(cmd.Context(), *slug)
			if err != nil {
				return err
			}
			return a.printSections(sections, *slug)
		})
	}
	return cmd
}

func (a *app) printSections(sections []newsletter.Section, slug string) error {
	if a.json {
		return a.printJSON(viewSections(sections))
	}
	if len(sections) == 0 {
		a.say("%s has no sections: every reader gets everything. Add one: broadsheet section add NAME --newsletter %s", slug, slug)
		return nil
	}
	var rows [][]string
	for _, s := range sections {
		rows = append(rows, []string{strconv.Itoa(s.Position), s.Slug, s.Name, strings.Join(s.Match, ", ")})
	}
	a.printTable([]string{"POSITION", "SECTION", "NAME", "MATCHES"}, rows)
	return nil
}

func (a *app) printUnmapped(categories []newsletter.UnmappedCategory) error {
	if a.json {
		type view struct {
			Category string     `json:"category"`
			Articles int        `json:"articles"`
			LastSeen *time.Time `json:"last_seen"`
		}
		views := []view{}
		for _, c := range categories {
			views = append(views, view{c.Name, c.Articles, utc(c.LastSeen)})
		}
		return a.printJSON(views)
	}
	if len(categories) == 0 {
		a.say("Every category of the last 90 days belongs to a section.")
		return nil
	}
	var rows [][]string
	for _, c := range categories {
		rows = append(rows, []string{c.Name, strconv.Itoa(c.Articles), local(c.LastSeen)})
	}
	a.printTable([]string{"CATEGORY", "ARTICLES", "LAST SEEN"}, rows)
	return nil
}

func sectionEdit(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "edit SECTION --newsletter SLUG",
		Short: "Rename a section, or change what it matches",
		Long: `Changes what is given and nothing else. The section keeps its slug and its readers.
--match replaces all categories. The next edition goes by it.`,
		Example: `  broadsheet section edit ai --newsletter daily-news --name "Artificial intelligence"
  broadsheet section edit ai --newsletter daily-news --match "AI,Machine learning" --position 1`,
		Args: exactArgs("SECTION"),
	}
	slug := newsletterFlag(cmd)
	cmd.Flags().String("name", "", "name, as readers see it")
	match := cmd.Flags().String("match", "", "feed categories, with commas")
	cmd.Flags().Int("position", 0, "place in the list, from 1")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		edit := desk.SectionEdit{Name: changedString(cmd, "name"), Position: changedInt(cmd, "position")}
		if cmd.Flags().Changed("match") {
			edit.Match = new(splitList(*match))
		}
		if edit == (desk.SectionEdit{}) {
			return usagef("say what to change: --name, --match or --position")
		}
		return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
			sec, err := s.desk.EditSection(cmd.Context(), *slug, args[0], edit)
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(viewSection(sec))
			}
			a.say("The section %s is changed%s.", sec.Name, sectionMatches(sec))
			return nil
		})
	}
	return cmd
}

func sectionRemove(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove SECTION --newsletter SLUG",
		Short: "Remove a section that nobody chose",
		Long: `Removes a section. If readers chose it, that is refused with their number: their choice
would turn into another one.`,
		Example: `  broadsheet section remove ai --newsletter daily-news`,
		Args:    exactArgs("SECTION"),
	}
	slug := newsletterFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
			if err := s.desk.RemoveSection(cmd.Context(), *slug, args[0]); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(struct {
					Section string `json:"section"`
					Removed bool   `json:"removed"`
				}{args[0], true})
			}
			a.say("Removed the section %s.", args[0])
			return nil
		})
	}
	return cmd
}

// sectionMatches says which categories a section has.
func sectionMatches(s newsletter.Section) string {
	if len(s.Match) == 0 {
		return ""
	}
	return ", with " + strings.Join(s.Match, ", ")
}

type sectionView struct {
	Section  string   `json:"section"`
	Name     string   `json:"name"`
	Match    []string `json:"match"`
	Position int      `json:"position"`
}

func viewSection(s newsletter.Section) sectionView {
	return sectionView{s.Slug, s.Name, list(s.Match), s.Position}
}

func viewSections(sections []newsletter.Section) []sectionView {
	views := []sectionView{}
	for _, s := range sections {
		views = append(views, viewSection(s))
	}
	return views
}
