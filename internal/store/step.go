package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// Steps records, in one transaction, the results of messages and the intents to send others,
// each Step all or nothing. Only what it reports as begun may be sent. An error is one of the
// whole transaction: then nothing is on record.
//
// In the transaction the edition, the delivery's time, the subscription, the address and the
// suppressions are looked at again.
func (s *Store) Steps(ctx context.Context, steps []newsletter.Step, key newsletter.SuppressionKey, now time.Time) ([]newsletter.StepResult, error) {
	results := make([]newsletter.StepResult, len(steps))
	// A result must be recorded even while the program is being stopped.
	err := s.write(context.WithoutCancel(ctx), func(t *tx) error {
		err := t.savepoint(func(t *tx) error { return t.stepTogether(steps, results, now) })
		if _, broken := errors.AsType[*brokenTxError](err); err == nil || broken {
			return err
		}
		// Something is not as it nearly always is: each by itself finds out for whom.
		for i, step := range steps {
			results[i] = newsletter.StepResult{}
			err := t.savepoint(func(t *tx) error { return t.stepAlone(step, &results[i], key, now) })
			if broken, ok := errors.AsType[*brokenTxError](err); ok {
				return broken
			}
			if err != nil {
				results[i] = newsletter.StepResult{Err: fmt.Errorf("ledger: %w", err)}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return results, nil
}

// errUnusual says that a group of steps cannot be recorded by statements for all of them.
var errUnusual = errors.New("not all alike")

// maxTogether is how many rows one statement changes. It is a power of two, as are the
// lengths of all lists, so that there are few different statements to prepare.
const maxTogether = 64

// stepTogether records the steps by a few statements for all of them. It fails, with nothing
// recorded, if any of them is not the usual case.
func (t *tx) stepTogether(steps []newsletter.Step, results []newsletter.StepResult, now time.Time) error {
	var accepted []acceptedGroup
	var intents []intentGroup
	for i, step := range steps {
		if step.Last != nil {
			if step.Last.State != newsletter.Accepted {
				if err := t.settle(*step.Last, now); err != nil {
					return err
				}
			} else {
				accepted = addAccepted(accepted, step.Last)
			}
		}
		if step.Next != nil {
			intents = addIntent(intents, step.Next)
			results[i] = newsletter.StepResult{Begun: true, State: newsletter.Sending}
		}
	}
	for _, g := range accepted {
		for part := range slices.Chunk(g.subscribers, maxTogether) {
			if err := t.acceptTogether(g, part, now); err != nil {
				return err
			}
		}
	}
	for _, g := range intents {
		for part := range slices.Chunk(g.intents, maxTogether) {
			if err := t.beginTogether(g.edition, part, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// acceptedGroup are deliveries of one edition that one relay accepted in the same words.
type acceptedGroup struct {
	edition     int64
	relay       string
	code        int
	enhanced    string
	subscribers []int64
}

func addAccepted(groups []acceptedGroup, r *newsletter.DeliveryResult) []acceptedGroup {
	for i := range groups {
		g := &groups[i]
		if g.edition == r.EditionID && g.relay == r.Relay && g.code == r.Code && g.enhanced == r.Enhanced {
			g.subscribers = append(g.subscribers, r.SubscriberID)
			return groups
		}
	}
	return append(groups, acceptedGroup{r.EditionID, r.Relay, r.Code, r.Enhanced, []int64{r.SubscriberID}})
}

type intentGroup struct {
	edition int64
	intents []*newsletter.Intent
}

func addIntent(groups []intentGroup, n *newsletter.Intent) []intentGroup {
	for i := range groups {
		if groups[i].edition == n.EditionID {
			groups[i].intents = append(groups[i].intents, n)
			return groups
		}
	}
	return append(groups, intentGroup{n.EditionID, []*newsletter.Intent{n}})
}

func (t *tx) acceptTogether(g acceptedGroup, subscribers []int64, now time.Time) error {
	relay, err := t.internRelay(g.relay)
	if err != nil {
		return err
	}
	args := []any{millis(now), g.code, g.enhanced, relay, g.edition}
	args, list := appendList(args, subscribers, func(id int64) any { return id })
	n, err := t.changed(`UPDATE deliveries SET state = 3, attempts = attempts + 1, next_try = $1, code = $2, enhanced = $3,
			reply_id = NULL, relay_id = $4, updated_at = $1
		WHERE edition_id = $5 AND state = 2 AND subscriber_id IN `+list, args...)
	if err == nil && n != len(subscribers) {
		err = errUnusual
	}
	return err
}

func (t *tx) beginTogether(edition int64, intents []*newsletter.Intent, now time.Time) error {
	var newsletterID int64
	var state newsletter.EditionState
	var warmUp string
	if err := t.row(`SELECT newsletter_id, state, warm_up FROM editions WHERE id = $1`, edition).Scan(&newsletterID, &state, &warmUp); err != nil {
		return err
	}
	if state != newsletter.EditionSending { // the first one makes it so, alone
		return errUnusual
	}
	if err := t.nothingForbids(intents); err != nil {
		return err
	}
	readAt := slices.MinFunc(intents, func(a, b *newsletter.Intent) int { return a.ReadAt.Compare(b.ReadAt) }).ReadAt
	args := []any{millis(now), edition, newsletterID, millis(readAt)}
	args, list := appendList(args, intents, func(n *newsletter.Intent) any { return n.SubscriberID })
	n, err := t.changed(`UPDATE deliveries SET state = 2, updated_at = $1
		WHERE edition_id = $2 AND state IN (1, 5) AND expires_at > $1
		AND EXISTS (SELECT 1 FROM subscriptions u WHERE u.newsletter_id = $3 AND u.subscriber_id = deliveries.subscriber_id
			AND (u.state = 'active' OR u.state = 'paused' AND u.paused_until <= $1))
		AND EXISTS (SELECT 1 FROM subscribers s WHERE s.id = deliveries.subscriber_id AND s.updated_at < $4)
		AND subscriber_id IN `+list, args...)
	if err == nil && n != len(intents) {
		err = errUnusual
	}
	if err != nil {
		return err
	}
	return t.countWarmUp(edition, warmUp, n, now)
}

// nothingForbids fails if an address among the intents is suppressed, or something of one is
// withdrawn.
func (t *tx) nothingForbids(intents []*newsletter.Intent) error {
	barred, err := t.barred(intents)
	if err != nil {
		return err
	}
	var withdrawn int
	var variants []int64 // few: most readers share one
	for _, n := range intents {
		if !slices.Contains(variants, n.VariantID) {
			variants = append(variants, n.VariantID)
		}
	}
	args, list := appendList(nil, variants, func(id int64) any { return id })
	err = t.row(`SELECT COUNT(*) FROM variants WHERE replaced_by IS NOT NULL AND id IN `+list, args...).Scan(&withdrawn)
	if err == nil && barred+withdrawn > 0 {
		err = errUnusual
	}
	return err
}

// barredQuery counts suppressions, and reads the first few whole domains that are suppressed.
const barredQuery = `SELECT COUNT(*),
		(SELECT hash FROM suppressions WHERE domain <> '' ORDER BY domain LIMIT 1),
		(SELECT hash FROM suppressions WHERE domain <> '' ORDER BY domain LIMIT 1 OFFSET 1),
		(SELECT hash FROM suppressions WHERE domain <> '' ORDER BY domain LIMIT 1 OFFSET 2),
		(SELECT hash FROM suppressions WHERE domain <> '' ORDER BY domain LIMIT 1 OFFSET 3)
	FROM suppressions WHERE hash IN `

// barred returns whether suppressions stand against the addresses of the intents or their
// domains, as a number that is 0 if none does. Most publishers suppress no whole domain, or very few: up to three are read with
// the addresses, by one statement. Where there are more, each domain of the intents is looked
// for, which takes no longer however many there are.
func (t *tx) barred(intents []*newsletter.Intent) (n int, err error) {
	var suppressed [4][]byte
	args, list := appendList(nil, intents, func(n *newsletter.Intent) any { return n.Barred.Address })
	err = t.row(barredQuery+list, args...).Scan(&n, &suppressed[0], &suppressed[1], &suppressed[2], &suppressed[3])
	if err != nil || n > 0 || suppressed[0] == nil {
		return n, err
	}
	if suppressed[3] == nil {
		for _, i := range intents {
			for _, d := range suppressed {
				if d != nil && bytes.Equal(d, i.Barred.Domain) {
					return 1, nil
				}
			}
		}
		return 0, nil
	}
	var whole [][]byte // few: many readers share one
	for _, i := range intents {
		if !slices.ContainsFunc(whole, func(d []byte) bool { return bytes.Equal(d, i.Barred.Domain) }) {
			whole = append(whole, i.Barred.Domain)
		}
	}
	args, list = appendList(nil, whole, func(d []byte) any { return d })
	err = t.row(`SELECT COUNT(*) FROM suppressions WHERE hash IN `+list, args...).Scan(&n)
	return n, err
}

// appendList appends the values as arguments and returns the list of their placeholders,
// with the last value repeated up to a power of two.
func appendList[T any](args []any, values []T, arg func(T) any) ([]any, string) {
	size := 1
	for size < len(values) {
		size *= 2
	}
	var list strings.Builder
	before := "($"
	for i := range size {
		args = append(args, arg(values[min(i, len(values)-1)]))
		list.WriteString(before)
		list.WriteString(strconv.Itoa(len(args)))
		before = ", $"
	}
	list.WriteString(")")
	return args, list.String()
}

func (t *tx) stepAlone(step newsletter.Step, result *newsletter.StepResult, key newsletter.SuppressionKey, now time.Time) error {
	if step.Last != nil {
		if err := t.settle(*step.Last, now); err != nil {
			return err
		}
	}
	if step.Next == nil {
		return nil
	}
	var err error
	*result, err = t.begin(*step.Next, key, now)
	return err
}

// settle records what became of a delivery that was sending.
func (t *tx) settle(r newsletter.DeliveryResult, now time.Time) error {
	if !newsletter.CanMove(newsletter.Sending, r.State) {
		return fmt.Errorf("delivery %d/%d cannot go from sending to %s", r.EditionID, r.SubscriberID, r.State)
	}
	attempts, doubts := 1, 0
	var doubted sql.NullInt64
	state := r.State
	switch state {
	case newsletter.Waiting:
		attempts = 0
		if err := t.uncountWarmUp(r.EditionID, now); err != nil {
			return err
		}
	case newsletter.InDoubt:
		doubted = nullMillis(now)
		var err error
		if state, err = t.provedSince(r.DeliveryKey); err != nil {
			return err
		}
		if state != newsletter.InDoubt { // something of it has come back already
			break
		}
		var policy newsletter.OnDoubt
		var before int
		// Of an edition that was cancelled nothing is sent again: what may have arrived stays in doubt.
		err = t.row(`SELECT CASE WHEN e.state IN ('cancelled', 'expired') THEN 'hold' ELSE e.on_doubt END, d.doubts
			FROM deliveries d JOIN editions e ON e.id = d.edition_id
			WHERE d.edition_id = $1 AND d.subscriber_id = $2`, r.EditionID, r.SubscriberID).Scan(&policy, &before)
		if err != nil {
			return err
		}
		if policy == newsletter.DoubtResend && before < newsletter.MaxDoubts {
			state, doubts = newsletter.Deferred, 1
		}
	case newsletter.Refused:
		var err error
		if state, err = t.refusedState(r.DeliveryKey); err != nil {
			return err
		}
	case newsletter.Accepted, newsletter.Deferred, newsletter.Sending, newsletter.Expired, newsletter.Withheld:
	}
	words := keptReply(r.Outcome)
	if words != "" {
		var known int
		if err := t.row(`SELECT COUNT(*) FROM subscribers WHERE id = $1`, r.SubscriberID).Scan(&known); err != nil {
			return err
		}
		if known == 0 { // the reader was erased meanwhile, and the words may name the address
			words = ""
		}
	}
	if state == newsletter.Refused && r.Return != nil {
		if err := t.keepRefusal(r, now); err != nil {
			return err
		}
	}
	reply, err := t.intern(`SELECT id FROM replies WHERE text = $1`, `INSERT INTO replies (text) VALUES ($1) RETURNING id`, words)
	if err != nil {
		return err
	}
	relay, err := t.internRelay(r.Relay)
	if err != nil {
		return err
	}
	nextTry := r.NextTry
	if nextTry.IsZero() {
		nextTry = now
	}
	n, err := t.changed(`UPDATE deliveries SET state = $1, attempts = attempts + $2, doubts = doubts + $3,
			doubted_at = COALESCE($4, doubted_at), next_try = $5, code = $6, enhanced = $7, reply_id = $8, relay_id = $9, updated_at = $10
		WHERE edition_id = $11 AND subscriber_id = $12 AND state = 2`,
		int(state), attempts, doubts, doubted, millis(nextTry), r.Code, r.Enhanced, reply, relay, millis(now), r.EditionID, r.SubscriberID)
	if err == nil && n != 1 {
		err = fmt.Errorf("delivery %d/%d is not sending, so its result %s cannot be recorded", r.EditionID, r.SubscriberID, r.State)
	}
	return err
}

// refusedState returns where a delivery goes that was refused for good. One that had been in
// doubt before is in doubt again: that this message was refused does not say that the first one
// was, so it does not release its articles. What has come back meanwhile may say more.
func (t *tx) refusedState(key newsletter.DeliveryKey) (newsletter.State, error) {
	var doubts int
	err := t.row(`SELECT doubts FROM deliveries WHERE edition_id = $1 AND subscriber_id = $2`, key.EditionID, key.SubscriberID).Scan(&doubts)
	if errors.Is(err, sql.ErrNoRows) || err == nil && doubts == 0 {
		return newsletter.Refused, nil
	}
	if err != nil {
		return newsletter.Refused, err
	}
	return t.provedSince(key)
}

// keptReply returns the reply to keep: that of an accepted message names a queue entry, so
// each would be kept apart for nothing.
func keptReply(o newsletter.Outcome) string {
	if o.State == newsletter.Accepted {
		return ""
	}
	return strings.ToValidUTF8(o.Reply[:min(len(o.Reply), newsletter.MaxReply)], "")
}

func (t *tx) internRelay(name string) (sql.NullInt64, error) {
	return t.intern(`SELECT id FROM relays WHERE name = $1`, `INSERT INTO relays (name) VALUES ($1) RETURNING id`, name)
}

// intern returns the id of a text that is kept once; NULL for the empty one.
func (t *tx) intern(find, insert, text string) (id sql.NullInt64, err error) {
	if text == "" {
		return id, nil
	}
	err = t.row(find, text).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		id.Valid = true
		id.Int64, err = t.insert(insert, text)
	}
	return id, err
}

// begin records the intent to send a delivery, after a last look at what may forbid it.
func (t *tx) begin(n newsletter.Intent, key newsletter.SuppressionKey, now time.Time) (r newsletter.StepResult, err error) {
	last, err := t.lastLook(n)
	if err != nil {
		return r, fmt.Errorf("delivery %d/%d: %w", n.EditionID, n.SubscriberID, err)
	}
	r.State, r.Stopped = last.state, !last.edition.Open()
	if r.Stopped || !newsletter.CanMove(r.State, newsletter.Sending) {
		return r, nil
	}
	if last.expires.After(now) && last.waitsForCopy(n) {
		r.State, r.Withdrawn = last.state, last.replacedBy.Valid
		return r, nil // it is read again, with the variant that it has then
	}
	barred, err := suppression(t, key.Hashes(last.emailKey))
	if err != nil {
		return r, err
	}
	var reason string
	if r.State, reason = last.verdict(barred.Reason != "", now); r.State == newsletter.Sending && last.email != n.Email {
		r.State = last.state
		return r, nil // it is read again, with the address as it is now
	}
	if r.State == newsletter.Sending {
		r.Begun = true
		if err := t.beginEdition(n.EditionID, last, now); err != nil {
			return newsletter.StepResult{}, err
		}
	}
	_, err = t.exec(`UPDATE deliveries SET state = $1, reason = $2, updated_at = $3 WHERE edition_id = $4 AND subscriber_id = $5 AND state IN (1, 5)`,
		int(r.State), sql.NullString{String: reason, Valid: reason != ""}, millis(now), n.EditionID, n.SubscriberID)
	return r, err
}

// lastLook is what decides, just before a delivery is sent, whether it is.
type lastLook struct {
	state           newsletter.State
	doubts          int
	expires         time.Time
	edition         newsletter.EditionState
	warmUp          string
	email, emailKey string
	subscription    string
	pausedUntil     sql.NullInt64
	variant         int64
	replacedBy      sql.NullInt64 // see variants.replaced_by
}

// waitsForCopy reports whether the intent is to send another variant than the reader is to get.
func (l lastLook) waitsForCopy(n newsletter.Intent) bool {
	return l.variant != n.VariantID || l.replacedBy.Valid && l.replacedBy.Int64 != l.variant
}

func (t *tx) lastLook(n newsletter.Intent) (l lastLook, err error) {
	var expires int64
	err = t.row(`SELECT d.state, d.doubts, d.expires_at, e.state, e.warm_up, COALESCE(s.email, ''), COALESCE(s.email_key, ''),
			COALESCE(u.state, ''), u.paused_until, COALESCE(d.variant_id, 0), v.replaced_by
		FROM deliveries d
		LEFT JOIN variants v ON v.id = d.variant_id
		JOIN editions e ON e.id = d.edition_id
		LEFT JOIN subscribers s ON s.id = d.subscriber_id
		LEFT JOIN subscriptions u ON u.newsletter_id = e.newsletter_id AND u.subscriber_id = d.subscriber_id
		WHERE d.edition_id = $1 AND d.subscriber_id = $2`, n.EditionID, n.SubscriberID).
		Scan(&l.state, &l.doubts, &expires, &l.edition, &l.warmUp, &l.email, &l.emailKey, &l.subscription, &l.pausedUntil, &l.variant, &l.replacedBy)
	l.expires = fromMillis(expires)
	return l, err
}

// verdict returns the state that the delivery comes to, and why if it is withheld. What may
// have arrived, and was to be sent once more, does not release its articles: if it is not sent
// it is in doubt again. Of a person who is gone nothing is owed to anybody.
func (l lastLook) verdict(barred bool, now time.Time) (newsletter.State, string) {
	state, reason := l.allowed(barred, now)
	if l.doubts > 0 && state != newsletter.Sending && reason != newsletter.ReasonErased {
		return newsletter.InDoubt, ""
	}
	return state, reason
}

// allowed is the verdict on a delivery that was not handed over yet.
func (l lastLook) allowed(barred bool, now time.Time) (newsletter.State, string) {
	subscription := newsletter.SubscriptionState(l.subscription)
	switch {
	case !l.expires.After(now):
		return newsletter.Expired, ""
	case l.replacedBy.Valid: // nothing is left of it
		return newsletter.Withheld, newsletter.ReasonWithdrawn
	case l.emailKey == "":
		return newsletter.Withheld, newsletter.ReasonErased
	case barred:
		return newsletter.Withheld, newsletter.ReasonSuppressed
	case isPaused(l.subscription, l.pausedUntil, now):
		return newsletter.Withheld, newsletter.ReasonPaused
	case subscription != newsletter.Active && subscription != newsletter.PausedSub:
		return newsletter.Withheld, newsletter.ReasonLeft
	}
	return newsletter.Sending, ""
}

// beginEdition notes that a message of the edition is begun.
func (t *tx) beginEdition(id int64, l lastLook, now time.Time) error {
	if err := t.countWarmUp(id, l.warmUp, 1, now); err != nil || l.edition != newsletter.EditionFrozen {
		return err
	}
	t.noteSending(id, now)
	_, err := t.exec(`UPDATE editions SET state = 'sending', started_at = COALESCE(started_at, $1) WHERE id = $2`, millis(now), id)
	return err
}
