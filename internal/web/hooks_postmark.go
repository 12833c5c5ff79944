package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/bounce"
	"broadsheet/internal/newsletter"
)

// postmarkCall is what Postmark says of a bounce or a complaint, as far as we use it.
type postmarkCall struct {
	RecordType  string
	ID          int64
	Type        string
	Description string
	Details     string
	Metadata    map[string]string
}

// postmarkPath is the metadata field that has the return path: Postmark replaces the
// envelope's by one of its own.
const postmarkPath = "return-path"

// postmarkKinds says what Postmark's types mean (S18): hard is what lies in the address alone.
var postmarkKinds = map[string]struct {
	kind   newsletter.ReturnKind
	reason string
}{
	"HardBounce":          {newsletter.ReturnHard, bounce.ReasonUserUnknown},
	"BadEmailAddress":     {newsletter.ReturnHard, bounce.ReasonUserUnknown},
	"SpamComplaint":       {newsletter.ReturnComplaint, bounce.ReasonFeedback},
	"AutoResponder":       {newsletter.ReturnAutoReply, bounce.ReasonVacation},
	"Transient":           {newsletter.ReturnSoft, bounce.ReasonDelayed},
	"DnsError":            {newsletter.ReturnSoft, bounce.ReasonNetwork},
	"SoftBounce":          {newsletter.ReturnSoft, bounce.ReasonUnknown},
	"SpamNotification":    {newsletter.ReturnSoft, bounce.ReasonSpam},
	"VirusNotification":   {newsletter.ReturnSoft, bounce.ReasonVirus},
	"Blocked":             {newsletter.ReturnSoft, bounce.ReasonBlocked},
	"DMARCPolicy":         {newsletter.ReturnSoft, bounce.ReasonAuthFailed},
	"Unknown":             {newsletter.ReturnSoft, bounce.ReasonUnknown},
	"ManuallyDeactivated": {newsletter.ReturnOther, ""},
}

// hookPostmark takes what Postmark reports. Postmark signs nothing: it shows a user and a
// password.
func (a *app) hookPostmark(c echo.Context) error {
	user, password, ok := c.Request().BasicAuth()
	given, want := sha256.Sum256([]byte(user+":"+password)), sha256.Sum256([]byte(a.Hooks.Postmark))
	if !ok || subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Basic realm="broadsheet"`)
		return &statusError{http.StatusUnauthorized, "Call with the user and the password of BROADSHEET_POSTMARK_SECRET, as in https://user:password@host/hooks/postmark."}
	}
	var call postmarkCall
	if err := json.NewDecoder(c.Request().Body).Decode(&call); err != nil {
		return jsonError(err)
	}
	if call.RecordType != "Bounce" && call.RecordType != "SpamComplaint" {
		return sendJSON(c, http.StatusOK, mimeJSON, hookAnswer{Status: "ignored"})
	}
	if call.ID == 0 {
		return newsletter.Invalidf("ID", "is missing")
	}
	r := call.report()
	taken, again, err := a.takeOnce(c, channelPostmark, call.RecordType+strconv.FormatInt(call.ID, 10), func(ctx context.Context) (bounce.Taken, error) {
		return a.Hooks.Bounces.TakeReturn(ctx, call.Metadata[postmarkPath], r)
	})
	if err != nil {
		return err
	}
	if again {
		taken = bounce.Taken{Known: true, Again: true}
	}
	return answerTaken(c, taken)
}

func (p *postmarkCall) report() newsletter.Return {
	name := p.Type
	if p.RecordType == "SpamComplaint" {
		name = p.RecordType
	}
	known, ok := postmarkKinds[name]
	if !ok {
		known.kind = newsletter.ReturnOther
	}
	said := p.Details
	if said == "" {
		said = p.Description
	}
	return newsletter.Return{
		Kind: known.kind, Reason: known.reason, Diagnostic: fmt.Sprintf("Postmark %s: %s", name, said), Channel: channelPostmark,
	}
}
