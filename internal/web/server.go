package web

import (
	"net/http"
	"time"
)

// Limits are what keeps slow, large and many requests of a few clients from everybody else's.
type Limits struct {
	Header      time.Duration // for the head of a request
	Read        time.Duration // for all of a request
	Write       time.Duration // for the answer, from the request's head on
	Idle        time.Duration // between two requests on one connection
	MaxHeader   int           // octets of a request's head
	Connections int           // at once
	PerClient   int           // of them from one stranger: an IPv4 address, or a /64 of IPv6
}

// DefaultLimits returns those of the service. They leave room for everybody: a page and its style
// sheet are a connection or two, for a tenth of a second.
func DefaultLimits() Limits {
	return Limits{
		Header:      5 * time.Second,
		Read:        15 * time.Second,
		Write:       60 * time.Second,
		Idle:        2 * time.Minute,
		MaxHeader:   16 << 10,
		Connections: 4096,
		PerClient:   256,
	}
}

// Server returns a server for the handler with limits on how long a client may take and how
// much it may say before the handler is asked. The caller runs it, on what Limits.Listener
// returns, and shuts it down. It speaks HTTP/1.1: TLS and newer versions are the proxy's.
func (l Limits) Server(addr string, handler http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           oneWayToEnd(handler),
		ReadHeaderTimeout: l.Header,
		ReadTimeout:       l.Read,
		WriteTimeout:      l.Write,
		IdleTimeout:       l.Idle,
		MaxHeaderBytes:    l.MaxHeader,
	}
}

// oneWayToEnd closes the connection after a request that came in chunks. Where such a request ends
// is what request smuggling makes a proxy and us disagree about: RFC 9112 §6.3 wants this where
// there is a Content-Length too, which net/http has thrown away by now. Browsers send no chunks.
func oneWayToEnd(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
