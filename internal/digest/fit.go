package digest

import "fmt"

// MaxHTML is the most bytes that the HTML part may have as it is sent, in quoted-printable:
// Gmail clips at about 102 kB and hides the unsubscribe link (S15).
const MaxHTML = 100_000

// personalRoom is kept free for what the reader's own links add to the places.
const personalRoom = 1000

// fit renders the blocks so that the HTML part fits. Where it would not, every summary
// longer than a limit is cut to it at a word, in both parts; the limit is the greatest that
// makes the part fit. So the longest summaries are shortened first, and equally.
func (r *Renderer) fit(c chosen) (Variant, error) {
	v, err := r.render(c, maxSummary)
	if err != nil || sentSize(v.HTML) <= MaxHTML-personalRoom {
		return v, err
	}
	v, err = r.render(c, 0)
	if err != nil {
		return Variant{}, err
	}
	if size := sentSize(v.HTML); size > MaxHTML-personalRoom {
		return Variant{}, fmt.Errorf("render: the HTML part has %d bytes without any summary, and mailbox providers clip it at %d; take fewer articles", size, MaxHTML)
	}
	low, high := 0, maxSummary // low fits, high does not
	for high-low > 1 {
		limit := (low + high) / 2
		w, err := r.render(c, limit)
		if err != nil {
			return Variant{}, err
		}
		if sentSize(w.HTML) <= MaxHTML-personalRoom {
			low, v = limit, w
		} else {
			high = limit
		}
	}
	v.Shortened = true
	return v, nil
}

// sentSize returns how many bytes the text has in quoted-printable, with lines of 76.
func sentSize(s string) int {
	const lineLength = 75 // and the = that ends a soft line
	size, column := 0, 0
	for i := range len(s) {
		c := s[i]
		if c == '\n' {
			size += 2
			column = 0
			continue
		}
		n := 1
		if c == '=' || c < ' ' && c != '\t' || c > '~' {
			n = 3
		}
		if column+n > lineLength {
			size += 3
			column = 0
		}
		size += n
		column += n
	}
	return size
}
