package mail

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"broadsheet/internal/newsletter"
)

// testKey is made once: it takes a while.
var testKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, minKeyBits) })

func testSigner(t testing.TB, domain string) *Signer {
	t.Helper()
	key, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	return newTestSigner(t, domain, key)
}

func newTestSigner(t testing.TB, domain string, key crypto.Signer) *Signer {
	t.Helper()
	s, err := NewSigner(domain, "news1", key, func() time.Time { return testNow })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// freeKey signs nothing, and takes no time for it.
type freeKey struct {
	*rsa.PrivateKey
	signature []byte
}

func (k freeKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return k.signature, nil }

func freeSigner(t testing.TB, domain string) *Signer {
	t.Helper()
	key, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	return newTestSigner(t, domain, freeKey{key, make([]byte, key.Size())})
}

// testRecord is what the DNS holds of the test key.
func testRecord(t testing.TB, domain string) KeyRecord {
	t.Helper()
	key, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	record, err := NewKeyRecord(domain, "news1", &key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// verify checks the message's one signature by go-msgauth.
func verify(t testing.TB, message []byte) (*dkim.Verification, error) {
	t.Helper()
	list, err := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		record := testRecord(t, strings.TrimPrefix(name, "news1._domainkey."))
		return []string{record.Value}, nil
	}})
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		t.Fatalf("%d signatures", len(list))
	}
	return list[0], list[0].Err
}

// signedMessage is a digest as it is received.
func signedMessage(t testing.TB, m Message) []byte {
	t.Helper()
	content, err := compose(t, m).AppendContent(nil, reader(), testSigner(t, "example.org"))
	if err != nil {
		t.Fatal(err)
	}
	return unstuff(nil, content)
}

func TestSign_VerifiesByGoMsgauth(t *testing.T) {
	t.Parallel()
	plain := digest()
	plain.HTML, plain.List, plain.ReplyTo = "", nil, newsletter.Address{}
	for name, m := range map[string]Message{"digest": digest(), "plain": plain, "big": big()} {
		v, err := verify(t, signedMessage(t, m))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if v.Domain != "example.org" || !v.Time.Equal(testNow) || !v.Expiration.IsZero() {
			t.Errorf("%s: signed by %s at %v until %v", name, v.Domain, v.Time, v.Expiration)
		}
	}
}

// What somebody on the way could change, and what the signature does not care about.
func TestSign_BreaksWhereItShould(t *testing.T) {
	t.Parallel()
	message := signedMessage(t, digest())
	if _, err := verify(t, message); err != nil {
		t.Fatal(err)
	}
	add := func(field string) string { return field + "\r\n" + string(message) }
	bottom := func(field string) string {
		return strings.Replace(string(message), "\r\n\r\n", "\r\n"+field+"\r\n\r\n", 1)
	}
	change := func(old, replacement string) string {
		if !bytes.Contains(message, []byte(old)) {
			t.Fatalf("there is no %q in the message", old)
		}
		return strings.Replace(string(message), old, replacement, 1)
	}
	for name, changed := range map[string]string{
		"second Subject":             add("Subject: win"),
		"second Subject at the end":  bottom("Subject: win"),
		"second From":                add("From: a@example.net"),
		"second To":                  add("To: a@example.net"),
		"second Date":                add("Date: Mon, 23 Nov 2026 07:00:00 +0000"),
		"second Reply-To":            add("Reply-To: a@example.net"),
		"second Content-Type":        add("Content-Type: text/html"),
		"second List-Unsubscribe":    add("List-Unsubscribe: <https://example.net>"),
		"second List-Unsub-Post":     add("List-Unsubscribe-Post: x"),
		"other Message-ID":           change("<e42.s7@", "<e42.s8@"),
		"other List-Id":              change("<daily-news.news", "<daily-views.news"),
		"other Feedback-ID":          change("Feedback-ID: 42:", "Feedback-ID: 43:"),
		"other List-Unsubscribe":     change("/unsubscribe/AAEC", "/unsubscribe/BAEC"),
		"other MIME-Version":         change("MIME-Version: 1.0", "MIME-Version: 1.1"),
		"other link in the text":     change("Unsubscribe: https://news", "Unsubscribe: https://mews"),
		"other word in the HTML":     change("Gr=C3=BC=C3=9Fe", "Gr=C3=BC=C3=9Fi"),
		"something after the end":    string(message) + "more\r\n",
		"signature without its hash": change("v=1; a=rsa-sha256", "v=1; a=rsa-sha512"),
	} {
		if _, err := verify(t, []byte(changed)); err == nil {
			t.Errorf("%s: the signature still holds", name)
		}
	}
	for name, changed := range map[string]string{
		"a trace field":          add("Received: from a by b; Mon, 23 Nov 2026 07:00:00 +0000"),
		"empty lines at the end": string(message) + "\r\n\r\n",
		"other white space":      change("Subject: ", "Subject:\t  "),
		"names in capitals":      change("Subject: ", "SUBJECT: "),
	} {
		if _, err := verify(t, []byte(changed)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// fieldLines returns the lines of the signature field, without line ends.
func fieldLines(t *testing.T, message []byte) []string {
	t.Helper()
	fields, err := splitFields(message[:bytes.Index(message, []byte("\r\n\r\n"))+2])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(fields[0]), "\r\n"), "\r\n")
}

func TestSign_CoversWhatS14Names(t *testing.T) {
	t.Parallel()
	once := []string{"message-id", "mime-version", "list-id", "feedback-id"}
	twice := []string{"from", "to", "subject", "date", "reply-to", "content-type", "list-unsubscribe", "list-unsubscribe-post"}
	tags := parseTags(strings.Join(fieldLines(t, signedMessage(t, digest())), ""))
	got := map[string]int{}
	for name := range strings.SplitSeq(tags["h"], ":") {
		got[name]++
	}
	for n, names := range map[int][]string{1: once, 2: twice} {
		for _, name := range names {
			if got[name] != n {
				t.Errorf("h= names %s %d times, want %d", name, got[name], n)
			}
			delete(got, name)
		}
	}
	if len(got) > 0 {
		t.Errorf("h= names %v as well", got)
	}
	if _, limited := tags["l"]; limited || tags["t"] == "" || tags["a"] != "rsa-sha256" || tags["c"] != "relaxed/relaxed" {
		t.Errorf("the tags are %v", tags)
	}

	// What a mail does not have is named once, so that nobody can add it.
	plain := digest()
	plain.List, plain.ReplyTo = nil, newsletter.Address{}
	tags = parseTags(strings.Join(fieldLines(t, signedMessage(t, plain)), ""))
	names := strings.Split(tags["h"], ":")
	for _, absent := range []string{"reply-to", "list-unsubscribe", "list-unsubscribe-post"} {
		if n := len(slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s != absent })); n != 1 {
			t.Errorf("h= names %s, which is not there, %d times", absent, n)
		}
	}
}

func TestSign_FieldIsFolded_AndTheSameEachTime(t *testing.T) {
	t.Parallel()
	message := []byte("From: a@example.org\r\nSubject: x\r\n\r\ntext\r\n")
	for _, domain := range []string{"example.org", "a-rather-long-name-of-a-publisher.regional-newspapers.example.org"} {
		s := testSigner(t, domain)
		first, err := s.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.Sign(message); err != nil || !bytes.Equal(again, first) {
			t.Errorf("two signatures of one message at one time differ (%v)", err)
		}
		for _, line := range fieldLines(t, first) {
			if len(line) > wantLine || strings.TrimSpace(line) == "" || strings.HasSuffix(line, " ") {
				t.Errorf("a line of %d octets: %q", len(line), line)
			}
		}
		if _, err := verify(t, first); err != nil {
			t.Error(err)
		}
	}
}

func TestSign_RefusesWhatNobodyCouldVerify(t *testing.T) {
	t.Parallel()
	s := testSigner(t, "example.org")
	for name, message := range map[string]string{
		"bare LF":  "From: a\n\nx\n",
		"bare CR":  "From: a\r\n\r\nx\ry\r\n",
		"no From":  "To: a\r\n\r\nx\r\n",
		"no colon": "From: a\r\nwhat\r\n\r\nx\r\n",
		"folded":   " From: a\r\n\r\nx\r\n",
		"empty":    "",
	} {
		if got, err := s.Sign([]byte(message)); err == nil {
			t.Errorf("%s: signed as %q", name, got)
		}
	}
	broken := newTestSigner(t, "example.org", brokenKey{s.key})
	if _, err := broken.Sign([]byte("From: a\r\n\r\nx\r\n")); !errors.Is(err, errBroken) {
		t.Errorf("a key that cannot sign gives %v", err)
	}
	if got, err := compose(t, digest()).AppendContent([]byte("kept"), reader(), broken); !errors.Is(err, errBroken) || string(got) != "kept" {
		t.Errorf("a key that cannot sign gives %q, %v", got, err)
	}
}

type brokenKey struct{ crypto.Signer }

var errBroken = errors.New("broken")

func (brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errBroken }

func TestSigners_For_TheNearestThatAligns(t *testing.T) {
	t.Parallel()
	all := Signers{testSigner(t, "example.org"), testSigner(t, "News.Example.org"), testSigner(t, "example.com")}
	for from, want := range map[string]string{
		"example.org": "example.org", "Example.ORG": "example.org", "a.b.example.org": "example.org", "news.example.org": "news.example.org",
		"daily.news.example.org": "news.example.org", "badexample.org": "", "org": "", "example.com": "example.com", "example.net": "", "": "",
	} {
		got := ""
		if s := all.For(from); s != nil {
			got = s.Domain()
		}
		if got != want {
			t.Errorf("mail from %q is signed by %q, want %q", from, got, want)
		}
	}
	if Signers(nil).For("example.org") != nil {
		t.Error("a signer from nowhere")
	}
}

func TestNewSigner_RefusesNamesThatAreNone(t *testing.T) {
	t.Parallel()
	key := testSigner(t, "example.org").key
	for _, c := range [][2]string{{"", "a"}, {"example", "a"}, {"exa mple.org", "a"}, {"example.org;", "a"}, {"example.org", ""}, {"example.org", "a;b"}, {"example.org", "a..b"}, {"example.org", strings.Repeat("a", 64)}} {
		if _, err := NewSigner(c[0], c[1], key, time.Now); newsletter.KindOf(err) != newsletter.Invalid {
			t.Errorf("%q, %q: %v", c[0], c[1], err)
		}
	}
}

// dkimpy is how the program dkimverify verifies; that one itself asks the real DNS.
const dkimpy = `
import sys, json, dkim
record, messages = json.load(sys.stdin)
out = []
for m in messages:
    try:
        out.append(dkim.verify(m.encode("utf-8"), dnsfunc=lambda name, timeout=5: record.encode(), minkey=2048))
    except dkim.DKIMException as e:
        out.append(str(e))
json.dump(out, sys.stdout)
`

// python returns the interpreter that has Debian's dkimpy.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), name, "-c", "import dkim").Run() == nil {
			return name
		}
	}
	t.Skip("python3-dkim is missing: .ci/install-test-needs installs it")
	return ""
}

func TestSign_VerifiesByDebiansDkimverify(t *testing.T) {
	t.Parallel()
	interpreter := python(t)
	plain := digest()
	plain.HTML, plain.List = "", nil
	message := string(signedMessage(t, digest()))
	input, err := json.Marshal([]any{testRecord(t, "example.org").Value, []string{
		message, string(signedMessage(t, plain)), string(signedMessage(t, big())), "Subject: win\r\n" + message, message + "more\r\n",
	}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), interpreter, "-c", dkimpy)
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := "[true, true, true, false, false]"; string(out) != want {
		t.Errorf("dkimpy says %s, want %s", out, want)
	}
}

// The canonical forms are those of go-msgauth: whatever the message, what is signed here
// verifies there.
func FuzzSign_VerifiesByGoMsgauth(f *testing.F) {
	f.Add("a  b\t", "x \r\n\r\n \t\r\n")
	f.Add(" folded\r\n  again \t\r\n\t", "")
	f.Add("", "\r\n\r\n")
	f.Add("x\r\nsubject : two\r\nX-Other: \r\nlist-archive:y", ".\r\n.. a  b \t c\r\n  d\r\n \r\n")
	f.Add("ü", "no end of line  ")
	f.Fuzz(func(t *testing.T, value, body string) {
		if strings.Contains(strings.ToLower(value), "dkim-signature") || strings.Contains(value, "\r\n\r\n") {
			return // another signature, or an earlier end of the header
		}
		message := []byte("From: a@example.org\r\nSubject: " + value + "\r\nTo: b@example.net\r\n\r\n" + body)
		signed, err := testSigner(t, "example.org").Sign(message)
		if err != nil {
			return
		}
		if _, err := verify(t, signed); err != nil {
			t.Errorf("%q: %v", signed, err)
		}
	})
}

func TestSign_RandomReaders_Verify(t *testing.T) {
	t.Parallel()
	r := mathrand.New(mathrand.NewPCG(5, 6))
	v, s := compose(t, digest()), testSigner(t, "example.org")
	var wait sync.WaitGroup
	for range 20 {
		p := randomReader(r)
		wait.Go(func() {
			content, err := v.AppendContent(nil, p, s)
			if err == nil {
				_, err = verify(t, unstuff(nil, content))
			}
			if err != nil {
				t.Errorf("%+v: %v", p, err)
			}
		})
	}
	wait.Wait()
}

func BenchmarkSign(b *testing.B) {
	message, err := compose(b, big()).Append(nil, reader())
	if err != nil {
		b.Fatal(err)
	}
	key, err := testKey()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("RSA alone", func(b *testing.B) {
		sum := sha256.Sum256(message)
		for b.Loop() {
			_, _ = key.Sign(rand.Reader, sum[:], crypto.SHA256)
		}
	})
	for _, c := range []struct {
		name string
		s    *Signer
	}{{"Sign", testSigner(b, "example.org")}, {"Sign without RSA", freeSigner(b, "example.org")}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.s.Sign(message); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("go-msgauth without RSA", func(b *testing.B) {
		options := &dkim.SignOptions{
			Domain: "example.org", Selector: "news1", Signer: freeKey{key, make([]byte, key.Size())}, Hash: crypto.SHA256,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
			HeaderKeys: strings.Fields(oversignedFields + " " + oversignedFields + " message-id mime-version list-id feedback-id"),
		}
		for b.Loop() {
			if err := dkim.Sign(io.Discard, bytes.NewReader(message), options); err != nil {
				b.Fatal(err)
			}
		}
	})
}
