package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

const mimeJSON = "application/json"

// readJSON reads a JSON body strictly into v, a struct of this endpoint alone: a name that
// it does not have, in just this spelling, or that comes twice, a value of another type and
// anything after the object are named as wrong.
func readJSON(c echo.Context, v any) error {
	kind, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	if err != nil || kind != mimeJSON {
		return &statusError{http.StatusUnsupportedMediaType, "Send JSON, with Content-Type: application/json."}
	}
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return jsonError(err)
	}
	if err := checkObject(body, namesOf(v)); err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return jsonError(err)
	}
	return nil
}

// checkObject checks what encoding/json lets pass: that the body is an object, not null, and
// that its names are among the known ones, spelt just like them, each once.
func checkObject(body []byte, known []string) error {
	d := json.NewDecoder(bytes.NewReader(body))
	first, err := d.Token()
	if err != nil || first != json.Delim('{') {
		return jsonError(err)
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return jsonError(err)
		}
		switch {
		case !slices.Contains(known, name):
			return newsletter.Invalidf(clip(name, 100), "there is no such field here; look for a typing mistake, or leave it out")
		case seen[name]:
			return newsletter.Invalidf(name, "this stands here twice; give it once")
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return jsonError(err)
		}
	}
	if _, err := d.Token(); err != nil {
		return jsonError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &statusError{http.StatusBadRequest, "There is something after the JSON object; send one object."}
	}
	return nil
}

// namesOf returns the names that the struct to which v points has in JSON.
func namesOf(v any) []string {
	t := reflect.TypeOf(v).Elem()
	names := make([]string, t.NumField())
	for i := range names {
		names[i], _, _ = strings.Cut(t.Field(i).Tag.Get("json"), ",")
	}
	return names
}

// jsonError says what is wrong with a body, naming the field where one can be named. err is
// nil if it is JSON and no object.
func jsonError(err error) error {
	if tooLarge(err) {
		return err
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		return newsletter.Invalidf(e.Field, "this is a %s; it has to be %s", jsonWord(e.Value), typeWords(e))
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &statusError{http.StatusBadRequest, fmt.Sprintf("The body is not JSON: it goes wrong at octet %d.", e.Offset)}
	}
	return &statusError{http.StatusBadRequest, "The body is not one JSON object."}
}

// jsonWord is what encoding/json calls a value, without the value itself.
func jsonWord(value string) string {
	word, _, _ := strings.Cut(value, " ")
	return word
}

func typeWords(e *json.UnmarshalTypeError) string {
	if e.Type == nil {
		return "something else"
	}
	switch t := e.Type.String(); {
	case strings.HasPrefix(t, "[]"):
		return "a list of strings"
	case strings.Contains(t, "int"):
		return "a whole number"
	case strings.Contains(t, "string"):
		return "a string"
	}
	return "an object"
}

// signUpRequest is the body of POST /api/v1/subscribe.
type signUpRequest struct {
	Email       string   `json:"email"`
	Newsletters []string `json:"newsletters"`
	Name        string   `json:"name"`
	Cadence     string   `json:"cadence"`
	Slot        string   `json:"slot"`
	Sections    []string `json:"sections"`
	TimeZone    string   `json:"time_zone"`
	Page        string   `json:"page"`
	Placement   string   `json:"placement"`
}

// apiSubscribe does what the form does. The answer is the same for known and unknown
// addresses (S27).
func (a *app) apiSubscribe(c echo.Context) error {
	var r signUpRequest
	if err := readJSON(c, &r); err != nil {
		return err
	}
	o := origin(c, "api")
	o.Page, o.Placement = r.Page, r.Placement
	_, err := a.Readers.SignUp(c.Request().Context(), readers.SignUp{
		Email: r.Email, Name: r.Name, Newsletters: r.Newsletters, Cadence: r.Cadence, Slot: r.Slot,
		TimeZone: r.TimeZone, Sections: r.Sections, Origin: o,
	})
	if err != nil {
		return apiNames(err)
	}
	return sendJSON(c, http.StatusAccepted, mimeJSON, map[string]string{"status": "check_inbox"})
}

// apiNames gives the fields of an Invalid error the names that they have in JSON, where a
// form's repeatable field is a list.
func apiNames(err error) error {
	e, ok := errors.AsType[*newsletter.Error](err)
	if !ok || len(e.Fields) == 0 {
		return err
	}
	renamed := *e
	renamed.Fields = nil
	for _, f := range e.Fields {
		switch f.Name {
		case "newsletter":
			f.Name = "newsletters"
		case "section":
			f.Name = "sections"
		}
		renamed.Fields = append(renamed.Fields, f)
	}
	return &renamed
}

// tokenKey is where the request's token is kept.
const tokenKey = "token"

// authorised lets a request through whose bearer token (RFC 6750) carries the right.
func (a *app) authorised(scope newsletter.Scope) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			scheme, secret, _ := strings.Cut(c.Request().Header.Get(echo.HeaderAuthorization), " ")
			secret = strings.TrimSpace(secret)
			if !strings.EqualFold(scheme, "Bearer") || secret == "" {
				c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer realm="broadsheet"`)
				return &statusError{http.StatusUnauthorized, `This needs an API token: send "Authorization: Bearer TOKEN". Staff make one with "broadsheet token create".`}
			}
			token, err := a.Readers.Authenticate(c.Request().Context(), secret)
			if newsletter.KindOf(err) == newsletter.Forbidden {
				c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer realm="broadsheet", error="invalid_token"`)
				return &statusError{http.StatusUnauthorized, `This API token does not work, or not any more. Staff make one with "broadsheet token create".`}
			}
			if err != nil {
				return err
			}
			if !token.Allows(scope) {
				c.Response().Header().Set(echo.HeaderWWWAuthenticate, fmt.Sprintf(`Bearer realm="broadsheet", error="insufficient_scope", scope=%q`, scope))
				return newsletter.Refusef("scope", "this API token does not allow that; it needs the scope %s", scope)
			}
			c.Set(tokenKey, token)
			return next(c)
		}
	}
}

// staffOrigin says which token acted.
func staffOrigin(c echo.Context) newsletter.Origin {
	o := origin(c, "api")
	if token, ok := c.Get(tokenKey).(newsletter.Token); ok {
		o.Actor = "token:" + token.Name
	}
	return o
}
