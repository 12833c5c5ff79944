package readers

import (
	"context"
	"errors"
	"io"

	"broadsheet/internal/newsletter"
)

// ImportOptions say how a file of subscribers is taken.
type ImportOptions struct {
	Newsletter string            // slug
	Consent    string            // where the consent was given; compulsory
	Cadence    string            // of lines that name none; empty: the first that the newsletter offers
	Origin     newsletter.Origin // of which Actor is kept
	// Progress is told after each chunk how many lines are done; may be nil.
	Progress func(done int)
	// Reject is told each rejected line with its number in the file, its text, capped, and
	// why. An error from it stops the import. May be nil.
	Reject func(line int, text, why string) error
}

// Imported counts what became of a file's lines: Rows = Added + Already + Rejected.
type Imported struct {
	Rows     int
	Added    int
	Already  int // active before
	Rejected int
	Ignored  []string // columns that are not known
}

// Import reads subscribers from CSV and makes them active. It streams: memory does not grow
// with the file but for a few bytes a line, and what it has counted is committed, also when
// it returns an error. Taking the same file again adds nobody. Nobody who left or must not
// be mailed comes back by it (S26).
func (s *Service) Import(ctx context.Context, r io.Reader, o ImportOptions) (Imported, error) {
	return Imported{}, errors.New("not written yet")
}
