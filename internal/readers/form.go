package readers

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"broadsheet/internal/newsletter"
)

// The limits of what a form can say, in characters or in number.
const (
	maxName      = 100
	maxPage      = 2000
	maxPlacement = 100
	maxZone      = 64
	maxUserAgent = 300
	maxNote      = 500
	maxSections  = 20 * newsletter.MaxSections
)

// MaxNewsletters is the most newsletters that one form can ask for.
const MaxNewsletters = 20

// problems collects every wrong field, so that a person need not find them one at a time.
type problems []newsletter.Field

func (p *problems) add(field, format string, args ...any) {
	*p = append(*p, newsletter.Field{Name: field, Message: fmt.Sprintf(format, args...)})
}

// addError adds the fields of an Invalid error under the name of the form's field.
func (p *problems) addError(field string, err error) {
	message := err.Error()
	if e, ok := err.(*newsletter.Error); ok && len(e.Fields) > 0 { //nolint:errorlint // straight from a parser, never wrapped
		message = e.Fields[0].Message
	}
	p.add(field, "%s", message)
}

func (p *problems) err() error {
	if len(*p) == 0 {
		return nil
	}
	return &newsletter.Error{Kind: newsletter.Invalid, Fields: *p}
}

// cleanName returns a person's name in one line, or what is wrong with it.
func cleanName(s string) (name, wrong string) {
	if !utf8.ValidString(s) {
		return "", "This name contains characters that cannot be read. Please type it again."
	}
	name = oneLine(s)
	if utf8.RuneCountInString(name) > maxName {
		return "", fmt.Sprintf("A name has at most %d characters.", maxName)
	}
	return name, ""
}

// oneLine makes a text of strangers harmless in logs and tables: white space is one space,
// and what cannot be seen is left out, but for the joiners that some scripts are written with.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == '\u200c' || r == '\u200d':
			return r
		case unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs) || r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// cut returns at most n characters of s.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	runes := []rune(s)
	return string(runes[:min(n, len(runes))])
}

// checkZone reads the name of a time zone; empty is none.
func checkZone(zone string) (wrong string) {
	if zone == "" {
		return ""
	}
	if len(zone) > maxZone || zone == "Local" {
		return "This is not the name of a time zone, such as Europe/London."
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return "This is not the name of a time zone, such as Europe/London."
	}
	return ""
}

// checkPage reads the address of the page that a form stood on; empty is none.
func checkPage(page string) (wrong string) {
	if page == "" {
		return ""
	}
	u, err := url.Parse(page)
	if len(page) > maxPage || err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return fmt.Sprintf("This is not the address of a page (http or https, at most %d characters).", maxPage)
	}
	return ""
}

// cleanOrigin bounds what an origin says: much of it is a stranger's.
func cleanOrigin(o newsletter.Origin) newsletter.Origin {
	return newsletter.Origin{
		Channel:   cut(oneLine(o.Channel), maxPlacement),
		Page:      cut(oneLine(o.Page), maxPage),
		Placement: cut(oneLine(o.Placement), maxPlacement),
		IP:        cut(oneLine(o.IP), maxPlacement),
		UserAgent: cut(oneLine(o.UserAgent), maxUserAgent),
		Actor:     cut(oneLine(o.Actor), maxPlacement),
		Note:      cut(oneLine(o.Note), maxNote),
	}
}

// limitsOf returns the limits of a client and of its network (S28). One household has a /64 of IPv6,
// and one customer of a network a /48. What is no address shares one bucket.
func limitsOf(ip string) []newsletter.Limit {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return []newsletter.Limit{newsletter.ClientLimit("unknown"), newsletter.NetworkLimit("unknown")}
	}
	addr = addr.Unmap().WithZone("")
	client, network := addr.String(), netip.PrefixFrom(addr, 24)
	if addr.Is6() {
		client, network = netip.PrefixFrom(addr, 64).Masked().String(), netip.PrefixFrom(addr, 48)
	}
	return []newsletter.Limit{newsletter.ClientLimit(client), newsletter.NetworkLimit(network.Masked().String())}
}

// choose finds the newsletters of a form among all there are, and what is chosen in each. A
// cadence, slot or section counts in the newsletters that have it, and must be in one of them. The
// error is Conflict for a closed newsletter; what else is wrong is added to p.
func (s *Service) choose(ctx context.Context, all []newsletter.Newsletter, slugs []string, cadence, slot string, sections []string, p *problems) ([]newsletter.Newsletter, []newsletter.SignUpChoice, error) {
	wanted, err := s.wantedOf(all, slugs, p)
	if err != nil || len(wanted) == 0 {
		return nil, nil, err
	}
	rhythms := rhythmsOf(wanted, cadence, slot, p)
	masks, err := s.masksOf(ctx, wanted, sections, p)
	if err != nil {
		return nil, nil, err
	}
	choices := make([]newsletter.SignUpChoice, len(wanted))
	for i, n := range wanted {
		choices[i] = newsletter.SignUpChoice{NewsletterID: n.ID, Cadence: rhythms[i].cadence, Slot: rhythms[i].slot, Sections: masks[i]}
	}
	return wanted, choices, nil
}

func (s *Service) wantedOf(all []newsletter.Newsletter, slugs []string, p *problems) ([]newsletter.Newsletter, error) {
	if len(slugs) > MaxNewsletters {
		p.add("newsletter", "Please choose at most %d newsletters at once.", MaxNewsletters)
		return nil, nil
	}
	if len(slugs) == 0 {
		open := slices.DeleteFunc(slices.Clone(all), func(n newsletter.Newsletter) bool { return n.Status == newsletter.Closed })
		if len(open) == 1 { // what is wrong with the only one is said
			return open, s.takesReaders(open[0])
		}
		p.add("newsletter", "Please choose a newsletter.")
		return nil, nil
	}
	var wanted []newsletter.Newsletter
	for _, slug := range slugs {
		n, ok := bySlug(all, slug)
		if ok {
			if err := s.takesReaders(n); err != nil {
				return nil, err
			}
		}
		switch {
		case !ok:
			p.add("newsletter", "There is no newsletter %.60q.", slug)
		case !slices.ContainsFunc(wanted, func(w newsletter.Newsletter) bool { return w.ID == n.ID }):
			wanted = append(wanted, n)
		}
	}
	// As the store returns a sign-up's choices: the mail is about the first of them, and the
	// page that tells of the mail must mean the same one.
	slices.SortFunc(wanted, func(a, b newsletter.Newsletter) int { return cmp.Compare(a.ID, b.ID) })
	return wanted, nil
}

// takesReaders returns why nobody can sign up for the newsletter. What people would give us
// without being told who we are and what becomes of it (GDPR 13), we do not take; staff are
// told of that by an alarm.
func (s *Service) takesReaders(n newsletter.Newsletter) error {
	switch {
	case n.Status == newsletter.Closed:
		return newsletter.Conflictf("%s has been closed: it takes no new readers.", n.Name)
	case n.MayMail(s.o.BaseURL) != nil:
		return newsletter.Conflictf("%s does not take readers yet. Please come again later: the publisher knows of it.", n.Name)
	}
	return nil
}

// masksOf returns the sections asked for in each newsletter.
func (s *Service) masksOf(ctx context.Context, wanted []newsletter.Newsletter, slugs []string, p *problems) ([]newsletter.Mask, error) {
	masks := make([]newsletter.Mask, len(wanted))
	if len(slugs) == 0 {
		return masks, nil
	}
	if len(slugs) > maxSections {
		p.add("section", "These are too many sections.")
		return masks, nil
	}
	known := map[string]bool{}
	for i, n := range wanted {
		sections, err := s.store.Sections(ctx, n.ID)
		if err != nil {
			return nil, fmt.Errorf("sections of %s: %w", n.Slug, err)
		}
		masks[i] = maskOf(sections, slugs, known)
	}
	for _, slug := range slugs {
		if !known[slug] {
			p.add("section", "There is no section %.60q.", slug)
			break
		}
	}
	return masks, nil
}

// maskOf returns the set of the sections with these slugs and marks the slugs that it knows.
func maskOf(sections []newsletter.Section, slugs []string, known map[string]bool) newsletter.Mask {
	var mask newsletter.Mask
	for _, sec := range sections {
		if slices.Contains(slugs, sec.Slug) {
			mask, known[sec.Slug] = mask.With(sec), true
		}
	}
	return mask
}

// chosen returns the sections in the mask; none for the empty mask, which is everything.
func chosen(sections []newsletter.Section, mask newsletter.Mask) []newsletter.Section {
	var list []newsletter.Section
	for _, sec := range sections {
		if mask.Has(sec) {
			list = append(list, sec)
		}
	}
	return list
}
