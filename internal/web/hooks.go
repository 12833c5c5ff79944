package web

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/bounce"
	"broadsheet/internal/newsletter"
)

// Hooks is what the addresses below /hooks/ need, where other systems tell what came back.
// Each of them is there only if its setting is.
type Hooks struct {
	Bounces   Bounces
	Calls     HookCalls
	Secret    string       // that the generic hook's calls are signed with
	SESTopics []string     // the ARNs of the topics that Amazon SES publishes to
	Postmark  string       // user:password that Postmark calls with
	Client    *http.Client // fetches from Amazon; it must have a time-out and follow no redirects
}

// Bounces takes what came back; *bounce.Service is one.
type Bounces interface {
	// Take reads a message and has it on record before it returns.
	Take(ctx context.Context, in bounce.Incoming) (bounce.Taken, error)
	// TakeReturn does so with a report that was understood already.
	TakeReturn(ctx context.Context, returnPath string, r newsletter.Return) (bounce.Taken, error)
}

// HookCalls remembers which calls were taken.
type HookCalls interface {
	HookSeen(ctx context.Context, hash []byte) (bool, error)
	NoteHook(ctx context.Context, hash []byte, now, forget time.Time) error
}

// The limits of hooks.
const (
	maxHookBody   = 1 << 20         // octets; Amazon sends at most 256 kB
	signatureTime = 5 * time.Minute // how old a signed call may be, or how far ahead its clock
	// callsKept is how long calls are remembered: longer than anybody may make one again.
	callsKept = 4 * 24 * time.Hour
)

// The names of the ways in, as they are recorded.
const (
	channelHook     = "webhook"
	channelSES      = "ses"
	channelPostmark = "postmark"
)

// hooks lists the addresses that other systems call.
func (a *app) hooks(e *echo.Echo) {
	if a.Hooks == nil {
		return
	}
	if a.Hooks.Secret != "" {
		e.POST("/hooks/bounce", a.hookBounce, private)
	}
	if len(a.Hooks.SESTopics) > 0 {
		e.POST("/hooks/ses", a.hookSES, private)
	}
	if a.Hooks.Postmark != "" {
		e.POST("/hooks/postmark", a.hookPostmark, private)
	}
}

// isHook reports whether a program calls a hook.
func isHook(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/hooks/") }

// bodyLimit returns how many octets a request may have.
func bodyLimit(r *http.Request) int64 {
	if isHook(r) {
		return maxHookBody
	}
	return maxBody
}

// hookAnswer is what a hook answers.
type hookAnswer struct {
	Status string `json:"status"` // taken, known, not_ours, ignored
	Effect string `json:"effect,omitempty"`
}

var errUnsigned = &statusError{http.StatusUnauthorized, "The call is not signed as it has to be, or its time is off by more than five minutes. docs/api.md says how it is signed."}

// hookRequest is the body of POST /hooks/bounce.
type hookRequest struct {
	ID         string `json:"id"`
	ReturnPath string `json:"return_path"`
	Kind       string `json:"kind"`
	Status     string `json:"status"`
	Code       int    `json:"code"`
	Reason     string `json:"reason"`
	Diagnostic string `json:"diagnostic"`
	Address    string `json:"address"`
}

// hookBounce takes a report that some system of the publisher's has understood. A call that
// was taken already is refused.
func (a *app) hookBounce(c echo.Context) error {
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return err
	}
	h := c.Request().Header
	if !a.signed(h.Get("Broadsheet-Timestamp"), h.Get("Broadsheet-Signature"), body) {
		return errUnsigned
	}
	var r hookRequest
	c.Request().Body = io.NopCloser(bytes.NewReader(body))
	if err := readJSON(c, &r); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	taken, again, err := a.takeOnce(c, channelHook, r.ID, func(ctx context.Context) (bounce.Taken, error) {
		return a.Hooks.Bounces.TakeReturn(ctx, r.ReturnPath, newsletter.Return{
			Kind: newsletter.ReturnKind(r.Kind), Status: r.Status, Code: r.Code, Reason: r.Reason,
			Diagnostic: r.Diagnostic, Address: r.Address, Channel: channelHook,
		})
	})
	switch {
	case err != nil:
		return err
	case again:
		return &statusError{http.StatusConflict, "A call with this id was taken already; there is nothing left to do."}
	case !taken.Known:
		return &statusError{http.StatusNotFound, "The return path is none of ours, so nothing was changed. Give it as the message had it: b+TOKEN@domain."}
	}
	return answerTaken(c, taken)
}

// check returns an Invalid error for what cannot be taken.
func (r *hookRequest) check() error {
	var wrong []newsletter.Field
	if r.ID == "" || len(r.ID) > 200 {
		wrong = append(wrong, newsletter.Field{Name: "id", Message: "has to be 1 to 200 octets, another one for each report"})
	}
	if r.ReturnPath == "" {
		wrong = append(wrong, newsletter.Field{Name: "return_path", Message: "is missing: the envelope sender of the message that came back"})
	}
	if !slices.Contains(newsletter.ReturnKinds(), newsletter.ReturnKind(r.Kind)) {
		wrong = append(wrong, newsletter.Field{Name: "kind", Message: "has to be hard, soft, complaint, auto_reply or other"})
	}
	if r.Reason != "" && !slices.Contains(bounce.Reasons(), r.Reason) {
		wrong = append(wrong, newsletter.Field{Name: "reason", Message: "has to be empty or one of: " + strings.Join(bounce.Reasons(), ", ") + "; what was said goes into diagnostic"})
	}
	if r.Kind == string(newsletter.ReturnHard) && (strings.HasPrefix(r.Status, "4.") || r.Code/100 == 4 || r.Reason != "" && !bounce.Hard(r.Reason)) {
		wrong = append(wrong, newsletter.Field{Name: "kind", Message: "is hard, and the rest says that the address may be good: that is soft"})
	}
	if len(wrong) == 0 {
		return nil
	}
	return &newsletter.Error{Kind: newsletter.Invalid, Message: "the report cannot be taken", Fields: wrong}
}

// signed reports whether the body was signed with the secret a short time ago:
// v1=hex(HMAC-SHA256(secret, timestamp + "." + body)).
func (a *app) signed(timestamp, signature string, body []byte) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || a.Now().Sub(time.Unix(seconds, 0)).Abs() > signatureTime {
		return false
	}
	given, err := hex.DecodeString(strings.TrimPrefix(signature, "v1="))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(a.Hooks.Secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return hmac.Equal(given, mac.Sum(nil))
}

// takeOnce takes a call unless one with this number was taken. It is remembered only after
// what it says is on record: a call that failed can be made again, and one that is made again
// because nobody heard our answer changes nothing.
func (a *app) takeOnce(c echo.Context, channel, id string, take func(context.Context) (bounce.Taken, error)) (taken bounce.Taken, again bool, err error) {
	ctx := c.Request().Context()
	hash := sha256.Sum256([]byte(channel + "\x00" + id))
	if again, err = a.Hooks.Calls.HookSeen(ctx, hash[:]); err != nil || again {
		return taken, again, err
	}
	if taken, err = take(ctx); err != nil {
		return taken, false, errors.Join(errors.New("take what a web hook reports"), err)
	}
	if !taken.Known { // whoever gave a wrong return path may give the right one
		return taken, false, nil
	}
	now := a.Now()
	return taken, false, a.Hooks.Calls.NoteHook(ctx, hash[:], now, now.Add(-callsKept))
}

// answerTaken says what was done. Systems that call again what is not answered with 200 get
// it also for what they told before, and for what is not about mail of ours.
func answerTaken(c echo.Context, t bounce.Taken) error {
	a := hookAnswer{Status: "taken", Effect: t.Effect}
	switch {
	case !t.Known:
		a.Status = "not_ours"
	case t.Again:
		a.Status = "known"
	}
	return sendJSON(c, http.StatusOK, mimeJSON, a)
}
