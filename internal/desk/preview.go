package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// PreviewStore reads what a preview, and the answer to why, need of the database.
type PreviewStore interface {
	EditionVariants(ctx context.Context, editionID int64) ([]newsletter.StoredVariant, error)
	StoredVariant(ctx context.Context, id int64) (newsletter.StoredVariant, error)
	Variant(ctx context.Context, id int64) ([]byte, error)
	ArticleStates(ctx context.Context, editionID, articleID int64) (map[newsletter.State]int, error)
	Holdings(ctx context.Context, subscriberID int64, articles []int64) ([]newsletter.Holding, error)
	ArticleOrigins(ctx context.Context, articleID int64) ([]newsletter.ArticleOrigin, error)
	ReaderDomains(ctx context.Context, newsletterID int64, c newsletter.Cadence, slot string, limit int, now time.Time) ([]newsletter.DomainReaders, error)
}

// PreviewOptions say what to look at.
type PreviewOptions struct {
	Build   BuildOptions // what would be built now, unless
	Edition int64        // an edition is named
	As      string       // the address of the reader whose copy it is; empty: what most readers get
	Full    bool         // all that the edition has, instead of what most readers get
}

// Preview is an edition as readers get it.
type Preview struct {
	Newsletter newsletter.Newsletter
	Edition    newsletter.Edition // without an id: it is not on record
	Snapshot   digest.Snapshot
	Draft      *Draft // what would be built; nil: what is frozen
	Copy       newsletter.Copy
	For        string // whose copy it is, in words
	Subject    string
	Preheader  string
	Text, HTML string // as they stand in the message
	// Message is the message that the reader gets, byte for byte but for Date, the signature and
	// the reader's own links, which lead nowhere: see InertToken.
	Message  []byte
	composed *mail.Variant // the copy, without what is a reader's own
}

// InertToken stands where the reader's own token goes in a message: it has the length of every
// token, so that lines break in the same places, and opens nothing.
const InertToken = "a-preview-has-no-link-of-its-own-0000000"

// Inert takes the reader's own links out of what differs in a message.
func Inert(p mail.Personal) mail.Personal {
	inert := func(link string) string { return link[:strings.LastIndexByte(link, '/')+1] + InertToken }
	p.UnsubscribeURL, p.ManageURL = inert(p.UnsubscribeURL), inert(p.ManageURL)
	return p
}

// Preview returns what readers get: of what would be built now, of a draft, or of an edition that
// is frozen, whose bytes are those on record. Of a reader who gets nothing it is a refusal with
// the reason no_copy, which says why. Nothing is recorded but the articles that came in.
func (d *Desk) Preview(ctx context.Context, o PreviewOptions) (*Preview, error) {
	reader, err := d.previewReader(ctx, o.As)
	if err != nil {
		return nil, err
	}
	if o.Edition == 0 {
		draft, err := d.Build(ctx, o.Build)
		if reader == nil && newsletter.ReasonOf(err) == newsletter.SkippedNothingNew && draft.Survey.Planned() == 0 {
			o.Build.Sample = true // without readers, what one would get
			draft, err = d.Build(ctx, o.Build)
		}
		return d.previewDraft(ctx, draft, err, reader, o)
	}
	e, err := d.o.Press.Store.Edition(ctx, o.Edition)
	if err != nil {
		return nil, err
	}
	switch e.State {
	case newsletter.EditionSkipped:
		return nil, newsletter.Refusef("no_copy", "edition %d is a slot that was skipped: there is nothing to look at", e.ID)
	case newsletter.EditionDraft:
		draft, err := d.OpenDraft(ctx, e.ID)
		return d.previewDraft(ctx, draft, err, reader, o)
	case newsletter.EditionFrozen, newsletter.EditionSending, newsletter.EditionSent, newsletter.EditionPaused,
		newsletter.EditionCancelled, newsletter.EditionExpired:
	}
	return d.previewFrozen(ctx, e, reader, o.Full)
}

// previewReader returns the subscriber of that address, nil for no address.
func (d *Desk) previewReader(ctx context.Context, address string) (*newsletter.Subscriber, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // no address, nobody
	}
	_, key, err := mail.ParseAddress(address)
	if err != nil {
		return nil, newsletter.Invalidf("as", "%q is not an e-mail address", address)
	}
	s, err := d.o.Press.Store.SubscriberByKey(ctx, key)
	if newsletter.KindOf(err) == newsletter.NotFound {
		return nil, newsletter.NotFoundf("nobody has subscribed with %s; \"broadsheet subscriber list\" shows who has", address)
	}
	return &s, err
}

// previewDraft returns the preview of what was built; refused is what Build said.
func (d *Desk) previewDraft(ctx context.Context, draft *Draft, refused error, reader *newsletter.Subscriber, o PreviewOptions) (*Preview, error) {
	nothing := newsletter.ReasonOf(refused) == newsletter.SkippedNothingNew && draft != nil
	if refused != nil && (!nothing || reader == nil) {
		return nil, refused
	}
	p := &Preview{Newsletter: draft.Newsletter, Edition: draft.Edition, Snapshot: draft.Snapshot, Draft: draft}
	switch {
	case reader != nil:
		choice, ok, err := delivery.ChooseOne(ctx, d.o.Press.Store, d.choosingFor(draft, draft.eligible()), reader.ID)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, noCopy(*reader, draft.Newsletter, draft.Edition, "")
		}
		if choice.Reason != "" {
			return nil, noCopy(*reader, draft.Newsletter, draft.Edition, choice.Reason)
		}
		p.Copy, p.For = choice.Copy, reader.Email
	case o.Full || draft.Survey.Readers == 0:
		p.Copy, p.For = newsletter.Copy{Articles: draft.Snapshot.Articles()}, "nobody in particular: all that the edition has"
	default:
		most := draft.Survey.Variants[0]
		p.Copy, p.For = most.Copy, mostReaders(most.Readers, draft.Survey.Readers)
	}
	return p, d.composePreview(p, reader)
}

// eligible returns what the edition can have, in the order of choosing.
func (draft *Draft) eligible() []newsletter.Candidate {
	var list []newsletter.Candidate
	for _, a := range draft.Articles {
		switch {
		case a.Verdict == newsletter.Dropped, a.Verdict == newsletter.NotImmediate, a.Verdict == newsletter.IsRelated:
		case newsletter.Eligible(a.Candidate, draft.Edition.AsOf) == newsletter.Taken:
			list = append(list, a.Candidate)
		}
	}
	slices.SortStableFunc(list, newsletter.ByRank)
	return list
}

func mostReaders(n, all int) string {
	if n == all {
		return fmt.Sprintf("all %d who get it", all)
	}
	return fmt.Sprintf("%d of the %d who get it, more than any other copy", n, all)
}

// composePreview renders and composes the preview's copy.
func (d *Desk) composePreview(p *Preview, reader *newsletter.Subscriber) error {
	v, err := digest.Render(p.Snapshot, p.Copy)
	if err != nil {
		return err
	}
	message, err := mail.Compose(delivery.DigestMessage(p.Snapshot, v, p.Edition.ID))
	if err != nil {
		return err
	}
	p.Preheader = v.Preheader
	return d.address(p, message, reader, d.now())
}

// address makes the composed variant the message of the reader; nil: of nobody.
func (d *Desk) address(p *Preview, message *mail.Variant, reader *newsletter.Subscriber, date time.Time) error {
	from := p.Snapshot.Newsletter.From.Address()
	to, link := from, newsletter.Link{NewsletterID: p.Newsletter.ID, EditionID: p.Edition.ID}
	if reader != nil {
		to, link.SubscriberID = newsletter.Address{Name: reader.Name, Email: reader.Email}, reader.ID
	}
	var err error
	p.composed = message
	personal := Inert(delivery.Personal(d.o.Press.Keys, d.o.BaseURL, to, link, from.Domain(), date))
	if p.Message, err = message.Append(nil, personal); err != nil {
		return err
	}
	p.Subject, p.Text, p.HTML, err = mail.Parts(p.Message)
	return err
}

// noCopy is the refusal that says why the reader gets nothing of the edition.
func noCopy(s newsletter.Subscriber, n newsletter.Newsletter, e newsletter.Edition, reason string) error {
	what := "the next edition of " + n.Slug
	if e.ID != 0 {
		what = fmt.Sprintf("edition %d of %s", e.ID, n.Slug)
	}
	return newsletter.Refusef("no_copy", "%s gets nothing of %s: %s", s.Email, what, whyNoCopy(s, n, e, reason))
}

func whyNoCopy(s newsletter.Subscriber, n newsletter.Newsletter, e newsletter.Edition, reason string) string {
	switch reason {
	case newsletter.ReasonNothingNew:
		return "nothing in it is owed to them"
	case newsletter.ReasonTooFew:
		return fmt.Sprintf("less is owed to them than the minimum of %d articles", n.MinArticles)
	case newsletter.ReasonPaused:
		return "they have paused"
	case newsletter.ReasonSuppressed:
		return "the address must not be mailed; \"broadsheet subscriber show " + s.Email + "\" says why"
	case newsletter.ReasonLeft:
		return "they left"
	case newsletter.ReasonCancelled:
		return "the edition was cancelled before they got it"
	case newsletter.ReasonWithdrawn:
		return "the stories that it had for them were withdrawn"
	case "":
		return notAReader(s, n, e)
	}
	return "it was withheld: " + strings.ReplaceAll(reason, "_", " ")
}

// notAReader says why somebody is not among an edition's readers.
func notAReader(s newsletter.Subscriber, n newsletter.Newsletter, e newsletter.Edition) string {
	for _, u := range s.Subscriptions {
		if u.NewsletterID != n.ID {
			continue
		}
		switch {
		case u.State == newsletter.Pending:
			return "they have not confirmed yet"
		case u.State == newsletter.Left:
			return "they left"
		case u.Cadence != e.Cadence:
			return fmt.Sprintf("they read the %s edition, and this is the %s one", u.Cadence, e.Cadence)
		case e.Audience() != newsletter.AllSlots && n.SlotOf(u.Cadence, u.Slot) != e.Audience():
			return fmt.Sprintf("they read the %s edition, and this is the %s one", newsletter.SlotName(u.Cadence, n.SlotOf(u.Cadence, u.Slot)), e.Name())
		}
		return "they were not a reader when it was planned, or read it at another time"
	}
	return "they do not read " + n.Slug
}
