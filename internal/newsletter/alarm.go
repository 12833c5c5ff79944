package newsletter

import "time"

// AlarmKind says what sort of thing is wrong.
type AlarmKind string

// The kinds of alarm. They are stored, and programs read them: they never change.
const (
	AlarmLate          AlarmKind = "late"           // a slot is due and not built
	AlarmMissed        AlarmKind = "missed"         // a slot passed and nothing was sent
	AlarmStuck         AlarmKind = "stuck"          // an edition with nothing accepted lately while rows are due
	AlarmPaused        AlarmKind = "paused"         // an edition is paused
	AlarmImbalance     AlarmKind = "imbalance"      // a ledger does not add up
	AlarmRefused       AlarmKind = "refused"        // an edition was refused for all of its readers
	AlarmExpired       AlarmKind = "expired"        // deliveries that could not be made in time
	AlarmComplaints    AlarmKind = "complaints"     // many readers reported an edition as spam
	AlarmInDoubt       AlarmKind = "in_doubt"       // deliveries in doubt that are not sent again
	AlarmRelayRefusing AlarmKind = "relay_refusing" // the relay takes no mail
	AlarmSourceFailing AlarmKind = "source_failing" // a source does not answer, or is broken
	AlarmDiskLow       AlarmKind = "disk_low"       // a disk is nearly full
	AlarmMailQueue     AlarmKind = "mail_queue"     // confirmation mails wait
	AlarmSignUps       AlarmKind = "sign_ups"       // more sign-ups than there should be (S28)
	AlarmDatabase      AlarmKind = "database"       // the database cannot be read
	AlarmBounces       AlarmKind = "bounces"        // the mailbox of what comes back cannot be read
	AlarmJournal       AlarmKind = "journal"        // the journal cannot be written
	AlarmBackup        AlarmKind = "backup"         // there is no backup of the last day
	AlarmRestored      AlarmKind = "restored"       // the database was restored, and nothing is sent
	AlarmSponsor       AlarmKind = "sponsor"        // a sponsor's message has not come, a day before
	AlarmApproval      AlarmKind = "approval"       // a draft waits for staff, and they may not know
	AlarmNotApproved   AlarmKind = "not_approved"   // nobody approved an edition in time, and nothing was sent
	AlarmLegal         AlarmKind = "legal"          // a newsletter lacks what the law wants, and is not sent
)

// AlarmKinds returns every kind.
func AlarmKinds() []AlarmKind {
	return []AlarmKind{
		AlarmLate, AlarmMissed, AlarmStuck, AlarmPaused, AlarmImbalance, AlarmRefused, AlarmComplaints, AlarmExpired, AlarmInDoubt,
		AlarmRelayRefusing, AlarmSourceFailing, AlarmDiskLow, AlarmMailQueue, AlarmSignUps, AlarmDatabase, AlarmBounces,
		AlarmJournal, AlarmBackup, AlarmRestored, AlarmLegal, AlarmSponsor, AlarmApproval, AlarmNotApproved,
	}
}

// Severity says how much an alarm matters.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"   // readers do not get what they should, or soon will not
	SeverityWarning Severity = "warning" // somebody should look
)

// Severity returns how much alarms of the kind matter.
func (k AlarmKind) Severity() Severity {
	switch k {
	case AlarmComplaints, AlarmExpired, AlarmInDoubt, AlarmSourceFailing, AlarmMailQueue, AlarmSignUps, AlarmBounces, AlarmSponsor, AlarmApproval:
		return SeverityWarning
	case AlarmLate, AlarmMissed, AlarmStuck, AlarmPaused, AlarmImbalance, AlarmRefused, AlarmRelayRefusing,
		AlarmDiskLow, AlarmDatabase, AlarmJournal, AlarmBackup, AlarmRestored, AlarmLegal, AlarmNotApproved:
	}
	return SeverityError
}

// Alarm is one thing that is wrong now.
type Alarm struct {
	Kind AlarmKind
	// Subject is what it is about, for programs: "edition/42", "daily-news/daily/2026-11-20".
	// Kind and subject name the alarm.
	Subject string
	What    string    // what is wrong, in a plain line without a full stop
	Do      string    // what to do about it
	Since   time.Time // in the zone in which it is told; zero: not known
}

// AlarmKey names an alarm.
type AlarmKey struct {
	Kind    AlarmKind
	Subject string
}

// Key returns the alarm's name.
func (a Alarm) Key() AlarmKey { return AlarmKey{a.Kind, a.Subject} }

// Text is the alarm in one line: what, since when, what to do.
func (a Alarm) Text() string {
	text := a.What
	if !a.Since.IsZero() {
		text += ", since " + a.Since.Format("Mon 2 Jan 15:04 MST")
	}
	if a.Do != "" {
		text += "; " + a.Do
	}
	return text
}

// RaisedAlarm is an alarm on record: who was told of it, and of its end. A zero time has not
// happened.
type RaisedAlarm struct {
	ID            int64 // 0: not on record yet
	Kind          AlarmKind
	Subject       string
	Text          string
	Since         time.Time
	RaisedAt      time.Time
	MailedAt      time.Time
	CalledAt      time.Time
	ClearedAt     time.Time // it was over
	ClearMailedAt time.Time
	ClearCalledAt time.Time
	Settled       bool // it is over, and everybody was told
}

// Key returns the alarm's name.
func (r RaisedAlarm) Key() AlarmKey { return AlarmKey{r.Kind, r.Subject} }

// Over reports whether it is over.
func (r RaisedAlarm) Over() bool { return !r.ClearedAt.IsZero() }
