package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"broadsheet/internal/doctor"
)

// lookAtBounces looks whether what comes back finds its way.
func (x *examination) lookAtBounces(ctx context.Context) []doctor.Finding {
	s := &x.settings
	switch {
	case !x.real():
		return nil
	case s.BounceDomain == "":
		return []doctor.Finding{doctor.Warn("set "+settingPrefix+"BOUNCE_DOMAIN (docs/bounces.md)",
			"BOUNCE_DOMAIN is empty: bounces go to the newsletter's sender, and suppress nobody")}
	}
	f := x.dns.MX(ctx, s.BounceDomain)
	if f.State == doctor.Failure && s.BounceListen == "" && s.BounceIMAP == "" && (s.PostmarkSecret != "" || len(s.SESTopics) > 0) {
		f.State = doctor.Warning
		f.What += "; the relay tells of bounces by a call, and may put a return path of its own in place of ours"
	}
	return []doctor.Finding{f}
}

// lookAtWaysIn tries each way by which what comes back is to come in.
func (x *examination) lookAtWaysIn(ctx context.Context) []doctor.Finding {
	s := &x.settings
	if s.BounceDomain == "" {
		return nil // the DNS group has it
	}
	var list []doctor.Finding
	if s.BounceListen != "" {
		list = append(list, x.lookAtListener(ctx).About("BOUNCE_LISTEN"))
	}
	if s.BounceIMAP != "" {
		list = append(list, x.lookAtMailbox(ctx)...)
	}
	for _, hook := range [][2]string{{"WEBHOOK_SECRET", s.WebhookSecret}, {"SES_TOPICS", strings.Join(s.SESTopics, "")}, {"POSTMARK_SECRET", s.PostmarkSecret}} {
		if hook[1] != "" {
			list = append(list, doctor.Good("calls are taken while \"broadsheet serve\" runs").About(hook[0]))
		}
	}
	if len(list) == 0 {
		list = append(list, doctor.CannotTell("set one of the ways in (docs/bounces.md), unless your mail system pipes what comes back into \"broadsheet bounce\"",
			"none is set, so nobody may be learning which addresses do not work"))
	}
	return list
}

// lookAtListener looks whether somebody answers where serve listens for what comes back.
func (x *examination) lookAtListener(ctx context.Context) doctor.Finding {
	at := x.settings.BounceAt
	greeting, err := greetingOf(ctx, at.Network, dialable(at.Address))
	switch {
	case err != nil:
		return doctor.Warn("run \"broadsheet serve\"; if it runs, its log says why it does not listen", "nobody answers at %s: %v", at, err)
	case !strings.HasPrefix(greeting, "220 "+x.settings.BounceDomain):
		return doctor.Fail("give this service another address, or stop the other program", "at %s another program answers: %s", at, cut(greeting, 100))
	}
	return doctor.Good("%s answers", at)
}

// greetingOf returns the first line that a mail system says.
func greetingOf(ctx context.Context, network, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, relayTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return "", err
	}
	defer conn.Close() // nothing was said to it
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return "", err
	}
	line, err := bufio.NewReaderSize(conn, 512).ReadSlice('\n')
	if err != nil {
		return "", fmt.Errorf("it says nothing: %w", err)
	}
	return strings.TrimSpace(string(line)), nil
}

// dialable returns where one connects to what listens on every address.
func dialable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return address
}

// lookAtMailbox logs in to the mailbox of what comes back.
func (x *examination) lookAtMailbox(ctx context.Context) []doctor.Finding {
	return x.withDatabase(func(s *services) ([]doctor.Finding, error) {
		box := s.newBounceBox()
		started := time.Now()
		alarms := box.ask(ctx)
		if len(alarms) == 0 {
			return []doctor.Finding{doctor.Good("%s can be read (%d ms)", box.box.Address, time.Since(started).Milliseconds()).About("BOUNCE_IMAP")}, nil
		}
		list := fromAlarms(alarms)
		for i := range list {
			list[i] = list[i].About("BOUNCE_IMAP")
		}
		return list, nil
	})
}
