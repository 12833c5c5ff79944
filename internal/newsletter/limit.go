package newsletter

import "time"

// Limit holds down how often something is done in an hour by whoever a bucket stands for: a client,
// a network, a newsletter, everybody (S28). Beyond Full it is the slow lane: what is asked for is
// taken all the same, and its mail goes out later, so that many people behind one address get in and
// nobody can make us send many mails at once.
type Limit struct {
	Bucket  string        // "client:192.0.2.7"
	Full    int           // this many in an hour go at full speed
	Most    int           // beyond this many they are refused; 0: they never are
	Spacing time.Duration // in the slow lane, how much later each one's mail is than that of the one before
	// General says that it is not about where the sign-ups come from. Those that their client or network
	// puts into the slow lane take nobody else's place: they count for staff, and not towards Full.
	General bool
}

// FullBucket is where those that go at full speed are counted of a general limit.
func (l Limit) FullBucket() string { return l.Bucket + "/full" }

// The limits of signing up, per hour. A household or a small office stays below Clients; the
// thousand people of a hospital behind one address wait up to an hour and a half for their mail.
const (
	ClientSignUps      = 60
	ClientMostSignUps  = 1_000
	clientSpacing      = 5 * time.Second
	NetworkSignUps     = 300
	NetworkMostSignUps = 10_000
	networkSpacing     = time.Second
)

// ClientLimit is that of one address on the net, or of the 64 bits of an IPv6 address that one
// household has.
func ClientLimit(client string) Limit {
	return Limit{Bucket: "client:" + client, Full: ClientSignUps, Most: ClientMostSignUps, Spacing: clientSpacing}
}

// NetworkLimit is that of a network: 256 IPv4 addresses, or the 48 bits of IPv6 that one customer has.
func NetworkLimit(network string) Limit {
	return Limit{Bucket: NetworkBuckets + network, Full: NetworkSignUps, Most: NetworkMostSignUps, Spacing: networkSpacing}
}

// Delay returns how much later the mail of the n-th in an hour goes out, or ok false if it is refused.
func (l Limit) Delay(n int) (delay time.Duration, ok bool) {
	if l.Most > 0 && n > l.Most {
		return 0, false
	}
	return time.Duration(max(0, n-l.Full)) * l.Spacing, true
}

// SignUpLimits are those of newsletters and of everybody together, which a publisher sets. They are
// never a reason to refuse anybody: staff are told, and mails spread over time.
type SignUpLimits struct {
	Newsletter int     // sign-ups for one newsletter in an hour
	All        int     // all sign-ups in an hour
	Rate       float64 // beyond that, confirmation mails a second
}

// DefaultSignUpLimits are those of a publisher who sets none.
func DefaultSignUpLimits() SignUpLimits { return SignUpLimits{Newsletter: 2_000, All: 5_000, Rate: 20} }

// SignUpRates says how many sign-ups there were in the last hour.
type SignUpRates struct {
	All         int
	Newsletters []BucketCount // by slug, those with any
	Networks    []BucketCount // the busiest of those past full speed, the busiest first
	PutOff      int           // confirmation mails that wait in the slow lane
	Until       time.Time     // when the last of them goes out
}

// BucketCount is what a bucket counts.
type BucketCount struct {
	Name  string
	Count int
}

// The buckets of all sign-ups, and of those for one newsletter.
const (
	AllSignUps        = "sign-ups"
	NewsletterSignUps = "sign-ups:" // and the slug
	NetworkBuckets    = "network:"  // and the network
)

// BucketOf is where sign-ups for a newsletter are counted.
func BucketOf(slug string) string { return NewsletterSignUps + slug }

// Of returns the limits of a sign-up for newsletters.
func (l SignUpLimits) Of(list []Newsletter) []Limit {
	spacing := time.Duration(float64(time.Second) / max(l.Rate, 0.001))
	limits := []Limit{{Bucket: AllSignUps, Full: l.All, Spacing: spacing, General: true}}
	for _, n := range list {
		limits = append(limits, Limit{Bucket: BucketOf(n.Slug), Full: l.Newsletter, Spacing: spacing, General: true})
	}
	return limits
}
