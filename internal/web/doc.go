// Package web is the way in by HTTP: the pages for readers, the JSON API, and the viewer of
// the outbox folder. It is the only package that knows Echo.
//
// A handler parses, makes one call, and responds. Handlers return errors; one error handler
// turns them into a page or into problem details (RFC 9457), and logs what is internal.
//
// There are no cookies and no sessions: whatever a request may do, it may by the token in
// its address or by a bearer token. So nothing can be done in somebody else's name by a
// forged cross-site request, and there are no CSRF tokens, which would shut out one-click
// unsubscribing (RFC 8058) and the sign-up forms on publishers' pages.
package web
