package main

import "broadsheet/internal/newsletter"

// checkSignUps adds what is wrong with the limits of signing up.
func (s *Settings) checkSignUps(add func(name, format string, args ...any)) {
	for _, n := range []struct {
		name  string
		value int
	}{{"SIGNUPS_PER_HOUR", s.SignUpsPerHour}, {"NEWSLETTER_SIGNUPS_PER_HOUR", s.NewsletterSignUps}} {
		if n.value < 1 || n.value > 1e9 {
			add(n.name, "has to be 1 or more sign-ups in an hour")
		}
	}
	if !(s.ConfirmRate >= 0.01 && s.ConfirmRate <= 1e6) {
		add("CONFIRM_RATE", "has to be 0.01 or more mails a second")
	}
}

// signUpLimits returns the limits of newsletters and of everybody together.
func (s *Settings) signUpLimits() newsletter.SignUpLimits {
	return newsletter.SignUpLimits{Newsletter: s.NewsletterSignUps, All: s.SignUpsPerHour, Rate: s.ConfirmRate}
}
