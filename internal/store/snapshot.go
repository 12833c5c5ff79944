package store

import (
	"context"
	"database/sql"
	"errors"
)

// oneMoment reads through one connection of the pool, in a transaction that sees the
// database as it is at one moment.
type oneMoment struct {
	ctx  context.Context
	conn *sql.Conn
}

func (m oneMoment) query(query string, args ...any) (*sql.Rows, error) {
	return m.conn.QueryContext(m.ctx, query, args...)
}

func (m oneMoment) row(query string, args ...any) rowScanner {
	return m.conn.QueryRowContext(m.ctx, query, args...)
}

// readTogether runs f so that all that it reads is of one moment. f should not take long:
// until it returns, the log of the database cannot be folded in.
func (s *Store) readTogether(ctx context.Context, f func(querier) error) error {
	conn, err := s.reader.Conn(ctx)
	if err != nil {
		return err
	}
	// BeginTx would take the lock for writing, which all transactions of this engine ask for.
	if _, err := conn.ExecContext(ctx, `BEGIN DEFERRED`); err != nil {
		return errors.Join(err, conn.Close())
	}
	err = f(oneMoment{ctx, conn})
	_, endErr := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
	return errors.Join(err, endErr, conn.Close())
}
