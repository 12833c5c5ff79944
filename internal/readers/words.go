package readers

import (
	"strings"

	"broadsheet/internal/newsletter"
)

// consentVersion names the wording of ConsentWords. Whoever changes the wording changes it.
const consentVersion = "2026-11"

// consentLanguage is the language of the wording.
const consentLanguage = "en"

// ConsentWords returns the words of consent for the newsletters, and their version. They
// are plain text of a few sentences; those that stood beside the button that confirms are kept
// with its event (S24).
func (s *Service) ConsentWords(n ...newsletter.Newsletter) (words, version string) {
	w := s.words(n)
	return w.Text, w.Version
}

func (s *Service) words(list []newsletter.Newsletter) newsletter.Words {
	var names, senders, privacy []string
	for _, n := range list {
		names = append(names, n.Name)
		senders = addNew(senders, n.From.Name)
		privacy = addNew(privacy, n.PrivacyURL)
	}
	what, by := "the newsletters that I choose", ""
	if len(names) > 0 {
		what = enumerate(names)
	}
	if len(senders) > 0 {
		by = " from " + enumerate(senders)
	}
	text := "I want to get " + what + by + " by e-mail. " +
		"My address is used for this only, and I can unsubscribe at any time with the link in every mail."
	if len(privacy) > 0 {
		text += " More about how my data is handled: " + strings.Join(privacy, " , ")
	}
	return newsletter.Words{Language: consentLanguage, Version: consentVersion, Text: text}
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
func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
