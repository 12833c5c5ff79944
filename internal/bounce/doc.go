// Package bounce reads what comes back: reports of non-delivery (RFC 3464), complaints
// (RFC 5965), and what machines answer. Read says what a message means; Service finds out by
// its return path which message of ours it is about, and puts that on record. Only a return
// path that we made changes anything (S17).
package bounce
