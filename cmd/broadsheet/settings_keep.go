package main

import (
	"context"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// maxKeep is the most days that anything is kept, a hundred years.
const maxKeep = 36500

// checkKeep adds what is wrong with how long things about people are kept.
func (s *Settings) checkKeep(add func(name, format string, args ...any)) {
	for _, k := range []struct {
		name      string
		days, min int
		why       string
	}{
		{"KEEP_IP", s.KeepIP, 1, ""},
		{"KEEP_UNCONFIRMED", s.KeepUnconfirmed, newsletter.MinKeepUnconfirmed, ": an address that is suppressed is asked at most once in thirty days"},
		{"KEEP_MAILS", s.KeepMails, newsletter.MinKeepMails, ": how often an address is written to depends on the last month's mails"},
		{"KEEP_LEFT", s.KeepLeft, newsletter.MinKeepLeft, ": what comes back late, and questions, are about the last month"},
	} {
		if k.days != 0 && (k.days < k.min || k.days > maxKeep) {
			add(k.name, "has to be 0, for ever, or %d to %d days%s", k.min, maxKeep, k.why)
		}
	}
}

// forget removes what is kept about people no longer than set.
func (s *service) forget(ctx context.Context) error {
	f, err := s.press.readers.Forget(ctx, readers.Keep{
		Clients: s.settings.KeepIP, Unconfirmed: s.settings.KeepUnconfirmed, Mails: s.settings.KeepMails,
		Left: s.settings.KeepLeft,
	})
	if f != (readers.Forgot{}) {
		s.log.Info("what was kept about people for its time is removed", "machine_addresses", f.Clients, "unconfirmed_sign_ups", f.SignUps,
			"people_who_never_confirmed", f.People, "mails", f.Mails, "people_who_left", f.Left)
	}
	return err
}
