package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// observe answers errors and panics, and writes one line for each request. The line has the
// route and never the address or its query: those hold tokens. It has no client address
// either: where one matters, it is on record with what was done.
func (a *app) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now() // for the duration alone
		if err := recovered(next, c); err != nil {
			c.Error(err)
		}
		level := slog.LevelInfo
		switch c.Path() {
		case "/healthz", "/readyz", "/metrics", "/assets/:file", "/favicon.ico":
			level = slog.LevelDebug
		}
		route := c.Path()
		if route == "" {
			route = "none"
		}
		method, took := knownMethod(c.Request().Method), time.Since(start)
		a.Logger.Log(c.Request().Context(), level, "request", "method", method, "route", route, "status", c.Response().Status,
			"bytes", c.Response().Size, "duration_ms", took.Milliseconds())
		a.meters.saw(method, route, c.Response().Status, took)
		return nil
	}
}

// recovered runs the handler and returns a panic in it as an error. Its value is left out:
// it may hold what somebody typed.
func recovered(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if e, ok := p.(error); ok && errors.Is(e, http.ErrAbortHandler) {
				panic(p)
			}
			err = fmt.Errorf("panic (%T) in %s: %s", p, c.Path(), debug.Stack())
		}
	}()
	return next(c)
}

// knownMethod keeps words that a stranger made up out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// policy is the Content-Security-Policy of every page: our own style sheet, our own icon,
// forms to ourselves, and nothing else at all (S34).
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secure sets the headers that every answer has.
func (a *app) secure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if a.base.Scheme == "https" {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

// private marks pages that hold a token, or something about a person.
func private(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-store")
		c.Response().Header().Set("X-Robots-Tag", "noindex, nofollow")
		return next(c)
	}
}

// limitBody refuses requests with more octets than the limit.
func limitBody(limit func(*http.Request) int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			size := limit(r)
			if r.ContentLength > size {
				return &http.MaxBytesError{Limit: size}
			}
			r.Body = http.MaxBytesReader(c.Response().Writer, r.Body, size)
			return next(c)
		}
	}
}

// isAPI reports whether a program asked, which reads problem details, not pages.
func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") || isHook(r) }

// gone reports whether err only says that the client has gone away.
func gone(c echo.Context, err error) bool {
	return errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil
}
