package newsletter

import "time"

// ArchivedEdition is an edition that was sent.
type ArchivedEdition struct {
	Edition
	ArchivedAt time.Time // when it was sent for the first time
}
