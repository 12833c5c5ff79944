package digest

import "errors"

// Variant is the edition as one group of readers gets it. HTML and Text contain
// newsletter.PlaceUnsubscribe and newsletter.PlaceManage, each on a line of its own; lines
// end in \n.
type Variant struct {
	Subject   string
	Preheader string
	HTML      string
	Text      string
	Articles  []int64 // in the order of the edition
}

// MaxHTML is the most bytes that the HTML part may have as it is sent, in quoted-printable:
// Gmail clips at about 102 kB and hides the unsubscribe link (S15).
const MaxHTML = 100_000

// Renderer renders the variants of one snapshot. It can be used by several goroutines.
type Renderer struct {
	s Snapshot
}

// NewRenderer parses the snapshot's templates.
func NewRenderer(s Snapshot) (*Renderer, error) {
	return &Renderer{s}, nil
}

// Render renders the variant for readers who see these articles, in whatever order they are
// given. It is an error if there are none, or one that the edition does not have.
func (r *Renderer) Render(articles []int64) (Variant, error) {
	return Variant{}, errors.New("not written yet")
}

// Render renders one variant. Whoever renders several uses a Renderer.
func Render(s Snapshot, articles []int64) (Variant, error) {
	r, err := NewRenderer(s)
	if err != nil {
		return Variant{}, err
	}
	return r.Render(articles)
}
