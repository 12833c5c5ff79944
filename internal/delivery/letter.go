package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// letter is a composed variant with what is needed to address it to a reader.
type letter struct {
	variant      *mail.Variant
	from         string // the envelope's sender
	domain       string // of the Message-ID
	newsletterID int64
	signer       *mail.Signer // nil: it is not signed here
}

// letter returns the delivery's variant and what is needed to address it.
func (e *Engine) letter(ctx context.Context, d newsletter.Delivery) (*letter, error) {
	e.mu.Lock()
	l := e.letters[d.VariantID]
	e.mu.Unlock()
	if l != nil {
		return l, nil
	}
	content, err := e.content(ctx, d.EditionID)
	if err != nil {
		return nil, err
	}
	variant, err := e.variant(ctx, content, d)
	if err != nil {
		return nil, err
	}
	from := content.snapshot.Newsletter.From.Address()
	l = &letter{variant: variant, from: from.Email, domain: from.Domain(), newsletterID: content.newsletterID, signer: e.Signers.For(from.Domain())}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.letters) >= maxLetters {
		for id := range e.letters { // any: to drop them all would compose each again and again
			delete(e.letters, id)
			break
		}
	}
	e.letters[d.VariantID] = l
	return l, nil
}

// content is what an edition was frozen as, kept while it is carried.
type content struct {
	snapshot     digest.Snapshot
	renderer     *digest.Renderer
	newsletterID int64
}

// content returns what the edition was frozen as.
func (e *Engine) content(ctx context.Context, editionID int64) (*content, error) {
	e.mu.Lock()
	c := e.contents[editionID]
	e.mu.Unlock()
	if c != nil {
		return c, nil
	}
	edition, err := e.Ledger.Edition(ctx, editionID)
	if err != nil {
		return nil, err
	}
	c = &content{newsletterID: edition.NewsletterID}
	if c.snapshot, err = LoadSnapshot(ctx, e.Ledger, editionID); err != nil {
		return nil, err
	}
	if c.renderer, err = digest.NewRenderer(c.snapshot); err != nil {
		return nil, &contentError{fmt.Errorf("edition %d: %w", editionID, err)}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.contents[editionID] = c
	return c, nil
}

// variant returns the delivery's variant as planning composed it, or composes it if it is a rare
// one.
func (e *Engine) variant(ctx context.Context, c *content, d newsletter.Delivery) (*mail.Variant, error) {
	data, err := e.Ledger.Variant(ctx, d.VariantID)
	if err != nil {
		return nil, err
	}
	if len(data) > 0 {
		variant, err := mail.ParseVariant(data)
		if err != nil {
			return nil, &contentError{fmt.Errorf("variant %d: %w", d.VariantID, err)}
		}
		return variant, nil
	}
	stored, err := e.Ledger.StoredVariant(ctx, d.VariantID)
	if err != nil {
		return nil, err
	}
	_, variant, err := Compose(c.renderer, c.snapshot, stored.Copy, d.EditionID)
	if err != nil {
		return nil, &contentError{fmt.Errorf("variant %d: %w", d.VariantID, err)}
	}
	return variant, nil
}

// contentError says that what an edition was frozen as cannot be read: no further try mends
// that, and the other editions must not wait for it.
type contentError struct{ cause error }

func (e *contentError) Error() string { return "its content cannot be read: " + e.cause.Error() }
func (e *contentError) Unwrap() error { return e.cause }

// maxLetters is how many composed variants are kept in memory.
const maxLetters = 500

// forget drops what is kept of an edition that is sent, and all letters: few are in use by others.
func (e *Engine) forget(edition int64) {
	e.mu.Lock()
	clear(e.letters)
	delete(e.contents, edition)
	delete(e.editions, edition)
	delete(e.sweeps, edition)
	delete(e.canaries, edition)
	e.mu.Unlock()
}

// returnPath is where the relay reports that the delivery came back (S17).
func (e *Engine) returnPath(l *letter, d newsletter.Delivery) string {
	if e.BounceDomain == "" {
		return l.from
	}
	return e.Keys.BounceAddress(d.EditionID, d.SubscriberID, e.BounceDomain)
}

// SnapshotStore keeps what editions were frozen from.
type SnapshotStore interface {
	EditionSnapshot(ctx context.Context, id int64) (snapshot, templates []byte, err error)
}

// LoadSnapshot returns what the edition was frozen from. What is stored and cannot be read is
// a *contentError.
func LoadSnapshot(ctx context.Context, store SnapshotStore, editionID int64) (digest.Snapshot, error) {
	data, sources, err := store.EditionSnapshot(ctx, editionID)
	if err != nil {
		return digest.Snapshot{}, err
	}
	var templates digest.Templates
	if err := json.Unmarshal(sources, &templates); err != nil {
		return digest.Snapshot{}, &contentError{fmt.Errorf("templates of edition %d: %w", editionID, err)}
	}
	snapshot, err := digest.Decode(data, templates)
	if err != nil {
		return snapshot, &contentError{fmt.Errorf("edition %d: %w", editionID, err)}
	}
	return snapshot, nil
}

// personal returns what differs in this reader's message.
func (e *Engine) personal(l *letter, d newsletter.Delivery) mail.Personal {
	link := newsletter.Link{SubscriberID: d.SubscriberID, NewsletterID: l.newsletterID, EditionID: d.EditionID}
	return Personal(e.Keys, e.BaseURL, newsletter.Address{Name: d.Name, Email: d.Email}, link, l.domain, d.NotBefore)
}

// Personal returns what differs in the message that the link's subscriber gets of its
// edition: address, links, Message-ID and Date, the same for every attempt.
func Personal(keys newsletter.KeyRing, baseURL string, to newsletter.Address, link newsletter.Link, domain string, date time.Time) mail.Personal {
	base := strings.TrimSuffix(baseURL, "/")
	return mail.Personal{
		To:             to,
		MessageID:      keys.MessageID(link.EditionID, link.SubscriberID, domain),
		Date:           date,
		UnsubscribeURL: base + "/unsubscribe/" + keys.Sign(newsletter.PurposeUnsubscribe, link),
		ManageURL:      base + "/manage/" + keys.Sign(newsletter.PurposeManage, link),
	}
}

// pacer spaces messages so that no more than rate a second are begun. It goes by the time
// that has passed, whatever the clock on the wall does.
type pacer struct {
	rate float64 // 0: no limit
	mu   sync.Mutex
	next time.Time
}

// free reports whether there is no limit.
func (p *pacer) free() bool { return p.rate <= 0 }

// wait returns when the next message may be begun, or with ctx's error.
func (p *pacer) wait(ctx context.Context) error {
	if p.free() {
		return nil
	}
	p.mu.Lock()
	at := time.Now()
	if p.next.After(at) {
		at = p.next
	}
	p.next = at.Add(time.Duration(float64(time.Second) / p.rate))
	p.mu.Unlock()
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
