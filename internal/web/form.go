package web

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// readForm reads the body of a form's POST, of either kind that browsers send. Values in
// the address are no part of it.
func readForm(c echo.Context) (url.Values, error) {
	r := c.Request()
	kind, _, err := mime.ParseMediaType(r.Header.Get(echo.HeaderContentType))
	switch {
	case err != nil:
	case kind == echo.MIMEApplicationForm:
		err = r.ParseForm()
		if err == nil {
			return r.PostForm, nil
		}
	case kind == echo.MIMEMultipartForm:
		// The body is limited, so all of it can be in memory.
		err = r.ParseMultipartForm(maxBody)
		if err == nil {
			return r.PostForm, nil
		}
	default:
		return nil, &statusError{http.StatusUnsupportedMediaType, "Please send this as a form: application/x-www-form-urlencoded or multipart/form-data."}
	}
	if r.Header.Get(echo.HeaderContentType) == "" {
		return nil, &statusError{http.StatusUnsupportedMediaType, "Please send this as a form: application/x-www-form-urlencoded or multipart/form-data."}
	}
	if tooLarge(err) {
		return nil, err
	}
	return nil, &statusError{http.StatusBadRequest, "The form could not be read. Please go back and send it again."}
}

// signUpForm is the sign-up form as it is shown: with what was typed, and what was wrong.
type signUpForm struct {
	T         texts
	Choices   []newsletterChoice // to choose among; on the page of one newsletter there is one
	One       bool               // that page
	Email     string
	Name      string
	TimeZone  string
	Cadence   string
	Slot      string
	Cadences  []cadenceChoice // empty: there is no choice
	Sections  []sectionChoice
	Chosen    []string // sections that were chosen where they are not shown
	Page      string
	Placement string
	Return    string
	Words     string // of consent
	Problems  []problemOf
}

type newsletterChoice struct {
	newsletter.Newsletter
	Chosen bool
}

type cadenceChoice struct {
	Value  string // "daily", or "daily/evening" where the cadence has several slots
	ID     string // of the control
	Word   string
	When   string
	Chosen bool
}

// cadenceChoices returns what can be chosen of the newsletter: its slots.
func (t texts) cadenceChoices(n newsletter.Newsletter, cadence newsletter.Cadence, slot string) ([]cadenceChoice, error) {
	var list []cadenceChoice
	for _, s := range n.Schedules {
		when, err := t.WhenSlot(n, s.Cadence, s.Slot)
		if err != nil {
			return nil, err
		}
		c := cadenceChoice{
			Value: string(s.Cadence), ID: "cadence-" + string(s.Cadence), Word: t.Cadence(s.Cadence),
			When: when, Chosen: s.Cadence == cadence && s.Slot == n.SlotOf(cadence, slot),
		}
		if len(n.Slots(s.Cadence)) > 1 {
			c.Value, c.ID = c.Value+"/"+s.Slot, c.ID+"-"+s.Slot
		}
		list = append(list, c)
	}
	return list, nil
}

type sectionChoice struct {
	newsletter.Section
	Chosen bool
}

// problemOf is one wrong value: where it stands on the page and what would be right.
type problemOf struct {
	Name    string
	Message string
	Anchor  string // the id of the control; empty: it is not on this page
}

// Problem returns what is wrong with a field, or "".
func (f signUpForm) Problem(name string) string {
	for _, p := range f.Problems {
		if p.Name == name {
			return p.Message
		}
	}
	return ""
}

// Focus reports whether the keyboard should be in this field: it is the only one that is
// wrong. Otherwise the summary of what is wrong has it.
func (f signUpForm) Focus(name string) bool {
	return len(f.Problems) == 1 && f.Problems[0].Name == name && f.Problems[0].Anchor != ""
}

// FocusSummary reports whether the summary of what is wrong should have the focus.
func (f signUpForm) FocusSummary() bool {
	return len(f.Problems) > 1 || len(f.Problems) == 1 && f.Problems[0].Anchor == ""
}

// typed returns the form with what was typed in it.
func typed(values url.Values) signUpForm {
	return signUpForm{
		Email: values.Get("email"), Name: values.Get("name"), TimeZone: values.Get("time_zone"),
		Cadence: values.Get("cadence"), Slot: values.Get("slot"), Chosen: values["section"],
		Page: values.Get("page"), Placement: values.Get("placement"), Return: values.Get("return"),
	}
}

// request returns what the form asks for.
func (f signUpForm) request(values url.Values, o newsletter.Origin) readers.SignUp {
	o.Page, o.Placement = f.Page, f.Placement
	return readers.SignUp{
		Email: f.Email, Name: f.Name, Newsletters: values["newsletter"], Cadence: f.Cadence, Slot: f.Slot,
		TimeZone: f.TimeZone, Sections: f.Chosen, Origin: o,
	}
}

// offer puts the newsletters that can be chosen in the form.
func (f *signUpForm) offer(t texts, list []newsletter.Newsletter, chosen []string) {
	f.T = t
	for _, n := range list {
		f.Choices = append(f.Choices, newsletterChoice{n, slices.Contains(chosen, n.Slug)})
	}
}

// offerOne makes it the form of one newsletter, with its slots and sections.
func (f *signUpForm) offerOne(t texts, n newsletter.Newsletter, sections []newsletter.Section) (err error) {
	f.T, f.One = t, true
	f.Choices = []newsletterChoice{{n, true}}
	if len(n.Schedules) > 1 {
		chosen, slot, _ := strings.Cut(f.Cadence, "/")
		if f.Slot != "" {
			slot = f.Slot
		}
		if !n.Offers(newsletter.Cadence(chosen)) {
			chosen = string(n.Schedules[0].Cadence)
		}
		if f.Cadences, err = t.cadenceChoices(n, newsletter.Cadence(chosen), slot); err != nil {
			return err
		}
		f.Slot = "" // each choice has its own
	}
	for _, s := range sections {
		f.Sections = append(f.Sections, sectionChoice{s, slices.Contains(f.Chosen, s.Slug)})
	}
	return nil
}

// explain puts what was wrong in the form. Call it when everything else is.
func (f *signUpForm) explain(fields []newsletter.Field) {
	anchors := map[string]string{"email": "email", "name": "name", "time_zone": "time_zone"}
	if !f.One && len(f.Choices) > 0 {
		anchors["newsletter"] = "newsletter-" + f.Choices[0].Slug
	}
	if len(f.Cadences) > 0 {
		anchors["cadence"] = f.Cadences[0].ID
		anchors["slot"] = f.Cadences[0].ID
	}
	if len(f.Sections) > 0 {
		anchors["section"] = "section-" + f.Sections[0].Slug
	}
	for _, field := range f.T.problems(fields) {
		f.Problems = append(f.Problems, problemOf{field.Name, field.Message, anchors[field.Name]})
		switch field.Name {
		case "page", "placement":
			// The reader can neither see nor mend these: without them the next try works.
			f.Page, f.Placement = "", ""
		}
	}
}

// sentence returns a message with a capital first letter and a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	if c := s[0]; 'a' <= c && c <= 'z' {
		s = string(c-'a'+'A') + s[1:]
	}
	if !strings.ContainsAny(s[len(s)-1:], ".!?") {
		s += "."
	}
	return s
}

// tooLarge reports whether err says that the body was over the limit.
func tooLarge(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}
