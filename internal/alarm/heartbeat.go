package alarm

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Marks keep how far something has come.
type Marks interface {
	Mark(ctx context.Context, name string) (time.Time, error)
	SetMark(ctx context.Context, name string, at time.Time) error
}

const heartbeatMark = "heartbeat"

// The waits between two tries of a heartbeat that was not answered well.
const (
	firstBeatWait = 10 * time.Second
	maxBeatWait   = 10 * time.Minute
)

// Heartbeat calls a web address after each slot that was handled, so that a service outside,
// which expects the call, notices when there is none: because nobody serves, for example.
type Heartbeat struct {
	URL     string // may hold a secret: it is never logged
	Version string
	Client  *http.Client // from NewClient
	Handled func(context.Context) (time.Time, error)
	Marks   Marks
	Now     func() time.Time
	Logger  *slog.Logger

	failures int
	next     time.Time // not to be tried before
}

// Beat calls the address if a slot was handled since the last call that was answered by a
// 2xx status, in this process or an earlier one. A call that fails is made again by a later
// Beat, with growing pauses. Beats must not overlap.
func (h *Heartbeat) Beat(ctx context.Context) error {
	mark, err := h.Marks.Mark(ctx, heartbeatMark)
	if err != nil {
		return err
	}
	if mark.IsZero() { // nobody waits for what was before the first time
		return h.Marks.SetMark(ctx, heartbeatMark, h.Now())
	}
	handled, err := h.Handled(ctx)
	if err != nil || !handled.After(mark) || h.Now().Before(h.next) {
		return err
	}
	if err := request(ctx, h.Client, http.MethodGet, h.URL, h.Version, nil); err != nil {
		h.failures++
		wait := min(firstBeatWait<<min(h.failures-1, 10), maxBeatWait)
		h.next = h.Now().Add(wait)
		if ctx.Err() == nil {
			h.Logger.Warn("the heartbeat was not taken; it is tried again", "wait", wait, "error", err)
		}
		return nil
	}
	h.failures, h.next = 0, time.Time{}
	return h.Marks.SetMark(context.WithoutCancel(ctx), heartbeatMark, handled)
}
