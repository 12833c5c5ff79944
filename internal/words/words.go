// Package words has the fixed words of mails and pages, in the languages that there are files of
// words for. A file, words.de, has lines of "key: text"; lines that begin with # are comments. In a
// text {newsletter} and the like stand for what is put in.
package words

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"broadsheet/internal/newsletter"
)

// Phrases are the words of one language by key.
type Phrases map[string]string

// Prefix is how the names of files of words begin.
const Prefix = "words."

// In returns the words in a language (BCP 47): those of its own file (words.pt-BR), for what that
// lacks those of the language in general (words.pt), and else English. What says what the files
// are, for errors: "mail template".
func In(files map[string]string, what, tag string) (Phrases, error) {
	p := Phrases{}
	base, _, _ := strings.Cut(tag, "-")
	for _, name := range []string{Prefix + "en", Prefix + base, Prefix + tag} {
		own, err := Read(files[name], what+" "+name)
		if err != nil {
			return nil, err
		}
		p.Add(own)
	}
	if len(p) == 0 {
		return nil, fmt.Errorf("the %s words.en is missing", what)
	}
	return p, nil
}

// Read returns the words of one file, which an error calls by its name.
func Read(source, name string) (Phrases, error) {
	n, own := 0, Phrases{}
	for line := range strings.Lines(source) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, text, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("%s, line %d: write it as key: text", name, n)
		}
		own[strings.TrimSpace(key)] = strings.TrimSpace(text)
	}
	return own, nil
}

// Add puts the words of another file in, in place of those that are there. A language that has the
// words for many has no use for the plural forms of another one.
func (p Phrases) Add(own Phrases) {
	for key := range own {
		if stem, ok := strings.CutSuffix(key, "_other"); ok {
			for _, form := range []string{"_zero", "_one", "_two", "_few", "_many"} {
				delete(p, stem+form)
			}
		}
	}
	maps.Copy(p, own)
}

// With returns the words with values put in for names: With("{newsletter}", "Daily News").
// All are put in at once, so that a value is never read for names.
func (p Phrases) With(pairs ...string) Phrases {
	r := strings.NewReplacer(pairs...)
	filled := make(Phrases, len(p))
	for key, text := range p {
		filled[key] = r.Replace(text)
	}
	return filled
}

// Label returns words as what stands before something, in the language's way: "Privacy policy:".
// Templates call it.
func (p Phrases) Label(words string) string {
	if p["label"] == "" { // a publisher's own words.en
		return words + ":"
	}
	return strings.NewReplacer("{words}", words).Replace(p["label"])
}

// Count returns the words for so many of something in the plural form (CLDR) of the language tag:
// those of key_one, key_two, key_few and so on, or else of key_other.
func (p Phrases) Count(tag, key string, n int) string {
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

// Date returns the date in words, for people.
func (p Phrases) Date(d newsletter.Date) (string, error) {
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

// Moment returns the words of the key with a moment's date and time put in.
func (p Phrases) Moment(key string, at time.Time) (string, error) {
	months := strings.Split(p["months"], ",")
	if len(months) != 12 {
		return "", errDateWords
	}
	return strings.NewReplacer("{day}", p.day(at.Day()), "{month}", strings.TrimSpace(months[at.Month()-1]),
		"{year}", strconv.Itoa(at.Year()), "{time}", at.Format("15:04")).Replace(p[key]), nil
}

// day returns the day of the month: French says "1er" and then 2, 3.
func (p Phrases) day(n int) string {
	if first := p["first_day"]; n == 1 && first != "" {
		return first
	}
	return strconv.Itoa(n)
}

// Languages returns the languages that have a file of words, English first.
func Languages(files map[string]string) []string {
	list := []string{"en"}
	for name := range files {
		if tag, ok := strings.CutPrefix(name, Prefix); ok && tag != "en" {
			list = append(list, tag)
		}
	}
	slices.Sort(list[1:])
	return list
}

// Direction returns the direction in which the language (BCP 47) is written.
func Direction(tag string) string {
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
