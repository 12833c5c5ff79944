package main

import (
	"context"
	"fmt"
	"strings"
)

// ask returns whether to go on: it asks the person at the terminal, and no is the default.
// With yes it asks nobody; where nobody is there it is an error of usage, which names what
// was to be done.
func (a *app) ask(ctx context.Context, yes bool, question, what string) (bool, error) {
	switch {
	case yes:
		return true, nil
	case !a.interactive():
		return false, usagef("nobody is here to ask whether to %s; say --yes", what)
	}
	return a.confirm(ctx, question)
}

// confirm asks a question that is answered by yes or no; no is the default.
func (a *app) confirm(ctx context.Context, question string) (bool, error) {
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	answer, err := a.answers(ctx).ReadString('\n')
	if err != nil {
		fmt.Fprintln(a.stderr)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}
