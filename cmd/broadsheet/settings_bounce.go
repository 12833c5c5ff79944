package main

import (
	"strings"

	"broadsheet/internal/bounce/listener"
	"broadsheet/internal/bounce/mailbox"
	"broadsheet/internal/web"
)

// minHookSecret is how long a secret of a web hook has to be: it is all that keeps others out.
const minHookSecret = 16

// checkBounces completes the ways in for what comes back, and adds what is wrong with them. No
// message repeats a secret.
func (s *Settings) checkBounces(add func(name, format string, args ...any)) {
	var err error
	if s.BounceListen != "" {
		if s.BounceAt, err = listener.ParseAddress(s.BounceListen); err != nil {
			add("BOUNCE_LISTEN", "%s", fieldMessage(err))
		}
	}
	if s.BounceIMAP != "" {
		if s.BounceBox, err = mailbox.ParseAddress(s.BounceIMAP); err != nil {
			add("BOUNCE_IMAP", "%s", fieldMessage(err))
		}
	}
	for _, way := range [][2]string{
		{"BOUNCE_LISTEN", s.BounceListen}, {"BOUNCE_IMAP", s.BounceIMAP}, {"WEBHOOK_SECRET", s.WebhookSecret},
		{"SES_TOPICS", strings.Join(s.SESTopics, "")}, {"POSTMARK_SECRET", s.PostmarkSecret},
	} {
		if way[1] != "" && s.BounceDomain == "" {
			add(way[0], "has no use without %sBOUNCE_DOMAIN: only return paths there tell which message came back", settingPrefix)
		}
	}
	if t := s.WebhookSecret; t != "" && len(t) < minHookSecret {
		add("WEBHOOK_SECRET", "has to be at least %d octets; \"openssl rand -hex 32\" makes one", minHookSecret)
	}
	for i, topic := range s.SESTopics {
		s.SESTopics[i] = strings.TrimSpace(topic)
		if _, ok := web.SNSHost(s.SESTopics[i]); !ok {
			add("SES_TOPICS", "%q has to be a topic such as arn:aws:sns:eu-west-1:123456789012:bounces", topic)
		}
	}
	if p := s.PostmarkSecret; p != "" {
		user, password, ok := strings.Cut(p, ":")
		if !ok || user == "" || len(password) < minHookSecret {
			add("POSTMARK_SECRET", "has to be user:password, the password at least %d octets; \"openssl rand -hex 24\" makes one", minHookSecret)
		}
	}
}
