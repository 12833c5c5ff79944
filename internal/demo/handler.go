package demo

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// Handler serves the site. It asks nothing of the network and keeps nothing of its visitors.
func (p *Publisher) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.front)
	mux.HandleFunc("GET /articles/{slug}", p.article)
	mux.HandleFunc("GET /feed.xml", p.serveFeed)
	mux.HandleFunc("GET /images/{file}", p.picture)
	mux.HandleFunc("GET /styles.css", func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, "text/css; charset=utf-8", newDocument(p.stylesheet, p.opened))
	})
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, "image/png", newDocument(p.favicon, p.opened))
	})
	mux.HandleFunc("/", p.missing)
	return p.secure(mux)
}

// secure lets a page load its own styles and pictures, and post its forms to Broadsheet. Browsers hold
// the redirect after a post to form-action too, so the whole origin is named and not one address.
func (p *Publisher) secure(next http.Handler) http.Handler {
	policy := "default-src 'none'; style-src 'self'; img-src 'self'; form-action " + p.subscribeOrigin +
		"; frame-ancestors 'none'; base-uri 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

func (p *Publisher) serveFeed(w http.ResponseWriter, r *http.Request) {
	p.mu.RLock()
	feed := p.feed
	p.mu.RUnlock()
	serve(w, r, "application/rss+xml; charset=utf-8", feed)
}

func (p *Publisher) picture(w http.ResponseWriter, r *http.Request) {
	slug, isPNG := strings.CutSuffix(r.PathValue("file"), ".png")
	s, ok := p.find(slug)
	if !ok || !isPNG {
		p.missing(w, r)
		return
	}
	body, err := p.gallery.png(s.article)
	if err != nil {
		http.Error(w, "This picture could not be drawn.", http.StatusInternalServerError)
		return
	}
	serve(w, r, "image/png", newDocument(body, p.opened))
}

// serve answers conditional requests with 304. Clients may keep a file but ask before they use it.
func serve(w http.ResponseWriter, r *http.Request, contentType string, d document) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("ETag", d.etag)
	h.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", d.modified, bytes.NewReader(d.body))
}

// render writes a page whole or, when the template fails, an error instead of half a page.
func (p *Publisher) render(w http.ResponseWriter, status int, name string, page any) {
	var buf bytes.Buffer
	if err := p.pages[name].ExecuteTemplate(&buf, "layout", page); err != nil {
		http.Error(w, "This page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(status)
	_, _ = buf.WriteTo(w)
}

func (p *Publisher) front(w http.ResponseWriter, _ *http.Request) {
	stories, now := p.edition()
	p.render(w, http.StatusOK, "front", p.frontPage(stories, now))
}

func (p *Publisher) article(w http.ResponseWriter, r *http.Request) {
	s, ok := p.find(r.PathValue("slug"))
	if !ok {
		p.missing(w, r)
		return
	}
	stories, now := p.edition()
	p.render(w, http.StatusOK, "article", p.articlePage(s, stories, now))
}

func (p *Publisher) missing(w http.ResponseWriter, _ *http.Request) {
	stories, now := p.edition()
	p.render(w, http.StatusNotFound, "missing", p.missingPage(stories, now))
}

// today is the line in the masthead.
func today(now time.Time) string { return now.Format("Monday 2 January 2006") }
