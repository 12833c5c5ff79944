package main

import (
	"fmt"
	"strings"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

// immediateFlags adds the flags for readers who get each story as it comes.
func immediateFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Bool("immediate", false, "offer the cadence immediate: each new story as it comes")
	f.String("quiet-time", "", "how long stories are gathered for one immediate edition (default 10m)")
	f.String("immediate-hours", "", "when immediate editions go out, such as 06:00-22:00; what comes at other times waits (empty: day and night)")
	f.StringSlice("immediate-labels", nil, "only stories with one of these labels, such as Exclusive (empty: all)")
	f.StringSlice("immediate-sections", nil, "only stories in one of these sections, by slug (empty: all)")
}

// changedSlice returns the flag's values, or nil if it was not given.
func changedSlice(cmd *cobra.Command, name string) *[]string {
	given, ok := cmd.Flags().Lookup(name).Value.(interface{ GetSlice() []string })
	if !ok || !cmd.Flags().Changed(name) {
		return nil
	}
	list := given.GetSlice()
	return &list
}

// ruleOf returns when a slot is due, in a few words.
func ruleOf(n newsletter.Newsletter, s newsletter.Schedule) string {
	switch {
	case s.Cadence == newsletter.Immediate:
		return "within " + minutes(n.Immediate.Quiet)
	case s.Rule.IsZero():
		return "by hand"
	}
	return s.Rule.String()
}

// immediateOf returns in a few words what immediate readers get; empty: it is not offered.
func immediateOf(n newsletter.Newsletter, sections []newsletter.Section) string {
	if !n.Offers(newsletter.Immediate) {
		return ""
	}
	rule := n.Immediate
	var only []string
	for _, label := range rule.Labels {
		only = append(only, fmt.Sprintf("label %q", label))
	}
	for _, s := range sections {
		if rule.Sections.Has(s) {
			only = append(only, "section "+s.Slug)
		}
	}
	words := "every story"
	if len(only) > 0 {
		words = "stories with " + strings.Join(only, " or ")
	}
	words += ", gathered for " + minutes(rule.Quiet)
	if rule.Hours != (newsletter.Hours{}) {
		words += ", " + rule.Hours.String()
	}
	return words
}

type immediateView struct {
	Quiet    int      `json:"quiet_minutes"`
	Hours    string   `json:"hours"` // empty: day and night
	Labels   []string `json:"labels"`
	Sections []string `json:"sections"`
}

// viewImmediate returns what immediate readers get; nil: it is not offered.
func viewImmediate(n newsletter.Newsletter, sections []newsletter.Section) *immediateView {
	if !n.Offers(newsletter.Immediate) {
		return nil
	}
	v := &immediateView{Quiet: int(n.Immediate.Quiet.Minutes()), Hours: n.Immediate.Hours.String(), Labels: list(n.Immediate.Labels), Sections: []string{}}
	for _, s := range sections {
		if n.Immediate.Sections.Has(s) {
			v.Sections = append(v.Sections, s.Slug)
		}
	}
	return v
}
