package digest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"broadsheet/internal/newsletter"
)

// phrases are the fixed words of the mails by key, in one language. They come from the
// templates words.en, words.en-US and so on: lines of "key: text"; lines that begin with #
// are comments. In a text, {newsletter} and the like stand for what is put in.
type phrases map[string]string

// phrasesFor returns the words in the language: those of its own file (words.pt-BR), for
// what that lacks those of the language in general (words.pt), and else English.
func phrasesFor(t Templates, tag string) (phrases, error) {
	p := phrases{}
	base, _, _ := strings.Cut(tag, "-")
	for _, name := range []string{"words.en", "words." + base, "words." + tag} {
		if err := p.read(name, t[name]); err != nil {
			return nil, err
		}
	}
	if len(p) == 0 {
		return nil, fmt.Errorf("the mail template words.en is missing")
	}
	return p, nil
}

func (p phrases) read(name, source string) error {
	n, own := 0, phrases{}
	for line := range strings.Lines(source) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, text, ok := strings.Cut(line, ":")
		if !ok {
			return fmt.Errorf("mail template %s, line %d: write it as key: text", name, n)
		}
		own[strings.TrimSpace(key)] = strings.TrimSpace(text)
	}
	// A language that has the words for many has no use for the plural forms of another one.
	for key := range own {
		if stem, ok := strings.CutSuffix(key, "_other"); ok {
			for _, form := range []string{"_zero", "_one", "_two", "_few", "_many"} {
				delete(p, stem+form)
			}
		}
	}
	maps.Copy(p, own)
	return nil
}

// with returns the words with values put in for names: with("{newsletter}", "Daily News").
// All are put in at once, so that a value is never read for names.
func (p phrases) with(pairs ...string) phrases {
	r := strings.NewReplacer(pairs...)
	filled := make(phrases, len(p))
	for key, text := range p {
		filled[key] = r.Replace(text)
	}
	return filled
}

// Label returns words as what stands before something, in the language's way: "Privacy policy:".
// Templates call it.
func (p phrases) Label(words string) string {
	if p["label"] == "" { // a publisher's own words.en
		return words + ":"
	}
	return strings.NewReplacer("{words}", words).Replace(p["label"])
}

// count returns the words for so many of something in the language's plural form (CLDR): those
// of key_one, key_two, key_few and so on, or else of key_other.
func (p phrases) count(tag, key string, n int) string {
	form := "other"
	if l, err := language.Parse(cmp.Or(tag, "en")); err == nil {
		forms := map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many"}
		if f, ok := forms[plural.Cardinal.MatchPlural(l, n, 0, 0, 0, 0)]; ok {
			form = f
		}
	}
	text, ok := p[key+"_"+form]
	if !ok {
		text = p[key+"_other"]
	}
	return strings.NewReplacer("{n}", strconv.Itoa(n)).Replace(text)
}

// date returns the date in words, for people.
func (p phrases) date(d newsletter.Date) (string, error) {
	weekdays, months := strings.Split(p["weekdays"], ","), strings.Split(p["months"], ",")
	if len(weekdays) != 7 || len(months) != 12 || p["date"] == "" {
		return "", errDateWords
	}
	return strings.NewReplacer(
		"{weekday}", strings.TrimSpace(weekdays[d.Weekday()]),
		"{day}", p.day(d.Day),
		"{month}", strings.TrimSpace(months[d.Month-1]),
		"{year}", strconv.Itoa(d.Year),
	).Replace(p["date"]), nil
}

var errDateWords = errors.New("the mail template with words needs date, 7 weekdays from Sunday, and 12 months")

// moment returns the words of the key with a moment's date and time put in.
func (p phrases) moment(key string, at time.Time) (string, error) {
	months := strings.Split(p["months"], ",")
	if len(months) != 12 {
		return "", errDateWords
	}
	return strings.NewReplacer("{day}", p.day(at.Day()), "{month}", strings.TrimSpace(months[at.Month()-1]),
		"{year}", strconv.Itoa(at.Year()), "{time}", at.Format("15:04")).Replace(p[key]), nil
}

// day returns the day of the month: French says "1er" and then 2, 3.
func (p phrases) day(n int) string {
	if first := p["first_day"]; n == 1 && first != "" {
		return first
	}
	return strconv.Itoa(n)
}

// direction returns the direction in which the language (BCP 47) is written.
func direction(tag string) string {
	parts := strings.Split(strings.ToLower(tag), "-")
	for _, script := range parts[1:] {
		switch script {
		case "arab", "hebr", "syrc", "thaa", "nkoo", "adlm":
			return "rtl"
		case "latn", "cyrl":
			return "ltr"
		}
	}
	switch parts[0] {
	case "ar", "arc", "ckb", "dv", "fa", "he", "iw", "nqo", "ps", "sd", "ug", "ur", "yi", "ji":
		return "rtl"
	}
	return "ltr"
}
