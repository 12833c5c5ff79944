package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"broadsheet/templates"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axeFile is axe-core as .ci/install-test-needs puts it there; the version is named there too.
const axeFile = "../../.bin/axe-core-4.14.1/axe.min.js"

// axeSource returns axe-core, which finds what people with a disability would stumble over.
func axeSource(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(axeFile))
	if err != nil {
		t.Fatalf("the tests need axe-core; \"make test\" fetches it: %v", err)
	}
	return string(data)
}

// axeFinding is a rule that a page breaks, and where.
type axeFinding struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// axe returns what axe-core finds on the page that is open, by all of its rules.
func (b *browser) axe(source string) []axeFinding {
	b.t.Helper()
	do(b, "load axe-core", chromedp.Evaluate[any](source+"; null"))
	wait := func(p *runtime.EvaluateParams) { p.AwaitPromise = new(true) }
	found := do(b, "run axe-core", chromedp.Evaluate[string](
		`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`, wait))
	var list []axeFinding
	if err := json.Unmarshal([]byte(found), &list); err != nil {
		b.t.Fatal(err)
	}
	return list
}

// axe-core finds nothing in any mail: each design with each hard sample, light and dark, the
// transactional mails, and each language. And nothing is wider than a phone.
func TestMails_AxeFindsNothingAndPhonesScrollOneWay(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	fsys, err := templates.FS("")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := templates.Mail(fsys)
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	err = examineTemplates(sources, "https://letters.example.org", time.Unix(1_800_000_000, 0), func(m sampleMail) {
		html := strings.NewReplacer("https://pictures.example.org/", "/pictures/").Replace(m.variant.HTML)
		switch m.sample {
		case "fifty", "too-large": // nothing in them that the others lack
			return
		case "everything", "usual":
			if m.language == "en" {
				pages[m.name()+"-dark"] = strings.ReplaceAll(html, "(prefers-color-scheme:dark)", "(min-width:1px)")
			} else if m.mail != "brief" && m.mail != "confirm" {
				return // another language changes the words alone
			}
		default:
			if m.language != "en" {
				return
			}
		}
		pages[m.name()] = html
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/pictures/") {
			w.Header().Set("Content-Type", "image/svg+xml")
			fmt.Fprint(w, `<svg xmlns="http://www.w3.org/2000/svg" width="600" height="400"><rect width="600" height="400" fill="#88a5b8"/></svg>`)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if name, narrow := strings.CutPrefix(r.URL.Path, "/narrow/"); narrow {
			fmt.Fprintf(w, `<iframe src="/%s" width="360" height="700"></iframe>`, name)
			return
		}
		fmt.Fprint(w, pages[strings.TrimPrefix(r.URL.Path, "/")])
	}))
	defer server.Close()
	b := newBrowser(t)
	for name := range pages {
		b.open(server.URL + "/" + name)
		for _, f := range b.axe(axe) {
			t.Errorf("%s: %s: %s: %s\n%s", name, f.ID, f.Help, f.Nodes[0].HTML, f.Nodes[0].Summary)
		}
	}
	for name := range pages {
		if !strings.Contains(name, "-en-") || strings.HasSuffix(name, "-dark") {
			continue
		}
		b.open(server.URL + "/narrow/" + name)
		wide := do(b, "measure", chromedp.Evaluate[int](`document.querySelector("iframe").contentDocument.documentElement.scrollWidth`))
		if wide > 360 {
			t.Errorf("%s is %d pixels wide on a phone that has 360", name, wide)
		}
	}
	if len(pages) < 40 {
		t.Errorf("axe-core saw %d mails only", len(pages))
	}
}
