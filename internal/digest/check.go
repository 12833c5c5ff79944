package digest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/words"
)

// Check executes the templates of every mail with samples of every shape, in the languages that
// have words of their own, and returns all that is wrong with them: a syntax error, a field that
// there is not, a place that is missing, a file that nothing reads. Each error names the file,
// and the line where there is one.
func Check(t Templates) error {
	found := Unread(t)
	for _, d := range newsletter.Designs() {
		if err := checkDesign(t, d); err != nil {
			found = append(found, err)
		}
	}
	for _, language := range words.Languages(t) {
		fixed, err := words.In(t, "mail template", language)
		if err == nil {
			_, err = fixed.Date(newsletter.Date{Year: 2026, Month: 1, Day: 1})
		}
		if err != nil {
			found = append(found, err)
		}
	}
	for _, s := range MailSamples("en", "https://news.example.org") {
		if _, err := s.Render(t); err != nil {
			found = append(found, err)
		}
	}
	return errors.Join(distinct(found)...)
}

// checkDesign returns the first thing that is wrong with a design; what is wrong twice is
// mended once.
func checkDesign(t Templates, d newsletter.Design) error {
	list, err := Samples(t, d, "en", "https://news.example.org")
	if err != nil {
		return err
	}
	for _, s := range list {
		if len(s.Copy.Articles) > heavy {
			continue // template check renders them; a start must not take long
		}
		if _, err := Render(s.Snapshot, s.Copy); err != nil {
			return err
		}
	}
	return nil
}

// Unread returns an error for each file that nothing reads.
func Unread(t Templates) []error {
	var known []string
	for _, d := range newsletter.Designs() {
		known = append(known, designFiles(d).names()...)
	}
	for _, s := range MailSamples("en", "https://news.example.org") {
		known = append(known, s.files().names()...)
	}
	var found []error
	for name := range t {
		if slices.Contains(known, name) || strings.HasPrefix(name, words.Prefix) {
			continue
		}
		hint := "remove it, or give it the name of the template that it is to replace"
		if name == "digest.html" || name == "digest.txt" {
			hint = "the designs have files of their own now: call it brief" + strings.TrimPrefix(name, "digest")
		}
		found = append(found, fmt.Errorf("mail template %s: nothing reads it; %s", name, hint))
	}
	slices.SortFunc(found, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return found
}

func (f mailFiles) names() []string {
	return slices.Concat(f.html, f.text, []string{f.subject, f.preheader})
}

// distinct leaves out errors that say what another one said.
func distinct(errs []error) []error {
	var list []error
	for _, err := range errs {
		if !slices.ContainsFunc(list, func(e error) bool { return e.Error() == err.Error() }) {
			list = append(list, err)
		}
	}
	return list
}
