package doctor

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// world is what a name server of a test knows. Names have no dot at the end.
type world struct {
	txt    map[string][]string
	mx     map[string]string
	a, ptr map[string]string
	silent bool // it never answers
}

// serve starts the name server and returns its address.
func (w world) serve(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if w.silent {
				continue
			}
			if answer, err := w.answer(buffer[:n]); err == nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

func (w world) answer(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	q := m.Questions[0]
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true}, Questions: m.Questions[:1]}
	add := func(body dnsmessage.ResourceBody) {
		reply.Answers = append(reply.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60}, Body: body,
		})
	}
	switch q.Type {
	case dnsmessage.TypeTXT:
		for _, text := range w.txt[name] {
			add(&dnsmessage.TXTResource{TXT: []string{text}})
		}
	case dnsmessage.TypeMX:
		if host := w.mx[name]; host != "" {
			add(&dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName(host)})
		}
	case dnsmessage.TypeA:
		if ip := net.ParseIP(w.a[name]); ip != nil {
			add(&dnsmessage.AResource{A: [4]byte(ip.To4())})
		}
	case dnsmessage.TypePTR:
		if host := w.ptr[name]; host != "" {
			add(&dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(host)})
		}
	}
	if len(reply.Answers) == 0 {
		reply.RCode = dnsmessage.RCodeNameError
	}
	return reply.Pack()
}

func (w world) dns(t *testing.T) DNS { return DNS{NameServer(w.serve(t))} }

// expect checks a finding: its state, and a part of what it says.
func expect(t *testing.T, name string, f Finding, state State, what string) {
	t.Helper()
	if f.State != state || !strings.Contains(f.What, what) || (f.Do == "") != (state == OK) {
		t.Errorf("%s: %s, %q (do: %q); want %s, %q", name, f.State, f.What, f.Do, state, what)
	}
}

func TestSPF_SaysWhatReceiversMakeOfIt(t *testing.T) {
	t.Parallel()
	many := "v=spf1"
	for _, c := range "abcdefghijk" {
		many += " a:" + string(c) + ".example.org"
	}
	d := world{txt: map[string][]string{
		"good.example":    {"some-other=record", "v=spf1 include:relay.example -all"},
		"relay.example":   {"v=spf1 ip4:192.0.2.0/24 ?all"},
		"open.example":    {"v=spf1 a +all"},
		"bare.example":    {"v=spf1 all"},
		"neutral.example": {"v=spf1 ip4:192.0.2.1"},
		"two.example":     {"v=spf1 -all", "v=spf1 ~all"},
		"many.example":    {many + " -all"},
		"nested.example":  {"v=spf1 include:many.example -all"},
		"lost.example":    {"v=spf1 include:nowhere.example -all"},
		"loop.example":    {"v=spf1 include:loop2.example -all"},
		"self.example":    {"v=spf1 include:self.example -all"},
		"twice.example":   {"v=spf1 include:good.example include:three.example -all"}, // relay.example counts each time
		"three.example":   {"v=spf1 include:good.example -all"},
		"typo.example":    {"v=spf1 inlcude:relay.example -all"},
		"family.example":  {"v=spf1 ipv4:192.0.2.1 -all"},
		"octet.example":   {"v=spf1 ip4:192.0.2.999 -all"},
		"six.example":     {"v=spf1 ip6:2001:db8:: ip6:2001:db8::/32 ip4:192.0.2.0/24 -all"},
		"unused.example":  {"v=spf1 -all include:relay.example"},
		"new.example":     {"v=spf1 unheard=of ip4:192.0.2.1 ~all"},
		"loop2.example":   {"v=spf1 include:loop.example -all"},
		"moved.example":   {"v=spf1 redirect=good.example"},
		"opened.example":  {"v=spf1 redirect=open.example"},
		"macro.example":   {"v=spf1 exists:%{i}.list.example include:%{d}.relay.example ~all"},
		"empty.example":   {"v=spf1 include: -all"},
		"ends.example":    {"v=spf1 include:good.example"}, // the -all of what it includes is not its own
	}}.dns(t)
	for domain, want := range map[string]struct {
		state State
		what  string
	}{
		"good.example":    {OK, "1 of 10 look-ups"},
		"none.example":    {Warning, "has no SPF record"},
		"open.example":    {Failure, "+all"},
		"bare.example":    {Failure, "+all"},
		"neutral.example": {Warning, "says nothing about mail from elsewhere"},
		"two.example":     {Failure, "has 2 SPF records"},
		"many.example":    {Failure, "more than 10 look-ups"},
		"nested.example":  {Failure, "more than 10 look-ups"},
		"lost.example":    {Failure, "names nowhere.example, which has none"},
		"loop.example":    {Failure, "loop2.example names loop.example, which leads back to it"},
		"self.example":    {Failure, "names self.example, which leads back to it"},
		"twice.example":   {OK, "5 of 10 look-ups"},
		"typo.example":    {Failure, `"inlcude:relay.example" is not known`},
		"family.example":  {Failure, `"ipv4:192.0.2.1" is not known`},
		"octet.example":   {Failure, `"ip4:192.0.2.999" is no address`},
		"six.example":     {OK, "0 of 10 look-ups"},
		"unused.example":  {Warning, `"include:relay.example" stands after all`},
		"new.example":     {OK, "0 of 10 look-ups"},
		"moved.example":   {OK, "2 of 10 look-ups"},
		"opened.example":  {Failure, "+all"},
		"macro.example":   {OK, "2 of 10 look-ups"},
		"empty.example":   {Failure, "a domain is missing"},
		"ends.example":    {Warning, "says nothing about mail from elsewhere"},
	} {
		expect(t, domain, d.SPF(t.Context(), domain), want.state, want.what)
	}
}

func TestDMARC_FindsThePolicyAndWhatCountsForIt(t *testing.T) {
	t.Parallel()
	d := world{txt: map[string][]string{
		"_dmarc.example.org":     {"v=DMARC1; p=quarantine"},
		"_dmarc.idle.example":    {"v=DMARC1; p=none"},
		"_dmarc.two.example":     {"v=DMARC1; p=none", "v=DMARC1; p=reject"},
		"_dmarc.wrong.example":   {"v=DMARC1; p=maybe"},
		"_dmarc.strict.example":  {"v=DMARC1; p=reject; adkim=s; aspf=s"},
		"_dmarc.another.example": {"something else"},
	}}.dns(t)
	for name, c := range map[string]struct {
		sender Sender
		states []State
		what   string
	}{
		"there":            {Sender{Domain: "example.org"}, []State{OK}, "p=quarantine"},
		"above":            {Sender{Domain: "daily.news.example.org"}, []State{OK}, "_dmarc.example.org"},
		"none":             {Sender{Domain: "nothing.example"}, []State{Warning}, "no DMARC record"},
		"another's":        {Sender{Domain: "another.example"}, []State{Warning}, "no DMARC record"},
		"asks for nothing": {Sender{Domain: "idle.example"}, []State{Warning}, "asks for nothing"},
		"two":              {Sender{Domain: "two.example"}, []State{Failure}, "2 DMARC records"},
		"wrong":            {Sender{Domain: "wrong.example"}, []State{Failure}, `"maybe"`},
		"bounces below":    {Sender{Domain: "example.org", Return: "bounces.example.org", Keys: []string{"example.org"}}, []State{OK}, ""},
		"beside":           {Sender{Domain: "news.example.org", Return: "bounces.example.org"}, []State{OK}, ""},
		"bounces away":     {Sender{Domain: "example.org", Return: "bounces.example.net"}, []State{OK, Warning}, ""},
		"strict":           {Sender{Domain: "strict.example", Return: "b.strict.example", Keys: []string{"k.strict.example"}}, []State{OK, Warning, Failure}, ""},
		"other key":        {Sender{Domain: "example.org", Keys: []string{"example.net"}}, []State{OK, Failure}, ""},
	} {
		found := d.DMARC(t.Context(), c.sender)
		var states []State
		for _, f := range found {
			states = append(states, f.State)
		}
		if len(states) != len(c.states) {
			t.Errorf("%s: %+v", name, found)
			continue
		}
		expect(t, name, found[0], c.states[0], c.what)
		for i, want := range c.states {
			if states[i] != want {
				t.Errorf("%s: %+v", name, found[i])
			}
		}
	}
}

func TestMX_SaysWhetherBouncesComeBack(t *testing.T) {
	t.Parallel()
	d := world{
		mx: map[string]string{"good.example": "mx.example.", "null.example": ".", "dead.example": "gone.example."},
		a:  map[string]string{"mx.example": "192.0.2.25", "bare.example": "192.0.2.26"},
	}.dns(t)
	for domain, want := range map[string]struct {
		state State
		what  string
	}{
		"good.example": {OK, "mail for good.example goes to mx.example"},
		"bare.example": {Warning, "has no MX record"},
		"none.example": {Failure, "neither an MX record nor an address"},
		"null.example": {Failure, "takes no mail"},
		"dead.example": {Failure, "names gone.example, which has no address"},
	} {
		expect(t, domain, d.MX(t.Context(), domain), want.state, want.what)
	}
}

func TestReverse_FollowsTheNameBack(t *testing.T) {
	t.Parallel()
	d := world{
		a: map[string]string{"good.example": "192.0.2.1", "host.example": "192.0.2.1", "bare.example": "192.0.2.2", "other.example": "192.0.2.3", "liar.example": "192.0.2.9"},
		ptr: map[string]string{
			"1.2.0.192.in-addr.arpa": "host.example.", "3.2.0.192.in-addr.arpa": "liar.example.",
		},
	}.dns(t)
	for host, want := range map[string]struct {
		sends bool
		state State
		what  string
	}{
		"good.example":    {true, OK, "is called host.example"},
		"bare.example":    {true, Warning, "has no name"},
		"other.example":   {false, Unknown, "does not lead back"},
		"nowhere.example": {true, Failure, "has no address"},
	} {
		found := d.Reverse(t.Context(), host, want.sends)
		if len(found) != 1 {
			t.Fatalf("%s: %+v", host, found)
		}
		expect(t, host, found[0], want.state, want.what)
	}
}

// A name server that says nothing, or is not there, is a finding and takes three seconds.
func TestDNS_SilentOrAbsentIsAFinding(t *testing.T) {
	t.Parallel()
	gone, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	for name, address := range map[string]string{"silent": world{silent: true}.serve(t), "absent": gone.LocalAddr().String()} {
		d, start := DNS{NameServer(address)}, time.Now()
		found := Run(t.Context(), 20*time.Second, []Check{
			{"dns", "spf", func(ctx context.Context) []Finding { return []Finding{d.SPF(ctx, "example.org")} }},
			{"dns", "dmarc", func(ctx context.Context) []Finding { return d.DMARC(ctx, Sender{Domain: "example.org"}) }},
			{"dns", "mx", func(ctx context.Context) []Finding { return []Finding{d.MX(ctx, "example.org")} }},
			{"dns", "reverse", func(ctx context.Context) []Finding { return d.Reverse(ctx, "example.org", true) }},
		})
		if len(found) != 4 || Failed(found) {
			t.Errorf("%s: %+v", name, found)
		}
		for _, f := range found {
			expect(t, name+" "+f.Check, f, Unknown, "the DNS does not answer about")
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: it took %s", name, took)
		}
	}
}
