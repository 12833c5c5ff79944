package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/trial"
)

// sink is mailsink, and what is asked of it here.
type sink struct{ *trial.Mailsink }

func startSink(ctx context.Context, path, dir string) (*sink, error) {
	m, err := trial.StartMailsink(ctx, path, dir)
	return &sink{m}, err
}

func (s *sink) setFaults(ctx context.Context, faults string) error {
	_, err := s.Call(ctx, http.MethodPost, "/faults", faults)
	return err
}

// accepted returns how many messages it has taken.
func (s *sink) accepted(ctx context.Context) (int, error) {
	var stats struct{ Accepted int }
	data, err := s.Call(ctx, http.MethodGet, "/stats", "")
	if err == nil {
		err = json.Unmarshal(data, &stats)
	}
	return stats.Accepted, err
}

// taken is what one recipient got.
type taken struct {
	count int
	same  bool // all with one Message-ID
}

func (s *sink) recipients(ctx context.Context) (map[string]taken, error) {
	data, err := s.Call(ctx, http.MethodGet, "/recipients?full=1", "")
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("mailsink: %w", err)
	}
	got := map[string]taken{}
	for _, row := range rows[1:] {
		n, err := strconv.Atoi(row[1])
		if err != nil {
			return nil, fmt.Errorf("mailsink: %w", err)
		}
		got[row[0]] = taken{n, row[5] == row[6]}
	}
	return got, nil
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
