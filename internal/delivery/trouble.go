package delivery

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// quiet is how long a trouble must not have been seen to be told again. One trouble meets
// every connection and thousands of messages: it is told once.
const quiet = 10 * time.Minute

// isNews reports whether this trouble of the relay is to be told. Replies differ in their
// words from message to message, so what has a code goes by it.
func (e *Engine) isNews(relay, trouble string, cause mail.Outcome) bool {
	key, now := troubleKey(relay, trouble, cause), time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	seen, known := e.troubles[key]
	maps.DeleteFunc(e.troubles, func(_ string, seen time.Time) bool { return now.Sub(seen) > quiet })
	e.troubles[key] = now
	return !known || now.Sub(seen) > quiet
}

// knows reports whether isNews would report false.
func (e *Engine) knows(relay, trouble string, cause mail.Outcome) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	seen, known := e.troubles[troubleKey(relay, trouble, cause)]
	return known && time.Since(seen) <= quiet
}

func troubleKey(relay, trouble string, cause mail.Outcome) string {
	key := fmt.Sprintf("%s %s %s %d %s", relay, trouble, cause.Phase, cause.Code, cause.Enhanced)
	if cause.Code == 0 && cause.Err != nil {
		key += cause.Err.Error()
	}
	return key
}

// tellRelay tells that the relay took no connection, or no mail over one. A refusal by all
// relays is not told here: it pauses the edition, and that says why.
func (e *Engine) tellRelay(r *relay, cause error, down bool) {
	o := mail.Outcome{Err: cause}
	if failed, ok := errors.AsType[*mail.ConnectError](cause); ok {
		o = failed.Outcome
	} else if said, ok := errors.AsType[*saidError](cause); ok {
		o = said.outcome
	}
	switch {
	case e.relays.refusal() != nil:
	case down:
		if e.isNews(r.String(), "down", o) {
			e.Logger.Warn("a relay takes no mail; it is tried again and again, and the next one meanwhile", "relay", r.String(), "error", cause)
		}
	case !e.knows(r.String(), "down", o) && e.isNews(r.String(), "fewer", o):
		e.Logger.Warn("a relay takes no more connections; fewer are used", "relay", r.String(), "error", cause)
	}
}

// tellMessage tells that a connection ended within a message, or that no answer came to one.
// How is told of the first; the ledger has it of each.
func (e *Engine) tellMessage(relay string, o mail.Outcome) {
	switch {
	case o.State == newsletter.InDoubt:
		if e.isNews(relay, "doubt", mail.Outcome{}) {
			e.Logger.Warn("a relay did not answer to a whole message: it is in doubt and on record, see \"broadsheet edition deliveries ID --doubted\"",
				"relay", relay, "error", &saidError{o})
		}
	case o.State == newsletter.Deferred && o.Broken, o.State == newsletter.Waiting && o.Broken && o.Code == 0:
		if e.isNews(relay, "message", mail.Outcome{}) {
			e.Logger.Warn("a connection ended within a message; it was not delivered, and is tried again", "relay", relay, "error", &saidError{o})
		}
	}
}

// saidError is what a relay said to a message, or how it did not. It names no reader.
type saidError struct{ outcome mail.Outcome }

func (e *saidError) Error() string {
	o := e.outcome
	if o.Code == 0 {
		return fmt.Sprintf("%s: %v", o.Phase, o.Err)
	}
	return strings.Join(strings.Fields(fmt.Sprintf("it answered %d %s %s to %s", o.Code, o.Enhanced, newsletter.HideAddresses(o.Reply), o.Phase)), " ")
}

func (e *saidError) Unwrap() error { return e.outcome.Err }
