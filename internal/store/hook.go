package store

import (
	"context"
	"fmt"
	"time"
)

// HookSeen reports whether NoteHook has noted the call.
func (s *Store) HookSeen(ctx context.Context, hash []byte) (bool, error) {
	var n int
	if err := s.read(ctx).row(`SELECT COUNT(*) FROM hook_calls WHERE hash = $1`, hash).Scan(&n); err != nil {
		return false, fmt.Errorf("calls of web hooks: %w", err)
	}
	return n > 0, nil
}

// NoteHook notes that the call was taken, and forgets those noted before a time.
func (s *Store) NoteHook(ctx context.Context, hash []byte, now, forget time.Time) error {
	err := s.write(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO hook_calls (hash, at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING`, hash, millis(now)); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM hook_calls WHERE hash IN (SELECT hash FROM hook_calls WHERE at < $1 ORDER BY at LIMIT 100)`, millis(forget))
		return err
	})
	if err != nil {
		return fmt.Errorf("note a call of a web hook: %w", err)
	}
	return nil
}
