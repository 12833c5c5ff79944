package desk

import (
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// applyApproval changes whether editions wait to be approved, notes in c what cannot be, and
// returns which fields changed.
func (e NewsletterEdit) applyApproval(n *newsletter.Newsletter, c *checks) []string {
	before := n.Approval
	if n.Approval.Lead == 0 {
		n.Approval.Lead = newsletter.DefaultApproval().Lead
	}
	if e.Approval != nil {
		manual, err := newsletter.ParseApproval(strings.TrimSpace(*e.Approval))
		c.take("approval", err)
		n.Approval.Manual = manual
	}
	for _, t := range []struct {
		field string
		value *string
		to    *time.Duration
	}{{"approval_lead", e.ApprovalLead, &n.Approval.Lead}, {"approval_deadline", e.ApprovalDeadline, &n.Approval.Deadline}} {
		if t.value == nil {
			continue
		}
		d, err := time.ParseDuration(strings.TrimSpace(*t.value))
		if err != nil {
			c.wrong(t.field, "%q is not a time; write it as 60m or 1h30m", *t.value)
			continue
		}
		*t.to = d.Truncate(time.Second)
	}
	if n.Approval == before {
		return nil
	}
	c.take("approval_lead", n.Approval.CheckLead())
	c.take("approval_deadline", n.Approval.CheckDeadline())
	var changed []string
	if n.Approval.Manual != before.Manual {
		changed = append(changed, "approval")
	}
	if n.Approval.Lead != before.Lead {
		changed = append(changed, "approval_lead")
	}
	if n.Approval.Deadline != before.Deadline {
		changed = append(changed, "approval_deadline")
	}
	return changed
}
