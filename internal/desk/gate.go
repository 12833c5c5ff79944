package desk

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"broadsheet/internal/delivery"
	"broadsheet/internal/digest"
	"broadsheet/internal/feed"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// Gates looks at an edition before it is frozen, and returns what it finds, what fails first: at
// the copy that most readers get, and at one with all that the edition has. Start refuses what
// fails; only staff can force it.
func (d *Desk) Gates(ctx context.Context, draft *Draft) []newsletter.Finding {
	g := gates{baseURL: d.o.BaseURL, snapshot: draft.Snapshot}
	if err := draft.Newsletter.MayMail(d.o.BaseURL); err != nil {
		g.fail(newsletter.GateLegal, "give it: nobody can force this", "%s", err)
	}
	full := newsletter.Copy{Articles: draft.Snapshot.Articles()}
	g.look(draft.Sample, draft.Message)
	if ctx.Err() == nil && len(full.Articles) > len(draft.Sample.Articles) {
		g.lookAt(full)
	}
	g.headlines()
	slices.SortStableFunc(g.found, func(a, b newsletter.Finding) int {
		return strings.Compare(string(a.Level), string(b.Level)) // "fail" comes before "warn"
	})
	return g.found
}

// passGates refuses an edition that fails, unless it is forced: then it returns what was forced.
func (d *Desk) passGates(ctx context.Context, draft *Draft) (forced string, err error) {
	fails := newsletter.Fails(d.Gates(ctx, draft))
	if len(fails) > 0 && !draft.Force {
		return "", newsletter.GateRefusal(fails)
	}
	var words []string
	for _, f := range fails {
		words = append(words, fmt.Sprintf("%s: %s", f.Gate, f.Message))
	}
	return strings.Join(words, "; "), nil
}

// gates looks at one edition.
type gates struct {
	baseURL  string
	snapshot digest.Snapshot
	found    []newsletter.Finding
}

func (g *gates) add(f newsletter.Finding) {
	if !slices.Contains(g.found, f) {
		g.found = append(g.found, f)
	}
}

func (g *gates) fail(gate newsletter.Gate, remedy, format string, args ...any) {
	g.add(newsletter.Finding{Gate: gate, Level: newsletter.LevelFail, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (g *gates) warn(gate newsletter.Gate, remedy, format string, args ...any) {
	g.add(newsletter.Finding{Gate: gate, Level: newsletter.LevelWarn, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

// lookAt renders a copy and looks at it.
func (g *gates) lookAt(c newsletter.Copy) {
	v, err := digest.Render(g.snapshot, c)
	if err != nil {
		g.fail(newsletter.GateSize, "take fewer articles: newsletter edit --max", "a copy with all articles cannot be made: %v", err)
		return
	}
	message, err := mail.Compose(delivery.DigestMessage(g.snapshot, v, 0))
	if err != nil {
		g.fail(newsletter.GateHTML, "mend what it names", "it cannot be composed: %v", err)
		return
	}
	g.look(v, message)
}

// look looks at a rendered copy and its message.
func (g *gates) look(v digest.Variant, message *mail.Variant) {
	for _, f := range newsletter.CheckSubject(v.Subject, v.Subject == g.snapshot.Subject) {
		g.add(f)
	}
	for _, f := range digest.Inspect(v) {
		g.standard(f)
	}
	if v.Shortened {
		g.warn(newsletter.GateSize, "nothing, or take fewer articles", "the mail would be larger than 100 kB, so its longest summaries are shortened")
	}
	g.textPart(v)
	g.links(v.HTML)
	g.slots(message)
}

// standard adds what digest.Inspect found.
func (g *gates) standard(f digest.Fault) {
	gate, remedy := newsletter.GateHTML, "mend the template, or the note that it comes from; \"broadsheet template check\" looks at templates"
	switch f.Standard {
	case "S13":
		gate = newsletter.GateText
	case "S15":
		gate, remedy = newsletter.GateSize, "take fewer articles: newsletter edit --max"
	case "S32":
		gate, remedy = newsletter.GateLinks, "give it an address that begins with https://"
	}
	g.fail(gate, remedy, "%s (%s)", f.Message, f.Standard)
}

// textPart: every story, note and sponsor of the HTML part is in the text part.
func (g *gates) textPart(v digest.Variant) {
	text := letters(v.Text)
	for _, b := range g.snapshot.Blocks {
		switch b.Kind {
		case digest.KindArticle:
			if !slices.Contains(v.Articles, b.Article) {
				continue
			}
		case digest.KindNote, digest.KindSponsor:
		default:
			continue
		}
		for _, words := range []string{b.Headline, b.Sponsor, longestPlain(b.Text)} {
			if !strings.Contains(text, letters(words)) {
				g.fail(newsletter.GateText, "mend the template of the text part", "the text part lacks %q", words)
			}
		}
	}
}

// letters returns the letters and digits of a text, whatever breaks or marks stand between them.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// longestPlain returns the longest piece of a Markdown text without any marks.
func longestPlain(markdown string) string {
	longest := ""
	for piece := range strings.FieldsFuncSeq(markdown, func(r rune) bool { return strings.ContainsRune("*_[]()<>\\`&\n", r) }) {
		if len(piece) > len(longest) && !strings.Contains(piece, "://") {
			longest = piece
		}
	}
	return longest
}

// links: what the HTML part points to is on the web, and where the service is public, so is that.
func (g *gates) links(source string) {
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return // digest.Inspect has said so
	}
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			if n.Data == "a" && a.Key == "href" || n.Data == "img" && a.Key == "src" {
				g.link(a.Val)
			}
		}
	}
}

func (g *gates) link(address string) {
	if address == newsletter.PlaceManage || address == newsletter.PlaceUnsubscribe {
		return
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		g.fail(newsletter.GateLinks, "give it an address that begins with https://", "%q is no address of the web", address)
		return
	}
	if newsletter.Loopback(g.baseURL) || feed.PublicHost(u.Hostname()) {
		return
	}
	g.fail(newsletter.GateLinks, "mend the address in the source, or leave the article out: article hold", "readers cannot reach %s: it is an address inside your own network", address)
}

// slots: nothing personal is left unfilled in the final bytes.
func (g *gates) slots(message *mail.Variant) {
	n := g.snapshot.Newsletter
	personal := Inert(delivery.Personal(newsletter.KeyRing{{Secret: make([]byte, 32)}}, g.baseURL, n.From.Address(), newsletter.Link{}, n.From.Address().Domain(), time.Unix(0, 0)))
	data, err := message.Append(nil, personal)
	if err != nil {
		g.fail(newsletter.GateSlots, "mend what it names", "the message cannot be addressed: %v", err)
		return
	}
	if joined := strings.ReplaceAll(string(data), "=\r\n", ""); strings.Contains(strings.ToLower(joined), "personal.invalid") {
		g.fail(newsletter.GateSlots, "mend the template: a place stands on a line of its own", "a place for the reader's own link is not filled in")
	}
}

// headlines: those that no subject has yet may stand in the subject of a reader's copy. And
// pictures should have descriptions.
func (g *gates) headlines() {
	var undescribed []string
	for _, b := range g.snapshot.Blocks {
		if b.Kind == digest.KindArticle && b.Headline != "" {
			for _, f := range newsletter.CheckSubject(b.Headline, false) {
				if f.Message = strings.Replace(f.Message, "the subject", "the headline", 1); f.Level == newsletter.LevelFail {
					g.add(f)
				}
			}
		}
		if b.ImageURL != "" && b.ImageAlt == "" {
			undescribed = append(undescribed, "“"+cmp.Or(b.Headline, b.Sponsor)+"”")
		}
	}
	const named = 3
	switch n := len(undescribed); {
	case n == 1:
		g.warn(newsletter.GateAlt, "describe it where it comes from, unless it only decorates", "the picture of %s has no description", undescribed[0])
	case n > 1:
		more := ""
		if n > named {
			more = fmt.Sprintf(" and %d more", n-named)
		}
		g.warn(newsletter.GateAlt, "describe them where they come from, unless they only decorate",
			"%d pictures have no description: of %s%s", n, strings.Join(undescribed[:min(n, named)], ", "), more)
	}
}
