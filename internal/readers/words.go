package readers

import (
	"cmp"
	"strings"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/words"
)

// consentVersion names the wording of consent that comes with the program (consent… in the words of
// the mails). Whoever changes the wording changes it.
const consentVersion = "2026-11"

// ConsentWords returns the words of consent for the newsletters in a language (BCP 47), or in English
// if there are none in it: plain text of a few sentences. Those that stood beside the button that
// confirms are kept with its event (S24).
func (s *Service) ConsentWords(language string, list ...newsletter.Newsletter) (newsletter.Words, error) {
	// Only a language that there is goes on record: what the button's form says is a stranger's.
	tag, _, _ := strings.Cut(language, "-")
	if _, ok := s.o.Templates[words.Prefix+tag]; !ok || tag == "" {
		tag = "en"
	}
	t, err := words.In(s.o.Templates, "mail template", tag)
	if err != nil {
		return newsletter.Words{}, err
	}
	var names, senders, privacy []string
	for _, n := range list {
		names = append(names, n.Name)
		senders = addNew(senders, n.From.Name)
		privacy = addNew(privacy, n.PrivacyURL)
	}
	key := "consent"
	switch {
	case len(names) == 0:
		key = "consent_any"
	case len(senders) > 0:
		key = "consent_from"
	}
	text := strings.NewReplacer("{newsletters}", enumerate(t, names), "{senders}", enumerate(t, senders)).Replace(t[key]) + " " + t["consent_use"]
	if len(privacy) > 0 {
		text += " " + t.Label(t["consent_privacy"]) + " " + strings.Join(privacy, " , ")
	}
	return newsletter.Words{Language: tag, Version: consentVersion, Text: text}, nil
}

// addNew appends what is neither empty nor in the list.
func addNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	if s == "" {
		return list
	}
	return append(list, s)
}

// enumerate joins names as in a sentence: "A, B and C".
func enumerate(t words.Phrases, names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	and := cmp.Or(t["list_and"], "{list}, {last}") // a publisher's own words may be older
	return strings.NewReplacer("{list}", strings.Join(names[:len(names)-1], ", "), "{last}", names[len(names)-1]).Replace(and)
}
