package newsletter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// aboutNothing stands for words that speak of no story.
const aboutNothing = "none"

// ParseAbout reads of which articles the editors' subject and preheader speak: "12, 13", "none"
// (an empty list: every copy has them), or nothing (nil: the first article of the edition).
func ParseAbout(text string) ([]int64, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, nil
	case strings.EqualFold(text, aboutNothing):
		return []int64{}, nil
	}
	var ids []int64
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		id, err := strconv.ParseInt(word, 10, 64)
		if err != nil || id < 1 {
			return nil, Invalidf("about", "%q is not the number of an article; write 12, 13 for the articles that the subject speaks of, or none if every reader is to get it", shortened(word))
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, Invalidf("about", "%q names no article", shortened(text))
	}
	return ids, nil
}

// formatAbout writes what ParseAbout reads.
func formatAbout(ids []int64) string {
	if ids != nil && len(ids) == 0 {
		return aboutNothing
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ", "), "[]")
}
