package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"broadsheet/internal/newsletter"

	"github.com/mattn/go-sqlite3"
)

// The limits of one group commit. Short groups let another process have its turn.
const (
	groupSize = 512
	groupTime = 20 * time.Millisecond
)

// writer is the one goroutine that writes. Whoever wants to write hands it a function; it
// runs those that are waiting in one transaction, each in a savepoint of its own, commits
// once, and then tells all of them. So one bad row does not fail its group, and hundreds of
// writes share the cost of one fsync. What belongs into the journal is there before the commit.
type writer struct {
	db    *sql.DB
	turn  *turn
	queue chan *job
	// journal is what is appended to as well; nil: nothing.
	journal atomic.Pointer[Journal]

	mu     sync.RWMutex // guards closed against a send on the closed queue
	closed bool
	done   chan struct{}
}

type job struct {
	ctx    context.Context
	run    func(*tx) error
	result chan error
}

// tx is a write transaction, or a savepoint in one. It lives on the writer's goroutine.
type tx struct {
	ctx  context.Context // never cancelled: cancelling would roll back the whole group
	conn *sql.Conn
	// statements are prepared once and kept: preparing costs more than most writes.
	statements map[string]*sql.Stmt
	journal    *Journal // of this transaction; nil: none is kept
	notes      []noted  // that it leaves there
}

func startWriter(ctx context.Context, path string) (*writer, error) {
	db, err := sql.Open("sqlite3", dsn(path))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	ctx = context.WithoutCancel(ctx)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	// What a savepoint may have to put back is kept in memory: in a file it was a third of all writes.
	// The log is folded into the file every 16 MB: the less often, the more changes of a page cost one
	// write to it. At 4 MB, as is the default, sign-ups in groups took half as long again.
	if _, err := conn.ExecContext(ctx, `PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864`); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), conn.Close(), db.Close())
	}
	w := &writer{db: db, turn: openTurn(path+".turn.lock", path), queue: make(chan *job, groupSize), done: make(chan struct{})}
	go w.loop(&tx{ctx: ctx, conn: conn, statements: map[string]*sql.Stmt{}})
	return w, nil
}

// write runs f in a write transaction, which it may share with others. When it returns nil,
// all that f wrote is committed and durable; otherwise nothing of it is. f must not wait for
// anything but the database.
func (s *Store) write(ctx context.Context, f func(*tx) error) error {
	j := &job{ctx: ctx, run: f, result: make(chan error, 1)}
	if err := s.writer.submit(ctx, j); err != nil {
		return err
	}
	// Once it is in the queue its fate is not known before it is told, so wait for it even
	// if ctx ends: the writer skips what it has not begun.
	return <-j.result
}

var errClosed = errors.New("the database is closed")

func (w *writer) submit(ctx context.Context, j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return errClosed
	}
	select {
	case w.queue <- j:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) close() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.done
	return w.db.Close()
}

func (w *writer) loop(t *tx) {
	defer close(w.done)
	for j := range w.queue {
		w.group(t, j)
	}
	for _, stmt := range t.statements {
		_ = stmt.Close()
	}
	// SQLite folds the log into the file when the last process closes it. To ask for that here
	// would make everybody else's writes wait for the slowest reader.
	_ = t.conn.Close()
	w.turn.close()
}

// group runs the job and those that are already waiting behind it in one transaction.
func (w *writer) group(t *tx, first *job) {
	w.turn.take()
	_, err := t.exec(`BEGIN IMMEDIATE`)
	w.turn.give()
	if err != nil {
		if e, ok := errors.AsType[sqlite3.Error](err); ok && (e.Code == sqlite3.ErrReadonly || e.Code == sqlite3.ErrPerm) {
			err = newsletter.Conflictf("this user (%d) may not write to the database; run the command as the user of the service", os.Getuid())
		}
		if isBusy(err) {
			err = fmt.Errorf("another process held the database for more than %s: %w", busyTimeout, err)
		}
		first.result <- err
		return
	}
	t.journal, t.notes = w.journal.Load(), nil
	var ran []*job
	start := time.Now()
	for j := first; j != nil; j = w.next(len(ran), start) {
		if err := j.ctx.Err(); err != nil {
			j.result <- err
			continue
		}
		err := t.savepoint(func(t *tx) error {
			if err := j.run(t); err != nil {
				return err
			}
			return t.appendNeeded()
		})
		if broken, ok := errors.AsType[*brokenTxError](err); ok {
			w.fail(t, append(ran, j), broken)
			return
		}
		if err != nil {
			j.result <- err
			continue
		}
		ran = append(ran, j)
	}
	if err := t.appendRest(); err != nil {
		w.fail(t, ran, fmt.Errorf("journal: %w", err))
		return
	}
	if _, err := t.exec(`COMMIT`); err != nil {
		w.fail(t, ran, fmt.Errorf("commit: %w", err))
		return
	}
	for _, j := range ran {
		j.result <- nil
	}
}

// next returns the next waiting job of a group, nil if there is none or the group is full.
func (w *writer) next(size int, start time.Time) *job {
	if size >= groupSize || time.Since(start) > groupTime {
		return nil
	}
	select {
	case j := <-w.queue: // nil when the queue is closed and empty
		return j
	default:
		return nil
	}
}

// fail ends the transaction without its effects and tells everybody in it.
func (w *writer) fail(t *tx, jobs []*job, err error) {
	// If SQLite has rolled back by itself, this says so, and that is all right.
	_, _ = t.exec(`ROLLBACK`)
	for _, j := range jobs {
		j.result <- err
	}
}

// brokenTxError says that the transaction as a whole cannot go on.
type brokenTxError struct{ cause error }

func (e *brokenTxError) Error() string { return "transaction: " + e.cause.Error() }
func (e *brokenTxError) Unwrap() error { return e.cause }

// savepoint runs f so that, if it fails, nothing of it stays.
func (t *tx) savepoint(f func(*tx) error) (err error) {
	if _, err := t.exec(`SAVEPOINT job`); err != nil {
		return &brokenTxError{err}
	}
	notes := len(t.notes)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v", p)
		}
		if err != nil {
			t.notes = t.notes[:min(notes, len(t.notes))]
			if _, rollbackErr := t.exec(`ROLLBACK TO job`); rollbackErr != nil {
				err = &brokenTxError{errors.Join(err, rollbackErr)}
				return
			}
		}
		if _, releaseErr := t.exec(`RELEASE job`); releaseErr != nil {
			err = &brokenTxError{errors.Join(err, releaseErr)}
		}
	}()
	return f(t)
}

// prepared returns the kept statement for the query.
func (t *tx) prepared(query string) (*sql.Stmt, error) {
	if stmt, ok := t.statements[query]; ok {
		return stmt, nil
	}
	stmt, err := t.conn.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, err
	}
	t.statements[query] = stmt
	return stmt, nil
}

// exec runs a statement.
func (t *tx) exec(query string, args ...any) (sql.Result, error) {
	stmt, err := t.prepared(query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(t.ctx, args...)
}

// changed runs a statement and returns how many rows it changed.
func (t *tx) changed(query string, args ...any) (int, error) {
	result, err := t.exec(query, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// insert runs an INSERT … RETURNING id and returns the id.
func (t *tx) insert(query string, args ...any) (int64, error) {
	var id int64
	err := t.row(query, args...).Scan(&id)
	return id, err
}

// row runs a query for one row.
func (t *tx) row(query string, args ...any) rowScanner {
	stmt, err := t.prepared(query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return failedRow{err}
	}
	return stmt.QueryRowContext(t.ctx, args...)
}

// query runs a query. The rows must be read to the end or closed before the next statement.
func (t *tx) query(query string, args ...any) (*sql.Rows, error) {
	stmt, err := t.prepared(query) //nolint:sqlclosecheck // kept for the next time
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(t.ctx, args...)
}

// rowScanner is what *sql.Row and *sql.Rows have in common.
type rowScanner interface {
	Scan(dest ...any) error
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }

// querier is what reading methods need: the pool of readers or a write transaction.
type querier interface {
	query(query string, args ...any) (*sql.Rows, error)
	row(query string, args ...any) rowScanner
}

// pool reads through the reader pool under a caller's context.
type pool struct {
	ctx context.Context
	db  *sql.DB
}

func (s *Store) read(ctx context.Context) pool { return pool{ctx, s.reader} }

func (p pool) query(query string, args ...any) (*sql.Rows, error) {
	return p.db.QueryContext(p.ctx, query, args...)
}

func (p pool) row(query string, args ...any) rowScanner {
	return p.db.QueryRowContext(p.ctx, query, args...)
}
