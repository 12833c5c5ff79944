package desk

import (
	"context"
	"fmt"

	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// ApprovalLink returns the address of the page where it is decided about the edition.
func (d *Desk) ApprovalLink(e newsletter.Edition) string {
	return d.o.BaseURL + "/staff/approve/" +
		d.o.Press.Keys.Sign(newsletter.PurposeApprove, newsletter.Link{NewsletterID: e.NewsletterID, EditionID: e.ID})
}

// ApprovalOf returns the edition that a link in a proof mail is about, or a NotFound error. Who
// has the link can decide until the approval's time is over; the methods that do look at that.
func (d *Desk) ApprovalOf(ctx context.Context, token string) (int64, error) {
	missing := newsletter.NotFoundf("this link opens nothing: it may have been cut short on its way; please follow it again in the mail itself")
	link, err := d.o.Press.Keys.Open(newsletter.PurposeApprove, token)
	if err != nil || link.SubscriberID != 0 {
		return 0, missing
	}
	e, err := d.o.Press.Store.Edition(ctx, link.EditionID)
	if newsletter.KindOf(err) == newsletter.NotFound || err == nil && e.NewsletterID != link.NewsletterID {
		return 0, missing
	}
	return e.ID, err
}

// ProofMailer composes the mails that ask staff to approve a draft.
type ProofMailer struct {
	Desk *Desk
	To   newsletter.Address // of staff; zero: they get no mail
	// From returns who the mails are from.
	From func(context.Context) (newsletter.Address, error)
}

// Compose makes the message of a proof mail for handing it over, as the draft is then.
func (p ProofMailer) Compose(ctx context.Context, m newsletter.Mail) (from, to string, message []byte, err error) {
	fail := func(err error) (string, string, []byte, error) {
		return "", "", nil, fmt.Errorf("compose the mail about edition %d: %w", m.EditionID, err)
	}
	if p.To.Email == "" {
		return fail(newsletter.Invalidf("STAFF_EMAIL", "it is empty, so nobody can be asked; set BROADSHEET_STAFF_EMAIL"))
	}
	sender, err := p.From(ctx)
	if err != nil {
		return fail(err)
	}
	a, err := p.Desk.Approving(ctx, m.EditionID)
	if err != nil {
		return fail(err)
	}
	data := digest.ProofMail{
		Until: a.In(a.Until(a.Edition)), Facts: a.Facts(), Warnings: a.Warnings(), Link: p.Desk.ApprovalLink(a.Edition),
		Nothing: a.Nothing, Subject: a.Edition.Subject,
	}
	if a.Preview != nil {
		data.Subject, data.Text, data.HTML, data.Shown = a.Preview.Subject, a.Preview.Text, a.Preview.HTML, a.Preview.For
	} else if data.Nothing == "" {
		data.Nothing = "it is decided already"
	}
	subject, html, text, err := digest.RenderProof(p.Desk.o.Press.Templates, data)
	if err != nil {
		return fail(err)
	}
	message, err = mail.ComposeOne(mail.Message{From: sender, Subject: subject, HTML: html, Text: text, Language: "en"},
		mail.Personal{
			To: p.To, Date: m.NotBefore,
			MessageID: fmt.Sprintf("proof-%d-%d.%s", m.EditionID, m.ID, p.Desk.o.Press.Keys.MessageID(m.EditionID, 0, sender.Domain())),
		})
	if err != nil {
		return fail(err)
	}
	return sender.Email, p.To.Email, message, nil
}
