package desk

import (
	"fmt"
	"slices"

	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// asDrafted returns the candidates with those of the draft's sheet first, in its order and with
// the texts that the draft took in, and these alone: no others can be in the edition. It warns of
// those that cannot be, and of those whose text has changed since. Where staff put them in an order
// of their own it is that of choosing too: what stands last is what is over a reader's cap.
func (draft *Draft) asDrafted(r *newsletter.DraftRecord, candidates []newsletter.Candidate, sections []newsletter.Section) (all, chosen []newsletter.Candidate) {
	warn := func(format string, args ...any) {
		draft.Warnings = append(draft.Warnings, fmt.Sprintf(format, args...))
	}
	wanted := r.Sheet.Articles()
	ordered := wantedOf(wanted, candidates)
	if !inReadingOrder(ordered, sections) {
		newsletter.Rank(ordered)
	}
	others := slices.DeleteFunc(slices.Clone(candidates), func(c newsletter.Candidate) bool { return slices.Contains(wanted, c.ID) })
	for _, id := range wanted {
		i := slices.IndexFunc(ordered, func(c newsletter.Candidate) bool { return c.ID == id })
		if i < 0 {
			warn("article %d is left out: it is too old by now, or its source was removed", id)
			continue
		}
		c := ordered[i]
		if kept, ok := r.Items[id]; ok {
			if kept.Hash() != c.Hash() {
				warn("article %d has a new text at its source; \"broadsheet edition refresh %d\" shows it and takes it in", id, r.EditionID)
			}
			kept.Categories = c.Categories
			c.Item = kept
		}
		all = append(all, c)
		if v := newsletter.Eligible(c, draft.Edition.AsOf); v != newsletter.Taken {
			warn("article %d, %q, is left out: %s", id, c.Headline, v)
			continue
		}
		chosen = append(chosen, c)
	}
	return append(all, others...), chosen
}

// wantedOf returns those of the candidates that are wanted, in the order in which they are.
func wantedOf(wanted []int64, candidates []newsletter.Candidate) []newsletter.Candidate {
	var list []newsletter.Candidate
	for _, id := range wanted {
		if i := slices.IndexFunc(candidates, func(c newsletter.Candidate) bool { return c.ID == id }); i >= 0 {
			list = append(list, candidates[i])
		}
	}
	return list
}

// inReadingOrder reports whether articles stand as an edition has them that nobody put in order.
func inReadingOrder(list []newsletter.Candidate, sections []newsletter.Section) bool {
	laid := slices.Clone(list)
	newsletter.Lay(laid, sections)
	return slices.EqualFunc(list, laid, func(a, b newsletter.Candidate) bool { return a.ID == b.ID })
}

// markDropped gives the articles that are not in the sheet their verdict.
func (draft *Draft) markDropped(r *newsletter.DraftRecord) {
	wanted := r.Sheet.Articles()
	for i, a := range draft.Articles {
		if !slices.Contains(wanted, a.ID) && newsletter.Eligible(a.Candidate, draft.Edition.AsOf) == newsletter.Taken {
			draft.Articles[i].Verdict = newsletter.Dropped
		}
	}
}

// addSheet adds to what a snapshot is taken of what staff wrote in the sheet.
func addSheet(in *digest.Input, s newsletter.Sheet) {
	in.Articles = slices.Clone(in.Articles)
	for i, b := range s.Blocks {
		block := sheetBlock(b, s.Position(i))
		switch b.Kind {
		case newsletter.SheetNote:
			in.Notes = append(in.Notes, block)
		case newsletter.SheetSponsor:
			in.Sponsors = append(in.Sponsors, block)
		case newsletter.SheetArticle:
			for j := range in.Articles {
				if in.Articles[j].ID == b.Article && b.Headline != "" {
					in.Articles[j].Headline = b.Headline
				}
			}
		}
	}
}

// keepAbout takes the editors' subject and preheader out where an article that they speak of is not
// in the edition any more: no copy has it.
func keepAbout(in *digest.Input) (warnings []string) {
	for _, id := range in.Words.About {
		gone := !slices.ContainsFunc(in.Articles, func(c newsletter.Candidate) bool { return c.ID == id })
		if gone && in.Words.Subject+in.Words.Preheader != "" {
			warnings = append(warnings, fmt.Sprintf("the subject is about article %d, which nobody gets: everybody gets the template's subject and preheader", id))
			in.Words.Subject, in.Words.Preheader = "", ""
		}
	}
	if len(warnings) > 0 {
		in.Words.About = nil
	}
	return warnings
}

// sheetBlock returns a note or a sponsor's message as an edition has it.
func sheetBlock(b newsletter.SheetBlock, position int) digest.Block {
	return digest.Block{
		ID: b.ID, Text: b.Text, Sponsor: b.Sponsor, URL: b.URL, ImageURL: b.ImageURL, ImageAlt: b.ImageAlt, Position: position,
	}
}
