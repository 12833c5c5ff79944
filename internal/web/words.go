package web

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"broadsheet/internal/newsletter"
)

// Cadence is a cadence as the name of a choice: "Daily".
func (t texts) Cadence(c newsletter.Cadence) string {
	if word := t["cadence_"+string(c)]; word != "" {
		return upperFirst(word)
	}
	return string(c)
}

// When says in words when a newsletter comes at a cadence: "Monday to Friday at 07:00, London
// time", or "… at 07:00 or Monday to Friday at 18:00, London time" where readers can choose.
// It is empty if there is no fixed time.
func (t texts) When(n newsletter.Newsletter, c newsletter.Cadence) (string, error) {
	if c == newsletter.Immediate {
		return t.immediate(n)
	}
	var rules []string
	for _, s := range n.Slots(c) {
		if s.Rule.IsZero() {
			continue
		}
		rule, err := t.rule(s.Rule)
		if err != nil {
			return "", err
		}
		rules = append(rules, rule)
	}
	if len(rules) == 0 {
		return "", nil
	}
	list, err := t.list("or", rules)
	if err != nil {
		return "", err
	}
	zone, err := t.Zone(n.Zone)
	if err != nil {
		return "", err
	}
	words, err := t.Text("rules", "rules", list, "zone", zone)
	return upperFirst(words), err
}

// WhenSlot is When of one slot.
func (t texts) WhenSlot(n newsletter.Newsletter, c newsletter.Cadence, slot string) (string, error) {
	slot = n.SlotOf(c, slot)
	n.Schedules = slices.DeleteFunc(slices.Clone(n.Schedules), func(s newsletter.Schedule) bool { return s.Slot != slot })
	return t.When(n, c)
}

// immediate says what readers get who want each story as it comes.
func (t texts) immediate(n newsletter.Newsletter) (string, error) {
	if !n.Offers(newsletter.Immediate) {
		return "", nil
	}
	rule, key := n.Immediate, "immediate_any"
	if len(rule.Labels) > 0 || rule.Sections != 0 {
		key = "immediate_important"
	}
	quiet, err := t.quiet(rule.Quiet)
	if err != nil {
		return "", err
	}
	pairs := []any{"time", quiet}
	if rule.Hours != (newsletter.Hours{}) {
		from, until, _ := strings.Cut(rule.Hours.String(), "-")
		zone, err := t.Zone(n.Zone)
		if err != nil {
			return "", err
		}
		key, pairs = key+"_hours", append(pairs, "from", from, "until", until, "zone", zone)
	}
	words, err := t.Text(key, pairs...)
	return upperFirst(words), err
}

// quiet says "10 minutes", "1 hour".
func (t texts) quiet(d time.Duration) (string, error) {
	if d%time.Hour == 0 {
		return t.Count("hours", int(d/time.Hour))
	}
	return t.Count("minutes", int(d/time.Minute))
}

// rule says a rule in words, from its short form "mon-fri 07:00".
func (t texts) rule(r newsletter.Rule) (string, error) {
	days, clock, ok := strings.Cut(r.String(), " ")
	if !ok {
		return r.String(), nil
	}
	said, err := t.days(days)
	if err != nil {
		return "", err
	}
	return t.Text("rule", "days", said, "time", clock)
}

// days says "mon-fri,sun" in words.
func (t texts) days(days string) (string, error) {
	if days == "mon-sun" {
		return t.Text("every_day")
	}
	var parts []string
	for part := range strings.SplitSeq(days, ",") {
		said := ""
		first, last, isRange := strings.Cut(part, "-")
		from, err := t.day("days_each", first)
		if err == nil && isRange {
			if from, err = t.day("days_between", first); err == nil {
				last, err = t.day("days_between", last)
			}
			if err == nil {
				said, err = t.Text("days_range", "first", from, "last", last)
			}
		} else {
			said = from
		}
		if err != nil {
			return "", err
		}
		parts = append(parts, said)
	}
	return t.list("and", parts)
}

// day returns the weekday that a rule writes with three letters, in the form that a key has.
func (t texts) day(key, short string) (string, error) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(d.String()[:3], short) {
			return t.weekday(key, d)
		}
	}
	return short, nil
}

func (t texts) weekday(key string, d time.Weekday) (string, error) {
	names := strings.Split(t[key], ",")
	if len(names) != 7 {
		return "", fmt.Errorf("words.%s of the pages: %s has to be 7 weekdays from Sunday, with commas", t.Tag(), key)
	}
	return strings.TrimSpace(names[d]), nil
}

// Zone names a time zone by its city: "London time".
func (t texts) Zone(zone string) (string, error) {
	city := zone[strings.LastIndexByte(zone, '/')+1:]
	switch city {
	case "", "UTC", "GMT", "Zulu", "Universal":
		return "UTC", nil
	}
	return t.Text("zone", "city", strings.ReplaceAll(city, "_", " "))
}

// Due says when something comes, in a time zone: "tomorrow, Tuesday 24 November, at 07:00 London
// time".
func (t texts) Due(at time.Time, zone string, now time.Time) (string, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc, zone = time.UTC, "UTC"
	}
	at, today := at.In(loc), newsletter.DateOf(now.In(loc))
	date := newsletter.DateOf(at)
	day, err := t.Day(date, date.Year != today.Year)
	if err != nil {
		return "", err
	}
	where, err := t.Zone(zone)
	if err != nil {
		return "", err
	}
	key := "due_on"
	switch date {
	case today:
		key = "due_today"
	case today.AddDays(1):
		key = "due_tomorrow"
	}
	return t.Text(key, "date", day, "time", at.Format("15:04"), "zone", where)
}

// dueFor says when something comes, in the reader's own zone if it is known and its clocks are others.
func (t texts) dueFor(at time.Time, zone, readerZone string, now time.Time) (string, error) {
	theirs, err := t.Due(at, zone, now)
	if err != nil || readerZone == "" {
		return theirs, err
	}
	reader, err := time.LoadLocation(readerZone)
	if err != nil {
		return theirs, nil
	}
	there, err := time.LoadLocation(zone)
	if err != nil || at.In(reader).Format(time.DateTime) == at.In(there).Format(time.DateTime) {
		return theirs, nil
	}
	own, err := t.Due(at, readerZone, now)
	if err != nil {
		return "", err
	}
	city, err := t.Zone(zone)
	if err != nil {
		return "", err
	}
	return t.Text("due_both", "when", own, "time", at.In(there).Format("15:04"), "zone", city)
}

// date says the date of a moment in a zone, with its year if it is another one.
func (t texts) date(at time.Time, zone string, now time.Time) (string, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	return t.Day(newsletter.DateOf(at.In(loc)), at.In(loc).Year() != now.In(loc).Year())
}

// Day says a date inside a sentence: "Tuesday 24 November".
func (t texts) Day(d newsletter.Date, withYear bool) (string, error) {
	months := strings.Split(t["months"], ",")
	if len(months) != 12 {
		return "", fmt.Errorf("words.%s of the mails needs 12 months", t.Tag())
	}
	weekday, err := t.weekday("days", d.Weekday())
	if err != nil {
		return "", err
	}
	key, day := "date_short", fmt.Sprint(d.Day)
	if withYear {
		key = "date_long"
	}
	if first := t["first_day"]; d.Day == 1 && first != "" { // French: 1er
		day = first
	}
	return t.Text(key, "weekday", weekday, "day", day, "month", strings.TrimSpace(months[d.Month-1]), "year", d.Year)
}

// list joins as one says it: "a, b and c".
func (t texts) list(key string, list []string) (string, error) {
	if len(list) < 2 {
		return strings.Join(list, ""), nil
	}
	return t.Text(key, "list", strings.Join(list[:len(list)-1], ", "), "last", list[len(list)-1])
}

// Names lists newsletters by name as one says it: "the Daily, the Weekend and the Sport".
func (t texts) Names(list []newsletter.Newsletter) (template.HTML, error) {
	var said template.HTML
	for i, n := range list {
		name := "<b>" + inLanguage(n.Language, n.Name) + "</b>"
		switch {
		case i == 0:
			said = name
		case i < len(list)-1:
			said += ", " + name
		default:
			return t.Say("and", "list", said, "last", name)
		}
	}
	return said, nil
}

// Sections names the chosen sections, everything if there was no choice.
func (t texts) Sections(list []newsletter.Section) (string, error) {
	if len(list) == 0 {
		return upperFirst(t["everything"]), nil
	}
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = s.Name
	}
	return t.list("and", names)
}

// upperFirst returns words as they begin a line.
func upperFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// count says a number of things on the pages for staff: "1 mail", "2 mails".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
