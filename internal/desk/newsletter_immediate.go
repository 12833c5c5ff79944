package desk

import (
	"slices"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// maxLabel is the longest label, in characters.
const maxLabel = 60

// applyImmediate changes what immediate readers get, notes in c what cannot be, and returns which
// fields changed.
func (e NewsletterEdit) applyImmediate(n *newsletter.Newsletter, c *checks) []string {
	var changed []string
	rule := &n.Immediate
	if rule.Quiet == 0 {
		rule.Quiet = newsletter.DefaultQuiet
	}
	given := e.ImmediateQuiet != nil || e.ImmediateHours != nil || e.ImmediateLabels != nil || e.ImmediateSections != nil
	if given && !e.Immediate && !n.Offers(newsletter.Immediate) {
		c.wrong("immediate", "the newsletter has no immediate edition; give it one with --immediate")
		return nil
	}
	if e.ImmediateQuiet != nil {
		quiet, err := time.ParseDuration(strings.TrimSpace(*e.ImmediateQuiet))
		switch {
		case err != nil:
			c.wrong("quiet-time", "%q is not a time; write it as 10m or 1h30m", *e.ImmediateQuiet)
		case quiet < newsletter.MinQuiet || quiet > newsletter.MaxQuiet:
			c.wrong("quiet-time", "%s is not possible; use a time from 1m to 24h", *e.ImmediateQuiet)
		case quiet.Truncate(time.Minute) != rule.Quiet:
			rule.Quiet, changed = quiet.Truncate(time.Minute), append(changed, "quiet")
		}
	}
	if e.ImmediateHours != nil {
		hours, err := newsletter.ParseHours(*e.ImmediateHours)
		c.take("immediate_hours", err)
		if err == nil && hours != rule.Hours {
			rule.Hours, changed = hours, append(changed, "immediate_hours")
		}
	}
	if e.ImmediateLabels != nil {
		if labels := e.labels(c); !slices.Equal(labels, rule.Labels) {
			rule.Labels, changed = labels, append(changed, "immediate_labels")
		}
	}
	if e.ImmediateSections != nil {
		if mask := e.immediateMask(c); mask != rule.Sections {
			rule.Sections, changed = mask, append(changed, "immediate_sections")
		}
	}
	return changed
}

// labels reads the labels that are given.
func (e NewsletterEdit) labels(c *checks) []string {
	var list []string
	for _, label := range *e.ImmediateLabels {
		if label = strings.Join(strings.Fields(label), " "); label != "" {
			c.text("immediate_labels", label, true, maxLabel, false)
			list = append(list, label)
		}
	}
	if len(list) > newsletter.MaxLabels {
		c.wrong("immediate_labels", "there are %d; at most %d are possible", len(list), newsletter.MaxLabels)
	}
	return list
}

// immediateMask reads the sections that are given.
func (e NewsletterEdit) immediateMask(c *checks) newsletter.Mask {
	var mask newsletter.Mask
	for _, slug := range *e.ImmediateSections {
		slug = strings.TrimSpace(slug)
		i := slices.IndexFunc(e.sections, func(s newsletter.Section) bool { return s.Slug == slug })
		switch {
		case slug == "":
		case i < 0:
			c.wrong("immediate_sections", "the newsletter has no section %q", slug)
		default:
			mask = mask.With(e.sections[i])
		}
	}
	return mask
}
