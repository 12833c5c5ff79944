package newsletter

import (
	"fmt"
	"strings"
	"time"
)

// ApprovalRule says whether the editions of a newsletter's slots wait for somebody to approve
// them. The zero value is that they do not.
type ApprovalRule struct {
	Manual   bool
	Lead     time.Duration // how long before its slot an edition is drafted, and staff are asked
	Deadline time.Duration // how long before its slot it has to be approved
}

// DefaultApproval is the rule of a newsletter whose staff have said nothing about it.
func DefaultApproval() ApprovalRule { return ApprovalRule{Lead: time.Hour} }

// The bounds of an approval's times. Staff need some minutes to read, and what is drafted long
// before is old when it comes.
const (
	minApprovalTime = 5 * time.Minute
	maxApprovalLead = 24 * time.Hour
)

// ParseApproval reads whether editions wait to be approved: manual or none.
func ParseApproval(s string) (manual bool, err error) {
	switch s {
	case "manual":
		return true, nil
	case "none":
		return false, nil
	}
	return false, Invalidf("approval", "%q is not a choice; use manual or none", s)
}

// Word returns what ParseApproval reads.
func (r ApprovalRule) Word() string {
	if r.Manual {
		return "manual"
	}
	return "none"
}

// CheckLead returns an Invalid error unless the lead can be.
func (r ApprovalRule) CheckLead() error {
	if r.Lead < minApprovalTime || r.Lead > maxApprovalLead {
		return Invalidf("approval_lead", "it is from 5m to 24h, such as 60m")
	}
	return nil
}

// CheckDeadline returns an Invalid error unless the deadline can be.
func (r ApprovalRule) CheckDeadline() error {
	switch {
	case r.Deadline < 0:
		return Invalidf("approval_deadline", "it is how long before the slot, such as 10m; 0m is the slot itself")
	case r.Lead-r.Deadline < minApprovalTime:
		return Invalidf("approval_deadline", "it leaves staff less than 5 minutes after the draft is made; make it shorter, or the lead longer")
	}
	return nil
}

// AskAt is when the edition of a slot is drafted.
func (r ApprovalRule) AskAt(due Due) time.Time { return due.At.Add(-r.Lead) }

// askedLate is how much later than it should be a draft can be made, by slow sources, before its
// deadline moves.
const askedLate = 5 * time.Minute

// DeadlineOf is when an edition that is drafted now has to be approved. Where it is made late,
// because nothing was new before or nobody served, staff have as much time as ever.
func (r ApprovalRule) DeadlineOf(due Due, now time.Time) time.Time {
	deadline := due.At.Add(-r.Deadline)
	if late := now.Sub(r.AskAt(due)); late > askedLate {
		deadline = deadline.Add(late)
	}
	return deadline
}

// ApprovalState is what staff have said about a draft.
type ApprovalState string

// The states of an approval. They are stored.
const (
	ApprovalAsked    ApprovalState = "asked"    // nobody has said anything
	ApprovalHeld     ApprovalState = "held"     // it is not to be sent before somebody says so
	ApprovalApproved ApprovalState = "approved" // it is frozen
	ApprovalExpired  ApprovalState = "expired"  // nobody approved it in time
)

// Approval is where the approval of a slot's draft stands.
type Approval struct {
	EditionID int64
	State     ApprovalState
	Deadline  time.Time
	By        string    // who said so last; empty: nobody
	At        time.Time // when that was
}

// Until is how long the edition can be approved: to its deadline, and where it is held, as long
// as an edition of its slot is carried out.
func (a Approval) Until(e Edition) time.Time {
	if a.State == ApprovalHeld || e.State == EditionPaused && e.PlannedAt.IsZero() {
		return e.ExpiresAt
	}
	return a.Deadline
}

// Waits reports whether the edition is a draft that still can be approved.
func (a Approval) Waits(e Edition, now time.Time) bool {
	return e.State == EditionDraft && (a.State == ApprovalAsked || a.State == ApprovalHeld) && now.Before(a.Until(e))
}

// ReasonNotApproved is why a slot passed whose edition nobody approved in time.
const ReasonNotApproved = "not_approved"

// TooLate is the refusal to approve or change an edition after its time.
func (a Approval) TooLate(e Edition) error {
	return &Error{Kind: Conflict, Reason: "too_late",
		Message: fmt.Sprintf("edition %d could be approved until %s UTC; what was in it is owed still, and \"broadsheet send %s\" sends it",
			a.EditionID, a.Until(e).UTC().Format("15:04 on 2 January"), e.Newsletter)}
}

// WaitingApproval is a draft that waits to be approved, and whether staff have got its mail.
type WaitingApproval struct {
	Approval
	Edition Edition
	Mailed  bool
	AskedAt time.Time
}

// ReaderGroup counts the readers of one cadence with the same choice of sections.
type ReaderGroup struct {
	Cadence  Cadence
	Slot     string // that they chose, offered or not
	Sections Mask
	Paused   bool
	Readers  int
}

// PurposeApprove is what the link in a proof mail allows: to decide about one draft, until its
// deadline.
const PurposeApprove Purpose = "approve"

// maxWho is how long a name on record can be, in characters.
const maxWho = 60

// Who returns a name as it stands on record: in one line, and not long.
func Who(name string) string {
	name = strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }), " ")
	if runes := []rune(name); len(runes) > maxWho {
		return string(runes[:maxWho])
	}
	return name
}
