package main

import (
	"context"
	"fmt"

	"broadsheet/internal/doctor"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// lookAtSignature says who signs, and sends the mail that --test asks for.
func (x *examination) lookAtSignature(ctx context.Context) []doctor.Finding {
	if x.test != "" {
		return x.sendTest(ctx)
	}
	if n := len(x.settings.SigningKeys); n > 0 {
		return []doctor.Finding{doctor.Good("mail is signed here, with %s", counted(n, "key", "keys"))}
	}
	if !x.real() {
		return nil
	}
	return []doctor.Finding{doctor.CannotTell("broadsheet doctor --test YOU@YOUR-PROVIDER sends one mail and says where to look; to sign here: broadsheet dkim generate",
		"no key is set, so the relay has to sign; whether it does, only a mail shows")}
}

// sendTest sends a mail with the header fields of a digest by the first relay that takes it.
func (x *examination) sendTest(ctx context.Context) []doctor.Finding {
	const check = "test mail"
	found := x.withDatabase(func(s *services) ([]doctor.Finding, error) {
		if x.pressErr != nil {
			return nil, x.pressErr
		}
		if err := s.refuseRestored(ctx); err != nil {
			return nil, err
		}
		from, err := x.testSender(ctx, s)
		if err != nil {
			return nil, err
		}
		message, err := x.testMessage(from)
		if err != nil {
			return nil, err
		}
		connecting, cancel := context.WithTimeout(ctx, relayTime)
		defer cancel()
		session, err := s.press.transport.Connect(connecting)
		if err != nil {
			return []doctor.Finding{doctor.Fail("mend what the relay says", "it was not sent: %v", err)}, nil
		}
		o := session.Send(ctx, from.Email, x.test, message)
		_ = session.Close() // the outcome is what matters
		if o.State != newsletter.Accepted {
			return []doctor.Finding{doctor.Fail("mend what the relay says", "it was not sent to %s: %s", x.test, o)}, nil
		}
		f := doctor.Good("sent to %s from %s", x.test, from.Email)
		f.Do = fmt.Sprintf("open the source of the mail. Authentication-Results has to say dkim=pass and dmarc=pass. "+
			"A DKIM-Signature with d=%s, or a domain above it, has to name list-unsubscribe and list-unsubscribe-post in h= (RFC 8058)", from.Domain())
		return []doctor.Finding{f}, nil
	})
	if len(found) == 0 {
		found = append(found, doctor.CannotTell("mend the database first", "it was not sent"))
	}
	for i := range found {
		found[i] = found[i].About(check)
	}
	return found
}

// testSender returns who digests are from.
func (x *examination) testSender(ctx context.Context, s *services) (newsletter.Address, error) {
	newsletters, err := s.desk.Newsletters(ctx)
	for _, n := range newsletters {
		if n.Status != newsletter.Closed {
			return n.From, nil
		}
	}
	if err == nil && x.settings.Confirm.Email == "" {
		err = newsletter.Conflictf("there is no newsletter that the mail could be from; make one with \"broadsheet init FEED-URL\", or set %sCONFIRM_FROM", settingPrefix)
	}
	return x.settings.Confirm, err
}

func (x *examination) testMessage(from newsletter.Address) ([]byte, error) {
	now := x.now()
	variant, err := mail.Compose(mail.Message{
		From: from, Subject: "Broadsheet: is this mail signed?", Language: "en",
		Text: "Somebody ran \"broadsheet doctor --test\" with this address.\n\nOpen the source of this mail. Authentication-Results has to say dkim=pass and\n" +
			"dmarc=pass, and a DKIM-Signature has to name list-unsubscribe and\nlist-unsubscribe-post in h=.\n",
		List:       &mail.List{Name: "Broadsheet's doctor", ID: "doctor." + from.Domain()},
		FeedbackID: "doctor:test:test:broadsheet",
	})
	if err != nil {
		return nil, err
	}
	message, err := variant.Append(nil, mail.Personal{
		To: newsletter.Address{Email: x.test}, MessageID: fmt.Sprintf("doctor-%d@%s", now.UnixNano(), from.Domain()), Date: now,
		UnsubscribeURL: x.settings.BaseURL + "/unsubscribe/test",
	})
	if err != nil {
		return nil, err
	}
	signers, err := x.settings.signers(x.now)
	if err != nil {
		return nil, err
	}
	if signer := signers.For(from.Domain()); signer != nil {
		return signer.Sign(message)
	}
	return message, nil
}
