package newsletter

// Erased counts what erasing a person removed.
type Erased struct {
	SubscriberID  int64
	Subscriptions int
	Events        int // of their history
	SignUps       int
	Mails         int // transactional ones
	Deliveries    int // rows of the ledger, which stay without the person
	Withheld      int // of those: they were still to be sent
}
