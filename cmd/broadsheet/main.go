// Command broadsheet is a newsletter service for news publishers: readers sign up, articles
// arrive from feeds, and each reader gets a digest of what is new to them.
//
// The files here are one command each; they parse, make one call, and print. What a command
// does is in internal/desk and internal/readers.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // so that schedules work where the machine has no time zones
)

func main() { os.Exit(mainExit()) }

// mainExit is main with an exit code, for the tests that run the program under test.
func mainExit() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// The first signal asks to stop; after it a second one ends the program at once.
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
}
