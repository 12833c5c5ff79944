package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"broadsheet/internal/newsletter"

	"golang.org/x/sys/unix"
)

// keepAlarms is how long alarms that are over stay on record.
const keepAlarms = 90 * 24 * time.Hour

// UnsettledAlarms returns the alarms that are not over, and those of whose end somebody is
// still to be told, the oldest first.
func (s *Store) UnsettledAlarms(ctx context.Context) ([]newsletter.RaisedAlarm, error) {
	rows, err := s.read(ctx).query(`SELECT id, kind, subject, text, since, raised_at, mailed_at, called_at,
			cleared_at, clear_mailed_at, clear_called_at
		FROM alarms WHERE settled = 0 ORDER BY id`)
	list, err := collect(rows, err, func(rows *sql.Rows) (r newsletter.RaisedAlarm, err error) {
		var since, raised int64
		var mailed, called, cleared, clearMailed, clearCalled sql.NullInt64
		err = rows.Scan(&r.ID, &r.Kind, &r.Subject, &r.Text, &since, &raised, &mailed, &called, &cleared, &clearMailed, &clearCalled)
		r.Since, r.RaisedAt, r.MailedAt, r.CalledAt = fromMillis(since), fromMillis(raised), fromNull(mailed), fromNull(called)
		r.ClearedAt, r.ClearMailedAt, r.ClearCalledAt = fromNull(cleared), fromNull(clearMailed), fromNull(clearCalled)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("alarms: %w", err)
	}
	return list, nil
}

// SaveAlarm puts the alarm on record as it is and returns its id. A new one of a key that is
// already open takes that one's place.
func (s *Store) SaveAlarm(ctx context.Context, r newsletter.RaisedAlarm) (int64, error) {
	id, settled := r.ID, 0
	if r.Settled {
		settled = 1
	}
	err := s.write(ctx, func(t *tx) (err error) {
		if r.ID == 0 {
			id, err = t.raiseAlarm(r, settled)
			return err
		}
		_, err = t.exec(`UPDATE alarms SET text = $1, mailed_at = $2, called_at = $3, cleared_at = $4,
				clear_mailed_at = $5, clear_called_at = $6, settled = $7 WHERE id = $8`,
			r.Text, nullMillis(r.MailedAt), nullMillis(r.CalledAt), nullMillis(r.ClearedAt),
			nullMillis(r.ClearMailedAt), nullMillis(r.ClearCalledAt), settled, r.ID)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("alarm %s of %s: %w", r.Kind, r.Subject, err)
	}
	return id, nil
}

func (t *tx) raiseAlarm(r newsletter.RaisedAlarm, settled int) (int64, error) {
	if _, err := t.exec(`DELETE FROM alarms WHERE settled = 1 AND cleared_at < $1`, millis(r.RaisedAt.Add(-keepAlarms))); err != nil {
		return 0, err
	}
	return t.insert(`INSERT INTO alarms (kind, subject, text, since, raised_at, mailed_at, called_at,
			cleared_at, clear_mailed_at, clear_called_at, settled)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (kind, subject) WHERE cleared_at IS NULL DO UPDATE SET text = excluded.text
		RETURNING id`,
		string(r.Kind), r.Subject, r.Text, millis(r.Since), millis(r.RaisedAt), nullMillis(r.MailedAt), nullMillis(r.CalledAt),
		nullMillis(r.ClearedAt), nullMillis(r.ClearMailedAt), nullMillis(r.ClearCalledAt), settled)
}

// NoteProgress notes how many of the edition are accepted by now. idle says that nothing
// was to be expected, because the edition is paused, for example.
func (s *Store) NoteProgress(ctx context.Context, editionID int64, accepted int, idle bool, now time.Time) error {
	before, _, err := s.Progress(ctx, editionID)
	if err != nil || before == accepted && !idle {
		return err
	}
	err = s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO edition_progress (edition_id, accepted, changed_at) VALUES ($1, $2, $3)
			ON CONFLICT (edition_id) DO UPDATE SET accepted = excluded.accepted, changed_at = excluded.changed_at`,
			editionID, accepted, millis(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("progress of edition %d: %w", editionID, err)
	}
	return nil
}

// Progress returns how many of the edition were accepted when that was last noted, and when
// the number changed to it; -1 if it never was.
func (s *Store) Progress(ctx context.Context, editionID int64) (accepted int, changed time.Time, err error) {
	var ms int64
	err = s.read(ctx).row(`SELECT accepted, changed_at FROM edition_progress WHERE edition_id = $1`, editionID).Scan(&accepted, &ms)
	if errors.Is(err, sql.ErrNoRows) {
		return -1, time.Time{}, nil
	}
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("progress of edition %d: %w", editionID, err)
	}
	return accepted, fromMillis(ms), nil
}

// SlotEditions returns the editions of slots that were due since the time, the oldest first;
// extra ones are not among them.
func (s *Store) SlotEditions(ctx context.Context, since time.Time) ([]newsletter.Edition, error) {
	rows, err := s.read(ctx).query(`SELECT `+editionColumns+`
		FROM editions e JOIN newsletters n ON n.id = e.newsletter_id
		WHERE e.due_at >= $1 AND e.slot NOT LIKE 'extra-%' AND e.slot NOT LIKE 'draft-%' ORDER BY e.id`, millis(since))
	list, err := collect(rows, err, scanEditionRow)
	if err != nil {
		return nil, fmt.Errorf("editions of slots: %w", err)
	}
	return list, nil
}

// Mark returns the time that was last set under the name, zero if none was.
func (s *Store) Mark(ctx context.Context, name string) (time.Time, error) {
	var ms int64
	err := s.read(ctx).row(`SELECT at FROM marks WHERE name = $1`, name).Scan(&ms)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("mark %s: %w", name, err)
	}
	return fromMillis(ms), nil
}

// SetMark sets the time under the name.
func (s *Store) SetMark(ctx context.Context, name string, at time.Time) error {
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO marks (name, at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET at = excluded.at`, name, millis(at))
		return err
	})
	if err != nil {
		return fmt.Errorf("mark %s: %w", name, err)
	}
	return nil
}

// TakeWatch makes the caller the one who tells of alarms if nobody is, and returns nil if
// somebody is: two would tell everything twice. Closing ends it; so does the end of the
// process.
func (s *Store) TakeWatch() (io.Closer, error) {
	lock, err := tryLock(s.path+".alarm.lock", s.path, unix.LOCK_EX)
	if lock == nil || err != nil {
		return nil, err
	}
	return lock, nil
}
