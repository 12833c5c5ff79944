package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/html"

	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// Prober asks whether a web address answers; *feed.Client is one.
type Prober interface {
	Probe(ctx context.Context, address string) (status int, err error)
}

// probesAtOnce is how many addresses are asked at once.
const probesAtOnce = 5

// CheckLinks asks every address that the edition's mails link to once, and returns those that do
// not answer well: as warnings, since a site can be down for a minute.
func (d *Desk) CheckLinks(ctx context.Context, draft *Draft) ([]newsletter.Finding, error) {
	prober, ok := d.fetcher.(Prober)
	if !ok {
		return nil, fmt.Errorf("this desk has nothing to ask web addresses with")
	}
	v := draft.Sample
	if all := draft.Snapshot.Articles(); len(all) > len(v.Articles) {
		full, err := digest.Render(draft.Snapshot, newsletter.Copy{Articles: all})
		if err != nil {
			return nil, err
		}
		v.HTML += full.HTML
	}
	addresses := linksIn(v.HTML, draft.Snapshot.BaseURL+"/archive/"+draft.Newsletter.Slug+"/copy/") // which answer once it is sent
	found := make([]*newsletter.Finding, len(addresses))
	var wg sync.WaitGroup
	places := make(chan bool, probesAtOnce)
	for i, address := range addresses {
		places <- true
		wg.Go(func() {
			defer func() { <-places }()
			found[i] = probe(ctx, prober, address)
		})
	}
	wg.Wait()
	var list []newsletter.Finding
	for _, f := range found {
		if f != nil {
			list = append(list, *f)
		}
	}
	return list, ctx.Err()
}

// probe asks one address; nil: it is well.
func probe(ctx context.Context, p Prober, address string) *newsletter.Finding {
	status, err := p.Probe(ctx, address)
	if err == nil && status < 400 {
		return nil
	}
	f := &newsletter.Finding{Gate: newsletter.GateLinks, Level: newsletter.LevelWarn, Remedy: "look at it in a browser", Message: fmt.Sprintf("%s answers with status %d", address, status)}
	if err != nil {
		f.Message = fmt.Sprintf("%s does not answer: %v", address, err)
	}
	return f
}

// linksIn returns the addresses that the HTML links to, each once. The reader's own are left out, and
// those of the edition's copies, which begin like that.
func linksIn(source, copies string) []string {
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return nil
	}
	var list []string
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			if n.Data == "a" && a.Key == "href" && a.Val != newsletter.PlaceManage && a.Val != newsletter.PlaceUnsubscribe && !strings.HasPrefix(a.Val, copies) && !slices.Contains(list, a.Val) {
				list = append(list, a.Val)
			}
		}
	}
	return list
}
