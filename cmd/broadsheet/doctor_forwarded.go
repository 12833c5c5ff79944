package main

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"broadsheet/internal/doctor"
)

// What serve notes about requests that a proxy handed on which is not trusted: when, and from
// where roughly. No address is kept: it may be a reader's who made the header up.
const (
	forwardedHere      = "forwarded here"
	forwardedPrivate   = "forwarded private"
	forwardedElsewhere = "forwarded elsewhere"

	forwardedEvery = time.Hour      // between two notes
	forwardedAge   = 24 * time.Hour // for how long one counts
)

// forwardedNotes notices requests with X-Forwarded-For from an address that is not trusted.
type forwardedNotes struct {
	*services
	mu    sync.Mutex
	noted map[string]time.Time
}

// noticeForwarded returns the handler, and notes in the database, once an hour, what a proxy
// hands on that TRUSTED_PROXIES does not name. What was noted before this start does not count
// any more: the settings may be others.
func (s *service) noticeForwarded(ctx context.Context, next http.Handler) http.Handler {
	n := &forwardedNotes{services: s.services, noted: map[string]time.Time{}}
	n.forget(ctx)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header.Values("X-Forwarded-For")) > 0 {
			n.saw(r)
		}
		next.ServeHTTP(w, r)
	})
}

func (n *forwardedNotes) forget(ctx context.Context) {
	for _, mark := range []string{forwardedHere, forwardedPrivate, forwardedElsewhere} {
		at, err := n.store.Mark(ctx, mark)
		if err == nil && n.app.now().Sub(at) < forwardedAge {
			err = n.store.SetMark(ctx, mark, time.UnixMilli(0))
		}
		if err != nil {
			n.log.Warn("what is known about proxies could not be read", "error", err)
		}
	}
}

func (n *forwardedNotes) saw(r *http.Request) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return
	}
	addr := peer.Addr().Unmap().WithZone("")
	if slices.ContainsFunc(n.settings.Proxies, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return
	}
	mark := forwardedElsewhere
	switch {
	case addr.IsLoopback():
		mark = forwardedHere
	case addr.IsPrivate(), addr.IsLinkLocalUnicast():
		mark = forwardedPrivate
	}
	now := n.app.now()
	n.mu.Lock()
	last, known := n.noted[mark]
	due := !known || now.Sub(last) >= forwardedEvery
	if due {
		n.noted[mark] = now
	}
	n.mu.Unlock()
	if !due {
		return
	}
	n.log.Warn("a request was handed on by a proxy that "+settingPrefix+"TRUSTED_PROXIES does not name, so every reader seems to come from it", "from", mark[len("forwarded "):])
	if err := n.store.SetMark(context.WithoutCancel(r.Context()), mark, now); err != nil {
		n.log.Warn("what is known about proxies could not be kept", "error", err)
	}
}

// lookAtProxies tells what serve has noticed.
func (x *examination) lookAtProxies(ctx context.Context) []doctor.Finding {
	return x.withDatabase(func(s *services) ([]doctor.Finding, error) {
		var list []doctor.Finding
		for _, c := range []struct {
			mark, from, do string
			state          doctor.State
		}{
			{forwardedHere, "a proxy on this machine", "set " + settingPrefix + "TRUSTED_PROXIES=127.0.0.1,::1 and start serve again", doctor.Failure},
			{forwardedPrivate, "a proxy in a private network", "set " + settingPrefix + "TRUSTED_PROXIES to its address and start serve again", doctor.Failure},
			{forwardedElsewhere, "an address elsewhere", "if it is your proxy's, add it to " + settingPrefix + "TRUSTED_PROXIES; otherwise somebody made the header up, and it is not believed", doctor.Warning},
		} {
			at, err := s.store.Mark(ctx, c.mark)
			if err != nil {
				return list, err
			}
			if x.now().Sub(at) < forwardedAge {
				list = append(list, doctor.Finding{State: c.state, Do: c.do,
					What: "requests are handed on by " + c.from + " that is not trusted (last noted " + local(at) + "): every reader seems to come from it, and they share one limit of sign-ups"})
			}
		}
		if len(list) == 0 {
			list = append(list, doctor.Good("no request was handed on by one that is not trusted"))
		}
		return list, nil
	})
}
