package newsletter_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

var headlines = map[int64]string{12: "Harbour opens", 13: "Ferries: cheap", 14: "Third"}

func TestSheet_FormatIsReadBack(t *testing.T) {
	t.Parallel()
	s := newsletter.Sheet{
		Subject: "A subject: with a colon", About: []int64{12, 13}, Intro: "Good morning.\n\n- one\n  - two",
		Blocks: []newsletter.SheetBlock{
			{Kind: newsletter.SheetNote, ID: "n1", Text: "# not a comment\n\nlink: is text here"},
			{Kind: newsletter.SheetArticle, Article: 13},
			{Kind: newsletter.SheetSponsor, ID: "s1", Sponsor: "Leaf Ltd", URL: "https://www.example.org/leaf", ImageAlt: "A leaf", Text: "alt: is text here\n\nMore tea."},
			{Kind: newsletter.SheetArticle, Article: 12, Headline: "Our own"},
		},
	}
	text := newsletter.SheetText{Record: newsletter.DraftRecord{Sheet: s, Revision: 3}, Headlines: headlines, LeftOut: []int64{14}}.Format()
	p, mistakes := newsletter.ParseSheet(text, headlines)
	if len(mistakes) > 0 || p.Revision != 3 || !reflect.DeepEqual(p.Sheet, s) {
		t.Errorf("revision %d, mistakes %v\n%+v\nwant\n%+v\nfrom\n%s", p.Revision, mistakes, p.Sheet, s, text)
	}
	windows, mistakes := newsletter.ParseSheet("\ufeff"+strings.ReplaceAll(text, "\n", "\r\n"), headlines)
	if len(mistakes) > 0 || !reflect.DeepEqual(windows, p) {
		t.Errorf("from an editor of Windows: mistakes %v\n%+v\nwant\n%+v", mistakes, windows, p)
	}
	lines := strings.Split(text, "\n")
	for i, line := range p.Texts {
		if first, _, _ := strings.Cut(s.Blocks[i].Text, "\n"); first != "" && strings.TrimSpace(lines[line-1]) != first {
			t.Errorf("the text of block %d begins at %q", i, lines[line-1])
		}
	}
	p, mistakes = newsletter.ParseSheet("article 12\nlead 14: Third\nsubject: x\nSubject: y\narticle 12", headlines)
	if got := p.Sheet.Articles(); len(got) != 2 || got[0] != 14 {
		t.Errorf("the lead is not first: %v", got)
	}
	if len(mistakes) != 2 || mistakes[0].Line != 4 || mistakes[1].Line != 5 {
		t.Errorf("mistakes: %v", mistakes)
	}
}

func TestSheet_AboutIsOfItsArticles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "[] true []", "About:": "[] true []", "About: NONE": "[] false []", "About: 13,12 13": "[13 12] false []",
		"About: 14": "[14] false [{2 article 14 is not in this edition, so the subject cannot be about it}]",
		"About: x":  `[] true [{2 "x" is not the number of an article; write 12, 13 for the articles that the subject speaks of, or none if every reader is to get it}]`,
		"About: ,":  `[] true [{2 "," names no article}]`,
	} {
		p, mistakes := newsletter.ParseSheet("article 12\n"+text+"\narticle 13", headlines)
		if got := fmt.Sprint(p.Sheet.About, p.Sheet.About == nil, mistakes); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func FuzzParseSheet(f *testing.F) {
	f.Add("Subject: x\nIntro:\n  a\n\narticle 12: y\nnote:\n\tb\nsponsor s1: z\n    link: https://example.org\n\n    text\n")
	f.Add(" \n:\nlead\nnote :\n\n\n  \n")
	f.Fuzz(func(t *testing.T, text string) {
		p, mistakes := newsletter.ParseSheet(text, headlines)
		lines := strings.Count(text, "\n") + 1
		for _, m := range mistakes {
			if m.Line < 1 || m.Line > lines || m.Message == "" {
				t.Errorf("mistake %+v of %d lines", m, lines)
			}
		}
		if len(p.Lines) != len(p.Sheet.Blocks) || len(p.Texts) != len(p.Sheet.Blocks) {
			t.Error("a block has no line")
		}
		if len(mistakes) > 0 {
			return
		}
		again, mistakes := newsletter.ParseSheet(newsletter.SheetText{Record: newsletter.DraftRecord{Sheet: p.Sheet, Revision: 1}, Headlines: headlines}.Format(), headlines)
		if len(mistakes) > 0 || len(again.Sheet.Blocks) != len(p.Sheet.Blocks) || again.Sheet.Subject != p.Sheet.Subject {
			t.Errorf("it is not read back: %v\n%+v\n%+v", mistakes, p.Sheet, again.Sheet)
		}
	})
}
