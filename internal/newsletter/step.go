package newsletter

import "time"

// Step is the ledger's one step on the way of a connection's messages: it records the result
// of the last one and the intent to send the next one. Either may be missing.
type Step struct {
	Last *DeliveryResult
	Next *Intent
}

// Intent is a delivery that is about to be sent, as it was read from the ledger.
type Intent struct {
	DeliveryKey
	VariantID int64
	Email     string
	Barred    SuppressionHashes // what a suppression of the address would be kept under
	ReadAt    time.Time         // when the reader's address was read
}

// StepResult says what became of a Step.
type StepResult struct {
	// Begun says that the intent is on record: the message may be sent. If it is false without
	// an error, the delivery must not be sent, or not now: State says where it stands.
	Begun bool
	State State
	// Withdrawn says that its variant has what was withdrawn: the reader gets another one.
	Withdrawn bool
	// Stopped says that the edition is not open: paused, cancelled or sent.
	Stopped bool
	// Err says that nothing of the step is on record.
	Err error
}
