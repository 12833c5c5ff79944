package desk

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// The longest texts that a newsletter can have, in characters.
const (
	maxName        = 100
	maxDescription = 300
	maxPostal      = 300
	maxFooter      = 1000
	maxURL         = 500
	maxLinkParams  = 300
)

// checks collects what is wrong, so that all of it can be told at once.
type checks []newsletter.Field

func (c *checks) wrong(field, format string, args ...any) {
	for _, f := range *c {
		if f.Name == field { // the first thing that is wrong with a field is enough
			return
		}
	}
	*c = append(*c, newsletter.Field{Name: field, Message: fmt.Sprintf(format, args...)})
}

// take adds the fields of an Invalid error under the given name.
func (c *checks) take(field string, err error) {
	if err == nil {
		return
	}
	message := err.Error()
	if prefix, rest, ok := strings.Cut(message, ": "); ok && !strings.Contains(prefix, " ") {
		message = rest // the field's name, which the caller knows better
	}
	c.wrong(field, "%s", message)
}

// err returns the Invalid error, or nil if nothing is wrong.
func (c checks) err(message string) error {
	if len(c) == 0 {
		return nil
	}
	return &newsletter.Error{Kind: newsletter.Invalid, Message: message, Fields: c}
}

// text checks a text of at most limit characters; lines says that it can have several lines.
func (c *checks) text(field, value string, required bool, limit int, lines bool) {
	switch {
	case required && strings.TrimSpace(value) == "":
		c.wrong(field, "is missing")
	case !utf8.ValidString(value):
		c.wrong(field, "is not UTF-8")
	case utf8.RuneCountInString(value) > limit:
		c.wrong(field, "has %d characters; at most %d are possible", utf8.RuneCountInString(value), limit)
	case strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && !(lines && r == '\n') }):
		c.wrong(field, "has a line break, tab or control character in it")
	case newsletter.StripPlaces(value) != value:
		c.wrong(field, "has a word in it that is reserved: personal.invalid")
	}
}

// newsletter checks every field.
func (c *checks) newsletter(n newsletter.Newsletter) {
	c.take("slug", newsletter.CheckSlug(n.Slug))
	c.text("name", n.Name, true, maxName, false)
	c.text("description", n.Description, false, maxDescription, false)
	c.address("from", n.From, true)
	c.address("reply_to", n.ReplyTo, false)
	if strings.TrimSpace(n.PostalAddress) == "" {
		c.wrong("postal_address", "is missing; the law of most countries wants the publisher's postal address in every issue")
	}
	c.text("postal_address", n.PostalAddress, true, maxPostal, true)
	if !languageTag.MatchString(n.Language) {
		c.wrong("language", "%q is not a language tag; write it as en, en-GB or zh-Hant-TW", n.Language)
	}
	c.zone(n.Zone)
	c.webURL("privacy_url", n.PrivacyURL)
	c.look(n)
	c.archive(n.Archive)
	c.text("legal_footer", n.LegalFooter, false, maxFooter, true)
	c.linkParams(n.LinkParams)
	c.numbers(n.MinArticles, n.MaxArticles)
	if n.Related < 0 || n.Related > newsletter.MaxRelated {
		c.wrong("related", "%d is not possible; use 0 to %d", n.Related, newsletter.MaxRelated)
	}
	c.schedules(n.Schedules)
	if n.Approval.Manual && n.Offers(newsletter.Immediate) {
		c.wrong("immediate", "goes out as stories come, and cannot wait for somebody to approve it; drop it, or give --approval none")
	}
}

func (c *checks) address(field string, a newsletter.Address, required bool) {
	switch {
	case a == newsletter.Address{} && required:
		c.wrong(field, "is missing; write it as Example News <news@example.org>")
	case a != newsletter.Address{}:
		_, err := mail.ParseMailbox(a.String())
		c.take(field, err)
	}
}

// sender checks that editions are not from the address that confirmations are from (S7).
func (c *checks) sender(n newsletter.Newsletter, confirmFrom string) {
	if confirmFrom != "" && strings.EqualFold(n.From.Email, confirmFrom) {
		c.wrong("from", "%s is the address that confirmation mail is from; if readers report a digest as spam, confirmations must not suffer: use another one here", n.From.Email)
	}
}

// languageTag is the shape of a BCP 47 tag (RFC 5646 §2.1): language, script, region,
// variants. Whether it is registered, no list of ours should decide.
var languageTag = regexp.MustCompile(`^[a-zA-Z]{2,3}(-[a-zA-Z]{4})?(-([a-zA-Z]{2}|[0-9]{3}))?(-([a-zA-Z0-9]{5,8}|[0-9][a-zA-Z0-9]{3})){0,3}$`)

func (c *checks) zone(zone string) {
	_, err := newsletter.Newsletter{Zone: zone}.Location()
	if err != nil || zone == "" || zone == "Local" || len(zone) > 60 {
		c.wrong("zone", "%q is not a time zone; write it as Europe/London or America/New_York", zone)
	}
}

func (c *checks) webURL(field, raw string) {
	if raw == "" {
		return
	}
	c.text(field, raw, false, maxURL, false)
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		c.wrong(field, "%q is not a web address; it has to start with https://", raw)
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *checks) linkParams(raw string) {
	if raw == "" {
		return
	}
	c.text("link_params", raw, false, maxLinkParams, false)
	values, err := url.ParseQuery(raw)
	_, nameless := values[""]
	if err != nil || nameless || strings.ContainsAny(raw, "#? \"<>") {
		c.wrong("link_params", "%q cannot be added to links; write it as utm_source=newsletter&utm_medium=email", raw)
	}
}

func (c *checks) numbers(least, most int) {
	if least < 1 || least > newsletter.LimitArticles {
		c.wrong("min_articles", "%d is not possible; use 1 to %d", least, newsletter.LimitArticles)
	}
	if most < 1 || most > newsletter.LimitArticles {
		c.wrong("max_articles", "%d is not possible; use 1 to %d", most, newsletter.LimitArticles)
	}
	if least > most {
		c.wrong("max_articles", "%d is less than the %d articles that an edition has at least", most, least)
	}
}

// NewsletterEdit is what to change of a newsletter; nil leaves a field as it is. All values
// are as typed, so that everything that is wrong with them can be told at once.
type NewsletterEdit struct {
	Name, Description, From, ReplyTo, PostalAddress *string
	Language, Zone, PrivacyURL, LegalFooter         *string
	LinkParams, Repeats                             *string
	SiteURL, Design, BrandColour, LogoURL, Typeface *string
	MinArticles, MaxArticles, Related               *int
	Approval, ApprovalLead, ApprovalDeadline        *string   // manual or none; times such as 60m
	Canary, CanaryHold                              *string   // a share such as 1%, or none; a time such as 10m
	Welcome                                         *bool     // a mail at once to who has confirmed
	Origins                                         *[]string // sites whose pages may have the form
	Archive, ArchiveCanonical                       *string   // index, noindex or off; an address with {edition} in it
	// Daily and Weekly are rules such as "mon-fri 07:00"; empty: sent by hand only.
	Daily, Weekly *string
	// Slots are rules of any slots; Daily and Weekly are those of the main ones.
	Slots []SlotEdit
	// Immediate offers the cadence immediate; the others say what its readers get.
	Immediate                          bool
	ImmediateQuiet, ImmediateHours     *string // "10m"; "06:00-22:00", empty: the whole day
	ImmediateLabels, ImmediateSections *[]string
	sections                           []newsletter.Section // that the newsletter has
	// Drop names what the newsletter does not offer any more: cadences, "weekly", or slots,
	// "daily/evening".
	Drop []string
}

// apply changes n, notes in c what cannot be read, and returns the names of the fields that
// are different now. A rule that changes counts from now on: its SetAt does not reach back,
// and neither does a rule whose zone changed.
func (e NewsletterEdit) apply(n *newsletter.Newsletter, now time.Time, c *checks) []string {
	before := *n
	var changed []string
	set := func(field string, value *string, to *string) {
		if value == nil {
			return
		}
		if clean := strings.TrimSpace(strings.ReplaceAll(*value, "\r\n", "\n")); clean != *to {
			*to = clean
			changed = append(changed, field)
		}
	}
	set("name", e.Name, &n.Name)
	set("description", e.Description, &n.Description)
	set("postal_address", e.PostalAddress, &n.PostalAddress)
	set("language", e.Language, &n.Language)
	set("zone", e.Zone, &n.Zone)
	set("privacy_url", e.PrivacyURL, &n.PrivacyURL)
	set("legal_footer", e.LegalFooter, &n.LegalFooter)
	set("link_params", e.LinkParams, &n.LinkParams)
	n.LinkParams = strings.TrimPrefix(n.LinkParams, "?")
	if e.Repeats != nil {
		repeats, err := newsletter.ParseRepeats(strings.TrimSpace(*e.Repeats))
		if c.take("repeats", err); err == nil && repeats != cmp.Or(n.Repeats, newsletter.RepeatNever) {
			n.Repeats = repeats
			changed = append(changed, "repeats")
		}
	}
	changed = append(changed, e.applyLook(n, c)...)
	changed = append(changed, e.applyApproval(n, c)...)
	changed = append(changed, e.applyImmediate(n, c)...)
	changed = append(changed, e.applyCanary(n, c)...)
	changed = append(changed, e.applyArchive(n, c)...)
	changed = append(changed, e.applyOrigins(n, c)...)
	if e.Welcome != nil && *e.Welcome != n.Welcome {
		n.Welcome = *e.Welcome
		changed = append(changed, "welcome")
	}
	for _, m := range []struct {
		field string
		value *string
		to    *newsletter.Address
	}{{"from", e.From, &n.From}, {"reply_to", e.ReplyTo, &n.ReplyTo}} {
		if m.value == nil {
			continue
		}
		var a newsletter.Address
		var err error
		if strings.TrimSpace(*m.value) != "" {
			a, err = mail.ParseMailbox(*m.value)
		}
		c.take(m.field, err)
		if err == nil && a != *m.to {
			*m.to = a
			changed = append(changed, m.field)
		}
	}
	for _, m := range []struct {
		field     string
		value, to *int
	}{{"min_articles", e.MinArticles, &n.MinArticles}, {"max_articles", e.MaxArticles, &n.MaxArticles}, {"related", e.Related, &n.Related}} {
		if m.value != nil && *m.value != *m.to {
			*m.to = *m.value
			changed = append(changed, m.field)
		}
	}
	return append(changed, e.applySchedules(n, before, now, c)...)
}
