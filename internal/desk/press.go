package desk

import (
	"context"
	"io"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// Press is what building and sending editions needs beside the catalogue.
type Press struct {
	Store       EditionStore
	Engine      *delivery.Engine
	Transport   mail.Transport
	Templates   digest.Templates
	Keys        newsletter.KeyRing
	Suppression newsletter.SuppressionKey
	Signers     mail.Signers // none: the relay signs
	// Staff returns the subscribers who are in every canary; nil: nobody.
	Staff func(context.Context) ([]int64, error)
	// MaxComposed is how many variants of an edition are stored as messages; 0: delivery.MaxComposed.
	MaxComposed int
}

// EditionStore keeps editions and their ledger.
type EditionStore interface {
	delivery.PlanWriter
	delivery.RecastStore
	EditionReader
	DraftStore
	ApprovalStore
	CanaryStore
	SponsorStore
	CorrectionStore
	LedgerStore
	RelatedStore
	Candidates(ctx context.Context, newsletterID int64, since time.Time) ([]newsletter.Candidate, error)
	FreezeEdition(ctx context.Context, f newsletter.FrozenEdition, now time.Time) (newsletter.Edition, error)
	MoveEdition(ctx context.Context, id int64, from []newsletter.EditionState, to newsletter.EditionState, reason, actor string, now time.Time) error
	LockPlanning(ctx context.Context) (io.Closer, error)
	FreeSlot(ctx context.Context, e newsletter.Edition, actor string, now time.Time) error
}

// EditionReader reads editions and their ledger.
type EditionReader interface {
	Edition(ctx context.Context, id int64) (newsletter.Edition, error)
	Editions(ctx context.Context, f newsletter.EditionFilter) ([]newsletter.Edition, error)
	OpenEditions(ctx context.Context) ([]newsletter.Edition, error)
	UnfinishedEditions(ctx context.Context, newsletterID int64) ([]newsletter.Edition, error)
	EditionSnapshot(ctx context.Context, id int64) (snapshot, templates []byte, err error)
	EditionVerdicts(ctx context.Context, id int64) ([]newsletter.ArticleVerdict, error)
	Tally(ctx context.Context, editionID int64) (newsletter.Tally, error)
}

// composer names the code that makes the bytes: it is part of an edition's hash.
const composer = "broadsheet-" + digest.Version
