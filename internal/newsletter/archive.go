package newsletter

import "time"

// ArchivedEdition is an edition that was sent.
type ArchivedEdition struct {
	Edition
	ArchivedAt time.Time // when it was sent for the first time
}

// SeenVariant is a variant that somebody wants to see in a browser.
type SeenVariant struct {
	Edition  Edition
	Archived bool // the edition stands in the archive
	Copy     Copy
}
