package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2 // unknown flags and commands, wrong values
	exitRefused    = 3 // a rule stands against it
	exitUnfinished = 4 // some of it is still to be done; the same command goes on
)

// run runs the program with these arguments and returns its exit code. What was asked for
// goes to stdout, everything else to stderr.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{env: env, stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now}
	root := newRootCommand(a)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	return a.report(cmd, err)
}

// newRootCommand returns the program. A new command is one line here.
func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "broadsheet",
		Short: "A newsletter service for news publishers",
		Long: `Broadsheet is a newsletter service for news publishers. Readers sign up by a form on
the article page, new articles arrive from the publisher's feeds, and each reader gets
a digest of what is new to them. Every message is accounted for.

"broadsheet demo" shows all of it on this machine, with nothing to configure.
"broadsheet init FEED-URL" begins for real.`,
		Example: `  broadsheet demo
  broadsheet init https://news.example.org/feed
  broadsheet serve`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	flags := root.PersistentFlags()
	flags.BoolVar(&a.json, "json", false, "print JSON, for programs")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print results only")
	flags.StringVar(&a.envFile, "env-file", "", "file with settings (default ./broadsheet.env, else /etc/broadsheet/env)")

	root.AddGroup(
		&cobra.Group{ID: groupStart, Title: "To begin:"},
		&cobra.Group{ID: groupWork, Title: "Every day:"},
		&cobra.Group{ID: groupThings, Title: "What there is:"},
		&cobra.Group{ID: groupOperation, Title: "Operation:"},
	)
	root.AddCommand(
		newInitCommand(a),
		newDemoCommand(a),
		newServeCommand(a),
		newSendCommand(a),
		newPreviewCommand(a),
		newStatusCommand(a),
		newNewsletterCommand(a),
		newSectionCommand(a),
		newSourceCommand(a),
		newArticleCommand(a),
		newEditionCommand(a),
		newSponsorCommand(a),
		newSubscriberCommand(a),
		newSuppressionCommand(a),
		newTokenCommand(a),
		newTemplateCommand(a),
		newConfigCommand(a),
		newDoctorCommand(a),
		newDKIMCommand(a, net.DefaultResolver.LookupTXT),
		newMigrateCommand(a),
		newBackupCommand(a),
		newBounceCommand(a),
		newRestoreCommand(a),
		newVersionCommand(a),
	)
	root.SetCompletionCommandGroupID(groupOperation)
	root.SetHelpCommandGroupID(groupOperation)
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil && help != root {
		show := help.Run
		help.Run, help.Example = nil, "  broadsheet help send"
		help.RunE = func(cmd *cobra.Command, args []string) error {
			if _, rest, err := root.Find(args); err != nil || len(rest) > 0 {
				return usagef("there is no help on %q; \"broadsheet --help\" lists the commands", strings.Join(args, " "))
			}
			show(cmd, args)
			return nil
		}
	}
	a.markStart(root)
	return root
}

// The groups of the help.
const (
	groupStart     = "start"
	groupWork      = "work"
	groupThings    = "things"
	groupOperation = "operation"
)

// markStart makes every command note that it began: an error before that is a wrong usage.
func (a *app) markStart(c *cobra.Command) {
	if work := c.RunE; work != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			a.started = true
			return work(cmd, args)
		}
	}
	for _, sub := range c.Commands() {
		a.markStart(sub)
	}
}

// newGroup returns a command that only has commands below it.
func newGroup(use, short, long, group string, below ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Long: long, GroupID: group,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				var names []string
				for _, sub := range cmd.Commands() {
					names = append(names, sub.Name())
				}
				return usagef("say what to do: %s", strings.Join(names, ", "))
			}
			message := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				message += fmt.Sprintf("; did you mean %s?", strings.Join(near, " or "))
			}
			return usagef("%s", message)
		},
	}
	c.SuggestionsMinimumDistance = 2
	c.AddCommand(below...)
	return c
}

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usagef returns an error about how the command was used.
func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// unfinishedf returns an error that says what is still to be done and who will do it.
func unfinishedf(format string, args ...any) error {
	return &exitError{exitUnfinished, fmt.Errorf(format, args...)}
}

// exitCode maps an error to the program's exit code; it is the only place that does.
func (a *app) exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	switch newsletter.KindOf(err) {
	case newsletter.Invalid:
		return exitUsage
	case newsletter.Forbidden:
		return exitRefused
	case newsletter.Internal, newsletter.NotFound, newsletter.Conflict, newsletter.RateLimited:
	}
	if !a.started {
		return exitUsage
	}
	return exitFailed
}

// report tells the person, or the program, what went wrong, and returns the exit code.
func (a *app) report(cmd *cobra.Command, err error) int {
	code := a.exitCode(err)
	if err == nil {
		return code
	}
	message := describe(cmd, err)
	if code == exitRefused && a.json && !a.answered {
		// The exit code tells already if this cannot be written.
		_ = a.printJSON(struct {
			Error  string `json:"error"`
			Reason string `json:"reason"`
		}{message, newsletter.ReasonOf(err)})
	}
	fmt.Fprintf(a.stderr, "error: %s\n", message)
	if _, ok := errors.AsType[*newsletter.Error](err); code == exitUsage && !ok && cmd != nil {
		fmt.Fprintf(a.stderr, "See \"%s --help\".\n", cmd.CommandPath())
	}
	return code
}

// describe puts an error into words. A newsletter.Error is said without what wraps it, each
// wrong field on a line of its own and called by its flag where the command has one.
func describe(cmd *cobra.Command, err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	e, ok := errors.AsType[*newsletter.Error](err)
	if !ok {
		// Cobra's suggestions come on lines of their own.
		text := err.Error()
		if strings.Contains(text, "Did you mean this?") {
			text = strings.TrimRight(text, "\n\t ") + "?"
		}
		return strings.TrimSpace(strings.NewReplacer("\n\nDid you mean this?\n\t", "; did you mean ", "\n\t", " or ").Replace(text))
	}
	var lines []string
	for _, f := range e.Fields {
		name := f.Name
		if flag := strings.ReplaceAll(name, "_", "-"); cmd != nil && cmd.Flags().Lookup(flag) != nil {
			name = "--" + flag
		}
		lines = append(lines, name+": "+f.Message)
	}
	switch {
	case len(lines) == 0:
		return e.Message
	case e.Message == "" && len(lines) == 1:
		return lines[0]
	case e.Message == "":
		return strings.Join(lines, "\n  ")
	}
	return e.Message + ":\n  " + strings.Join(lines, "\n  ")
}
