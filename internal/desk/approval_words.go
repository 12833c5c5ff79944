package desk

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// Fact is one thing that staff should know before they decide.
type Fact = digest.ProofFact

// Warning is what the gates, or a draft that is not as it was, have staff look at.
type Warning = digest.ProofWarning

// In returns a time by the newsletter's clocks, in words.
func (a *Approving) In(at time.Time) string {
	zone, err := a.Newsletter.Location()
	if err != nil {
		zone = time.UTC
	}
	return at.In(zone).Format("Mon 2 Jan 15:04 MST")
}

// Facts returns what staff should know before they decide: when it goes to whom, and why.
func (a *Approving) Facts() []Fact {
	e := a.Edition
	facts := []Fact{{Name: "Edition", Value: fmt.Sprintf("%d of %s, %s, %s", e.ID, a.Newsletter.Name, e.Name(), e.Date)}}
	add := func(name, format string, args ...any) {
		facts = append(facts, Fact{Name: name, Value: fmt.Sprintf(format, args...)})
	}
	if a.Draft == nil {
		return facts
	}
	when := a.In(a.SendAt)
	if !e.DueAt.After(a.SendAt.Add(-time.Second)) && e.DueAt.Before(a.SendAt) {
		when = "at once"
	}
	s := a.Draft.Survey
	add("Sent", "%s, if it is approved by %s", when, a.In(a.Until(e)))
	add("Goes to", "%d of the %d readers of the %s edition", s.Readers, s.Planned(), e.Name())
	if len(s.Withheld) > 0 {
		add("Not to", "%s", withheldWords(s.Withheld))
	}
	if c := a.Draft.Canary; c.Share > 0 && s.Canary > 0 {
		add("First to", "%d of them (%s), and %s later to the rest, if nothing is wrong", s.Canary, c.Word(), c.HoldWord())
	}
	if words := a.cadences(); words != "" {
		add("Readers by cadence", "%s", words)
	}
	if words := a.sections(); words != "" {
		add("By section", "%s", words)
	}
	if n := len(s.Variants); n > 1 {
		add("Copies", "%d different ones, as readers had some of it or chose sections", n)
	}
	return facts
}

// withheldWords counts who gets nothing, by why.
func withheldWords(withheld map[string]int) string {
	words := map[string]string{
		newsletter.ReasonNothingNew: "to whom nothing of it is owed", newsletter.ReasonTooFew: "to whom too little is owed",
		newsletter.ReasonPaused: "who have paused", newsletter.ReasonSuppressed: "whose address must not be mailed",
	}
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(withheld)) {
		why := words[reason]
		if why == "" {
			why = "(" + strings.ReplaceAll(reason, "_", " ") + ")"
		}
		parts = append(parts, fmt.Sprintf("%d %s", withheld[reason], why))
	}
	return strings.Join(parts, ", ")
}

// cadences counts the newsletter's readers by cadence and slot, where there are several.
func (a *Approving) cadences() string {
	counts := map[string]int{}
	for _, g := range a.Groups {
		counts[newsletter.SlotName(g.Cadence, a.Newsletter.SlotOf(g.Cadence, g.Slot))] += g.Readers
	}
	if len(counts) < 2 {
		return ""
	}
	var parts []string
	for _, c := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", c, counts[c]))
	}
	return strings.Join(parts, ", ")
}

// isFor reports whether the edition is for the group's readers.
func (a *Approving) isFor(g newsletter.ReaderGroup) bool {
	slot := a.Edition.Audience()
	return g.Cadence == a.Edition.Cadence && (slot == newsletter.AllSlots || slot == a.Newsletter.SlotOf(g.Cadence, g.Slot))
}

// sections counts the edition's readers by the sections that they chose.
func (a *Approving) sections() string {
	var parts []string
	all := 0
	for _, g := range a.Groups {
		if a.isFor(g) && g.Sections == 0 {
			all += g.Readers
		}
	}
	for _, section := range a.Sections {
		n := 0
		for _, g := range a.Groups {
			if a.isFor(g) && g.Sections != 0 && g.Sections.Has(section) {
				n += g.Readers
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", section.Name, n))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("of all %s readers: every section %d, %s", a.Edition.Name(), all, strings.Join(parts, ", "))
}

// Warnings returns what the gates find and what the draft is without, what stops it first.
func (a *Approving) Warnings() []Warning {
	var list []Warning
	for _, f := range a.Findings {
		text := f.Message
		if f.Remedy != "" {
			text += "; " + f.Remedy
		}
		list = append(list, Warning{Fails: f.Level == newsletter.LevelFail, Text: text})
	}
	if a.Draft != nil {
		for _, w := range a.Draft.Warnings {
			list = append(list, Warning{Text: w})
		}
	}
	return list
}

// Subject returns the subject that staff gave the draft; empty: none.
func (draft *Draft) Subject() string {
	if draft.record == nil {
		return ""
	}
	return draft.record.Sheet.Subject
}

// ChangedBy returns who changed the draft last, and when.
func (draft *Draft) ChangedBy() (string, time.Time) {
	if draft.record == nil {
		return "", time.Time{}
	}
	return draft.record.ChangedBy, draft.record.ChangedAt
}

// Headline returns the headline of an article that was considered for the draft.
func (draft *Draft) Headline(id int64) string {
	for _, a := range draft.Articles {
		if a.ID == id {
			return a.Headline
		}
	}
	return fmt.Sprintf("article %d", id)
}

// Dropped returns the stories that staff took out where they approve, and that could be in it still.
func (a *Approving) Dropped() []DraftArticle {
	if a.Draft == nil {
		return nil
	}
	var list []DraftArticle
	for _, dropped := range a.Draft.record.Sheet.Dropped {
		for _, article := range a.Draft.Articles {
			if article.ID == dropped.Block.Article && article.Verdict == newsletter.Dropped {
				list = append(list, article)
			}
		}
	}
	return list
}

// Stories returns the edition's stories in order, each with how many readers get it.
func (a *Approving) Stories() []DraftArticle {
	if a.Draft == nil {
		return nil
	}
	var list []DraftArticle
	for _, b := range a.Draft.Snapshot.Blocks {
		for _, article := range a.Draft.Articles {
			if b.Kind == digest.KindArticle && b.Article == article.ID {
				article.Headline = b.Headline
				list = append(list, article)
			}
		}
	}
	return list
}
