package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// assets are the files that pages refer to. Their names hold a hash of what is in them, so
// that a browser can keep them for ever and never shows an old one.
type assets struct {
	style, icon asset
	copy        asset // for staff who copy a form
	embed       asset // at /embed.js, by its own name
}

type asset struct {
	name        string // below /assets/
	contentType string
	body        []byte
}

func loadAssets(fsys fs.FS) (assets, error) {
	style, err := loadAsset(fsys, "style.css", "text/css; charset=utf-8")
	if err != nil {
		return assets{}, err
	}
	icon, err := loadAsset(fsys, "icon.svg", "image/svg+xml")
	if err != nil {
		return assets{}, err
	}
	script, err := loadAsset(fsys, "copy.js", "text/javascript; charset=utf-8")
	if err != nil {
		return assets{}, err
	}
	embed, err := loadAsset(fsys, "embed.js", "text/javascript; charset=utf-8")
	return assets{style, icon, script, embed}, err
}

func loadAsset(fsys fs.FS, file, contentType string) (asset, error) {
	body, err := fs.ReadFile(fsys, "web/"+file)
	if err != nil {
		return asset{}, fmt.Errorf("web file: %w", err)
	}
	sum := sha256.Sum256(body)
	base, ext, _ := strings.Cut(file, ".")
	return asset{base + "." + hex.EncodeToString(sum[:6]) + "." + ext, contentType, body}, nil
}

func (a *app) asset(c echo.Context) error {
	for _, f := range []asset{a.assets.style, a.assets.icon, a.assets.copy} {
		if c.Param("file") == f.name {
			c.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			return c.Blob(http.StatusOK, f.contentType, f.body)
		}
	}
	return echo.ErrNotFound
}

// sendFor sends a file that has one address for ever, to be kept for a while.
func (a *app) sendFor(c echo.Context, f asset, keep string) error {
	h := c.Response().Header()
	h.Set("Content-Type", f.contentType)
	h.Set("ETag", `"`+f.name+`"`)
	h.Set("Cache-Control", keep)
	c.Request().Header.Del("Range")
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(f.body))
	return nil
}

// favicon answers browsers that ask for an icon without having read a page.
func (a *app) favicon(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "public, max-age=86400")
	return c.Blob(http.StatusOK, a.assets.icon.contentType, a.assets.icon.body)
}

// robots keeps crawlers to the pages that are for everybody.
func (a *app) robots(c echo.Context) error {
	var b strings.Builder
	b.WriteString("User-agent: *\n")
	for _, path := range []string{"/api/", "/check-inbox", "/confirm/", "/manage/", "/outbox", "/staff/", "/subscribe", "/unsubscribe/"} {
		b.WriteString("Disallow: " + a.path(path) + "\n")
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=86400")
	return c.String(http.StatusOK, b.String())
}

// healthy says that the program runs, and which version.
func (a *app) healthy(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.String(http.StatusOK, strings.TrimSpace("ok "+a.Version)+"\n")
}

// ready says whether requests can be served. Why not, only the log says.
func (a *app) ready(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	if err := a.Health(c.Request().Context()); err != nil {
		a.Logger.Error("not ready", "error", err)
		return c.String(http.StatusServiceUnavailable, "not ready\n")
	}
	return c.String(http.StatusOK, "ready\n")
}
