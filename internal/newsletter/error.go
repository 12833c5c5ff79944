package newsletter

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what sort of mistake an Error is, so that a caller can choose an exit code
// or an HTTP status without reading the text.
type Kind int

// The kinds of mistake that can be told to the person who made them. Everything else is
// internal: it is logged, and the person reads that something went wrong.
const (
	Internal    Kind = iota
	Invalid          // a value is wrong; Fields says which
	NotFound         // there is no such thing
	Conflict         // it exists already, or its state does not allow this
	Forbidden        // a rule or a right stands against it; Reason says which
	RateLimited      // too often; RetryAfter says when it may work again
	Busy             // too many at once, whoever asks; RetryAfter says when it may work
)

// String returns the kind as a word, as it stands in JSON.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case NotFound:
		return "not_found"
	case Conflict:
		return "conflict"
	case Forbidden:
		return "forbidden"
	case RateLimited:
		return "rate_limited"
	case Busy:
		return "busy"
	case Internal:
	}
	return "internal"
}

// Field names one wrong value of the input and says what would be right.
type Field struct {
	Name    string
	Message string
}

// Error is a mistake whose message may be shown to the person who made it.
type Error struct {
	Kind    Kind
	Reason  string // a short snake_case word for programs: "nothing_new"; may be empty
	Message string // a sentence for people, saying what to do next
	Fields  []Field
	// RetryAfter is the number of seconds until another try makes sense, for RateLimited and Busy.
	RetryAfter int
	// Contact is an address that helps, where the message says to write to us; may be empty.
	Contact string
}

// Error returns the message, and each wrong field on it.
func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	parts := make([]string, 0, len(e.Fields)+1)
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	for _, f := range e.Fields {
		parts = append(parts, f.Name+": "+f.Message)
	}
	return strings.Join(parts, "; ")
}

// Invalidf returns an Invalid error about one field.
func Invalidf(field, format string, args ...any) error {
	return &Error{Kind: Invalid, Fields: []Field{{Name: field, Message: fmt.Sprintf(format, args...)}}}
}

// NotFoundf returns a NotFound error.
func NotFoundf(format string, args ...any) error {
	return &Error{Kind: NotFound, Message: fmt.Sprintf(format, args...)}
}

// Conflictf returns a Conflict error.
func Conflictf(format string, args ...any) error {
	return &Error{Kind: Conflict, Message: fmt.Sprintf(format, args...)}
}

// Refusef returns a Forbidden error with the reason that programs read.
func Refusef(reason, format string, args ...any) error {
	return &Error{Kind: Forbidden, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// KindOf returns the kind of the first Error in err's chain, Internal if there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// ReasonOf returns the reason of the first Error in err's chain, or "".
func ReasonOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}
