package digest

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"broadsheet/internal/newsletter"
)

// WithCorrections returns the snapshot with these corrections too, as the archive shows what was
// corrected since. One takes the place of an earlier one of the same article. The snapshot that
// was sent stays as it is.
func (s Snapshot) WithCorrections(list []Block) (Snapshot, error) {
	s.Blocks = slices.Clone(s.Blocks)
	for _, b := range list {
		b, err := textBlock(KindCorrection, b, s.Newsletter.LinkParams)
		if err != nil {
			return s, fmt.Errorf("add a correction: %w", err)
		}
		s.Blocks = slices.DeleteFunc(s.Blocks, func(o Block) bool { return o.Kind == KindCorrection && o.Article == b.Article })
		s.Blocks = append(s.Blocks, b)
	}
	return s, nil
}

// CheckCorrection returns an error that names the field if the text cannot be mailed as a
// correction.
func CheckCorrection(field, text string) error {
	if err := CheckMarkdown(field, text); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(cleanText(text)); n > maxText {
		return newsletter.Invalidf(field, "it has %d characters; at most %d are possible", n, maxText)
	}
	return nil
}
