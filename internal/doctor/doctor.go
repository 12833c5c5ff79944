// Package doctor looks at what has to be right around the service: the name system, the web
// address, the files. Each check gives plain findings that say what to do. All that it asks is
// passed in, and whatever does not answer is a finding as well.
package doctor

import (
	"context"
	"fmt"
	"time"
)

// State is how something is.
type State string

// The states. Only a Failure makes a run fail.
const (
	OK      State = "ok"
	Warning State = "warning" // it works, and somebody should look
	Failure State = "failure" // it does not work, or soon will not
	Unknown State = "unknown" // it could not be found out
)

// Finding is what came out about one thing.
type Finding struct {
	Group, Check string
	State        State
	What         string // how it is
	Do           string // what to do; empty if nothing is
}

// Good is a finding that all is well.
func Good(format string, args ...any) Finding {
	return Finding{State: OK, What: fmt.Sprintf(format, args...)}
}

// Warn is a finding that somebody should look at.
func Warn(do, format string, args ...any) Finding {
	return Finding{State: Warning, What: fmt.Sprintf(format, args...), Do: do}
}

// Fail is a finding that something does not work.
func Fail(do, format string, args ...any) Finding {
	return Finding{State: Failure, What: fmt.Sprintf(format, args...), Do: do}
}

// CannotTell is a finding that something could not be found out.
func CannotTell(do, format string, args ...any) Finding {
	return Finding{State: Unknown, What: fmt.Sprintf(format, args...), Do: do}
}

// About returns the finding with the name of what it is about.
func (f Finding) About(check string) Finding {
	f.Check = check
	return f
}

// Check looks at one thing. Look ends when ctx does; its findings need no group, and no name
// if they have the check's.
type Check struct {
	Group, Name string
	Look        func(ctx context.Context) []Finding
}

// lastWords is how long checks may take to say what they have, once their time is over.
const lastWords = time.Second

// Run makes all checks at once and returns their findings in the order of the checks, after
// limit and a second at the latest: a check that has not ended by then could not tell.
func Run(ctx context.Context, limit time.Duration, checks []Check) []Finding {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	results := make([]chan []Finding, len(checks))
	for i, c := range checks {
		results[i] = make(chan []Finding, 1) // nobody may be left who takes it
		go func() { results[i] <- c.Look(ctx) }()
	}
	over := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { // the limit, or an interruption
		time.AfterFunc(lastWords, func() { close(over) })
	})
	defer stop()
	var list []Finding
	for i, c := range checks {
		list = append(list, c.named(await(results[i], over, limit))...)
	}
	return list
}

// await returns the findings of a check, or that it took too long.
func await(result <-chan []Finding, over <-chan struct{}, limit time.Duration) []Finding {
	select {
	case found := <-result:
		return found
	default:
	}
	select {
	case found := <-result:
		return found
	case <-over:
		return []Finding{CannotTell("try again; if it stays so, look at what this check asks", "it was not known after %s", limit)}
	}
}

// named gives the findings the group and name of the check.
func (c Check) named(found []Finding) []Finding {
	for i := range found {
		found[i].Group = c.Group
		if found[i].Check == "" {
			found[i].Check = c.Name
		}
	}
	return found
}

// Failed reports whether any finding is a failure.
func Failed(list []Finding) bool {
	for _, f := range list {
		if f.State == Failure {
			return true
		}
	}
	return false
}
