package newsroomtest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Log keeps what operators are told: warnings and errors. It writes everything to the test's
// log, too. It is safe for concurrent use.
type Log struct {
	text slog.Handler

	mu   sync.Mutex
	told []string
}

// NewLog returns an empty log.
func NewLog(t testing.TB) *Log {
	return &Log{text: slog.NewTextHandler(testWriter{t}, nil)}
}

// Told returns the warnings and errors so far, each in one line: the message, and then what
// it is about as key=value.
func (l *Log) Told() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.told)
}

// Enabled reports true: everything that matters is kept.
func (l *Log) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle keeps a record.
func (l *Log) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		var line strings.Builder
		line.WriteString(r.Message)
		r.Attrs(func(a slog.Attr) bool {
			fmt.Fprintf(&line, " %s=%v", a.Key, a.Value)
			return true
		})
		l.mu.Lock()
		l.told = append(l.told, line.String())
		l.mu.Unlock()
	}
	return l.text.Handle(ctx, r)
}

// WithAttrs returns the log itself: nobody here uses loggers with attributes.
func (l *Log) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup returns the log itself: nobody here uses groups.
func (l *Log) WithGroup(string) slog.Handler { return l }
