package main

import (
	"context"

	"broadsheet/internal/desk"
)

// testCopy sends one copy to the address of --test: that of the reader --as names, else the one
// that most readers get. Of a frozen edition it has the bytes on record.
func (s *sending) testCopy(ctx context.Context, sv *services, p *press, o desk.PreviewOptions) error {
	o.As = s.as
	if o.Edition == 0 {
		s.note("Asking the sources …")
	}
	copied, err := sv.desk.Preview(ctx, o)
	if err != nil {
		return err
	}
	if copied.Draft != nil {
		for _, w := range copied.Draft.Warnings {
			s.warn("%s", w)
		}
	}
	if err := sv.desk.SendTestOf(ctx, copied, s.test); err != nil {
		return err
	}
	return s.sayTested(p, copied.Newsletter.Slug, copied.Edition.ID, copied.Subject)
}

// sayTested says that a test mail went out, and to whom alone; edition is 0 if there is none yet.
func (s *sending) sayTested(p *press, slug string, edition int64, subject string) error {
	if s.json {
		return s.printJSON(struct {
			Newsletter string `json:"newsletter"`
			Edition    int64  `json:"edition,omitempty"`
			Test       string `json:"test"`
			Subject    string `json:"subject"`
		}{slug, edition, s.test, subject})
	}
	s.say("Sent a test of %q to %s by %s. Readers got nothing.", subject, s.test, p.transport)
	return nil
}
