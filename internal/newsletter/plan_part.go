package newsletter

// PlanPart says what an edition's plan gave to the readers after one subscriber up to another.
// It is fixed when it is written; what became of the deliveries, the ledger says.
type PlanPart struct {
	After int64 // it speaks for the subscribers after this one …
	Last  int64 // … up to this one
	Runs  []PlanRun
}

// PlanRun are subscribers, one id after the other without a gap, who were given one variant.
// Who is in no run was given none.
type PlanRun struct {
	First     int64
	Last      int64
	VariantID int64
}
