package newsletter

import "time"

// StoredVariant is a variant of an edition on record, and how many rows of the ledger have it.
type StoredVariant struct {
	ID        int64
	EditionID int64
	Copy
	Subject   string
	Preheader string
	Hash      string
	Readers   int // 0 also where the rows are no longer kept
}

// Holding is an article that a delivery has for a reader, whatever became of it.
type Holding struct {
	ArticleID  int64
	EditionID  int64
	Newsletter string // slug
	State      State
	Reason     string // why it was withheld
	AsOf       time.Time
}

// ArticleOrigin is a source that gave an article.
type ArticleOrigin struct {
	Source string // its name
	URL    string // of the feed
	GUID   string
}

// DomainReaders is how many readers have addresses of one domain.
type DomainReaders struct {
	Domain  string
	Readers int
}

// SeenPreview is the last preview that staff looked at.
type SeenPreview struct {
	NewsletterID int64
	Of           string // whose edition it is, as Edition.Name says
	EditionID    int64  // 0: of what would be built
	At           time.Time
	Hash         string
	Subject      string
	Snapshot     []byte // without templates
}
