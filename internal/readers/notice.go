package readers

import (
	"cmp"
	"context"
	"slices"

	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// composeNotice composes a mail about the reader's own page, in the reader's language.
func (s *Service) composeNotice(ctx context.Context, m newsletter.Mail, all []newsletter.Newsletter) (from, to string, message []byte, err error) {
	sub, err := s.store.Subscriber(ctx, m.SubscriberID)
	if err != nil {
		return "", "", nil, err
	}
	about, err := publisherOf(all, sub)
	if err != nil {
		return "", "", nil, err
	}
	data := digest.NoticeMail{
		Notice: digest.NoticeLink, Address: m.Email, Valid: newsletter.FreshTime,
		Link:     s.o.BaseURL + "/manage/" + s.o.Keys.SignFresh(newsletter.Link{SubscriberID: sub.ID, NewsletterID: about.ID}, s.o.Now()),
		Language: cmp.Or(sub.Language, about.Language), Sender: senderOf(about), PostalAddress: about.PostalAddress, PrivacyURL: about.PrivacyURL,
	}
	subject, html, text, err := digest.RenderNotice(s.o.Templates, data)
	if err != nil {
		return "", "", nil, err
	}
	sender := s.confirmFrom(all, []newsletter.Newsletter{about})
	message, err = mail.ComposeOne(mail.Message{
		From: sender, Subject: subject, HTML: html, Text: text, Language: data.Language,
	}, mail.Personal{
		To:        newsletter.Address{Email: m.Email},
		MessageID: s.o.Keys.MessageID(-m.ID, m.SubscriberID, sender.Domain()), // no edition has a negative id
		Date:      m.NotBefore,
	})
	return sender.Email, m.Email, message, err
}

// publisherOf returns the newsletter in whose name somebody is written to: one that they get, else one
// that they got or asked for, else the first that there is.
func publisherOf(all []newsletter.Newsletter, sub newsletter.Subscriber) (newsletter.Newsletter, error) {
	subs := slices.Clone(sub.Subscriptions)
	gets := func(u newsletter.Subscription) int {
		if u.State == newsletter.Active || u.State == newsletter.PausedSub {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(subs, func(a, b newsletter.Subscription) int { return cmp.Compare(gets(a), gets(b)) })
	for _, u := range subs {
		if n, ok := byID(all, u.NewsletterID); ok {
			return n, nil
		}
	}
	if len(all) == 0 {
		return newsletter.Newsletter{}, newsletter.Conflictf("there is no newsletter in whose name to write")
	}
	return all[0], nil
}
