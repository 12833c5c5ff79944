package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"broadsheet/internal/doctor"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

// doctorTime is how long all checks of the doctor may take together.
const doctorTime = 28 * time.Second

func newDoctorCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "doctor [--test ADDRESS] [--dns HOST:PORT]",
		GroupID: groupOperation,
		Short:   "Look at everything around the service, and say what to do; exit code 1 on a failure",
		Long: `Looks at the settings, the files, the database, the clock, the address that readers see and
its certificate, each relay, the ways in for what comes back, the DNS (SPF, DKIM, DMARC, the MX
of bounces, reverse names), the templates, the sources, and what is due next, and says of each
how it is and what to do.

"failure" is what does not work, or soon will not; it makes the exit code 1. "warning" works,
and somebody should look. "cannot tell" could not be found out: what does not answer keeps
nothing else waiting, and it ends within 30 seconds. No newsletter is sent, and no password shown.

--test sends one mail, with the header fields of a digest, and says how to see whether it is
signed: if the relay signs, only a mail shows it. --dns asks another name server than this
machine's, such as that of your domain just after a change.`,
		Example: `  broadsheet doctor
  broadsheet doctor --test me@example.org
  broadsheet doctor --dns 9.9.9.9
  broadsheet doctor --json`,
		Args: cobra.NoArgs,
	}
	test := cmd.Flags().String("test", "", "send one mail to this address")
	server := cmd.Flags().String("dns", "", "the name server to ask, HOST or HOST:PORT")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context(), *test, *server) }
	return cmd
}

func (a *app) doctor(ctx context.Context, test, server string) error {
	if test != "" {
		email, _, err := mail.ParseAddress(test)
		if err != nil {
			return newsletter.Invalidf("test", "%s", fieldMessage(err))
		}
		test = email
	}
	x := &examination{app: a, test: test, dns: doctor.DNS{Resolver: net.DefaultResolver}}
	if server != "" {
		if _, _, err := net.SplitHostPort(server); err != nil {
			server = net.JoinHostPort(strings.Trim(server, "[]"), "53")
		}
		x.dns.Resolver = doctor.NameServer(server)
	}
	found, err := x.run(ctx)
	if err != nil {
		return err
	}
	if a.json {
		err = a.printJSON(viewFindings(found))
	} else {
		a.printFindings(found)
	}
	if err != nil || !doctor.Failed(found) {
		return err
	}
	failures := 0
	for _, f := range found {
		if f.State == doctor.Failure {
			failures++
		}
	}
	return &exitError{exitFailed, fmt.Errorf("%s", counted(failures, "failure", "failures"))}
}

// examination is one run of the doctor. The database is opened once, by the first check that
// needs it.
type examination struct {
	*app
	settings Settings
	test     string // who gets a mail; empty: nobody
	dns      doctor.DNS
	open     func() (*services, error)
	pressErr error // why nothing can be built or sent; open sets it
}

// run makes all checks. The error is one of the settings' file only.
func (x *examination) run(ctx context.Context) ([]doctor.Finding, error) {
	settings, err := x.app.settings()
	if err != nil && len(settings.listed) == 0 {
		return nil, err
	}
	x.settings = settings
	if err != nil {
		return x.wrongSettings(err), nil
	}
	x.open = sync.OnceValues(func() (*services, error) {
		s, err := x.openWith(ctx, settings, store.ExistingOnly, x.logger(settings, false))
		if err != nil {
			return nil, err
		}
		_, x.pressErr = s.openPress()
		return s, nil
	})
	found := doctor.Run(ctx, doctorTime, x.checks())
	if x.settled(found) { // what is not known yet may still use it; the process's end closes it
		if s, _ := x.open(); s != nil {
			if err := s.Close(); err != nil {
				x.warn("the database was not closed well: %v", err)
			}
		}
	}
	return found, ctx.Err()
}

// settled reports whether every check has ended by itself.
func (x *examination) settled(found []doctor.Finding) bool {
	for _, f := range found {
		if f.State == doctor.Unknown && strings.HasPrefix(f.What, "it was not known after") {
			return false
		}
	}
	return true
}

// wrongSettings are the findings about settings with which nothing else can be looked at.
func (x *examination) wrongSettings(err error) []doctor.Finding {
	var list []doctor.Finding
	if e, ok := errors.AsType[*newsletter.Error](err); ok {
		for _, f := range e.Fields {
			list = append(list, doctor.Fail("correct it; \"broadsheet config\" shows where it comes from", "%s", f.Message).About(f.Name))
		}
	}
	if len(list) == 0 {
		list = append(list, doctor.Fail("correct it", "%v", err).About("settings"))
	}
	list = append(list, doctor.CannotTell("correct the settings and run it again", "nothing else was looked at").About("all else"))
	for i := range list {
		list[i].Group = "settings"
	}
	return list
}

// checks are all checks, in the order in which they are shown.
func (x *examination) checks() []doctor.Check {
	list := []doctor.Check{
		{Group: "settings", Name: "settings", Look: x.lookAtSettings},
		{Group: "files", Name: "files", Look: x.lookAtFiles},
		{Group: "database", Name: "version", Look: x.lookAtDatabase},
		{Group: "database", Name: "integrity", Look: x.lookAtIntegrity},
		{Group: "database", Name: "backup", Look: x.lookAtBackups},
		{Group: "database", Name: "disk", Look: x.lookAtDisk},
		{Group: "database", Name: "set aside", Look: x.lookAtSetAside},
		{Group: "web", Name: "base url", Look: x.lookAtWeb},
		{Group: "web", Name: "proxies", Look: x.lookAtProxies},
		{Group: "clock", Name: "database", Look: x.lookAtClock},
	}
	for i := range mail.SplitRelays(x.settings.SMTPURL) {
		list = append(list, doctor.Check{Group: "relay", Name: fmt.Sprintf("relay %d", i+1), Look: func(ctx context.Context) []doctor.Finding {
			return x.lookAtRelay(ctx, i)
		}})
	}
	list = append(list,
		doctor.Check{Group: "relay", Name: "signature", Look: x.lookAtSignature},
		doctor.Check{Group: "bounces", Name: "ways in", Look: x.lookAtWaysIn},
		doctor.Check{Group: "dns", Name: "senders", Look: x.lookAtSenders},
		doctor.Check{Group: "dns", Name: "bounces", Look: x.lookAtBounces},
		doctor.Check{Group: "dns", Name: "reverse name", Look: x.lookAtReverse},
		doctor.Check{Group: "newsletters", Name: "templates", Look: x.lookAtTemplates},
		doctor.Check{Group: "newsletters", Name: "slots", Look: x.lookAtSlots},
		doctor.Check{Group: "newsletters", Name: "sources", Look: x.lookAtSources},
		doctor.Check{Group: "newsletters", Name: "alarms", Look: x.lookAtAlarms})
	return list
}

// findingView is a finding in JSON.
type findingView struct {
	Group string       `json:"group"`
	Check string       `json:"check"`
	State doctor.State `json:"state"`
	What  string       `json:"what"`
	Do    string       `json:"do"`
}

func viewFindings(found []doctor.Finding) []findingView {
	views := make([]findingView, 0, len(found))
	for _, f := range found {
		views = append(views, findingView{f.Group, f.Check, f.State, f.What, f.Do})
	}
	return views
}

// printFindings prints the findings by group, and what to do below each.
func (a *app) printFindings(found []doctor.Finding) {
	words := map[doctor.State]string{doctor.OK: "ok", doctor.Warning: "warning", doctor.Failure: "FAILURE", doctor.Unknown: "cannot tell"}
	const states = len("cannot tell")
	widest, group := 0, ""
	for _, f := range found {
		widest = max(widest, columns(f.Check))
	}
	count := map[doctor.State]int{}
	for _, f := range found {
		count[f.State]++
		if a.quiet && f.State == doctor.OK {
			continue
		}
		if f.Group != group {
			if group != "" {
				fmt.Fprintln(a.stdout)
			}
			group = f.Group
			fmt.Fprintln(a.stdout, strings.ToUpper(group))
		}
		line := strings.ReplaceAll(plain(f.What), "\n", " ")
		fmt.Fprintf(a.stdout, "  %-*s  %s%s  %s\n", states, words[f.State], plain(f.Check), strings.Repeat(" ", widest-columns(f.Check)), line)
		if f.Do != "" {
			fmt.Fprintf(a.stdout, "  %s→ %s\n", strings.Repeat(" ", states+widest+4), strings.ReplaceAll(plain(f.Do), "\n", " "))
		}
	}
	a.say("\n%s, %s, %d ok, %d that cannot be told.", counted(count[doctor.Failure], "failure", "failures"),
		counted(count[doctor.Warning], "warning", "warnings"), count[doctor.OK], count[doctor.Unknown])
}
