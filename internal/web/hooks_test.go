package web

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"broadsheet/internal/bounce"
	"broadsheet/internal/newsletter"
)

const (
	hookSecret = "0123456789abcdef0123456789abcdef"
	hookTopic  = "arn:aws:sns:eu-west-1:123456789012:bounces"
	hookLogin  = "postmark:correct horse battery"
)

// hooked is a site with hooks, on the real service.
type hooked struct {
	*site
	amazon *amazon
}

func newHooked(t *testing.T, change ...func(*Options)) *hooked {
	t.Helper()
	h := &hooked{amazon: newAmazon(t)}
	lazy := &lazyBounces{}
	h.site = newSite(t, func(o *Options) {
		for _, f := range change {
			f(o)
		}
		o.Hooks = &Hooks{Bounces: lazy, Calls: lazy, Secret: hookSecret, SESTopics: []string{hookTopic}, Postmark: hookLogin, Client: h.amazon.client()}
	})
	lazy.Service = bounce.NewService(h.store, bounce.Options{Keys: h.keys, Now: h.clock, Logger: slog.New(slog.NewTextHandler(h.log, nil))})
	lazy.HookCalls = h.store
	return h
}

// lazyBounces is there before the site's database is.
type lazyBounces struct {
	*bounce.Service
	HookCalls
}

// mailTo signs somebody up, and returns the return path of the confirmation mail.
func (h *hooked) mailTo(email string) string {
	h.t.Helper()
	h.signUp(email, "daily-news")
	var path string
	for id := int64(1); ; id++ {
		if _, err := h.store.FindSignUp(h.t.Context(), id); err != nil {
			return path
		}
		path = h.keys.BounceMailAddress(id, "bounces.example.org")
	}
}

// came returns what is on record by a channel.
func (h *hooked) came(channel string) map[newsletter.ReturnKind]int {
	h.t.Helper()
	counts, err := h.store.ReturnCounts(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	got := map[newsletter.ReturnKind]int{}
	for _, c := range counts {
		if c.Channel == channel {
			got[c.Kind] = c.Count
		}
	}
	return got
}

// call posts a signed body; change may spoil it.
func (h *hooked) call(body string, at time.Time, secret string) answer {
	h.t.Helper()
	seconds := fmt.Sprint(at.Unix())
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(seconds + "." + body))
	return h.do(http.MethodPost, "/hooks/bounce", "application/json", body,
		"Broadsheet-Timestamp", seconds, "Broadsheet-Signature", "v1="+hex.EncodeToString(mac.Sum(nil)))
}

func TestHook_SignedReportIsTakenOnce(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	path := h.mailTo("ada@example.org")
	body := fmt.Sprintf(`{"id":"1","return_path":%q,"kind":"hard","status":"5.1.1","code":550,"reason":"user_unknown","diagnostic":"no such user"}`, path)
	for what, a := range map[string]answer{
		"another secret": h.call(body, h.clock(), "another"),
		"too old":        h.call(body, h.clock().Add(-6*time.Minute), hookSecret),
		"too early":      h.call(body, h.clock().Add(6*time.Minute), hookSecret),
		"unsigned":       h.json(http.MethodPost, "/hooks/bounce", "", body),
	} {
		if a.StatusCode != http.StatusUnauthorized || a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", what, a.StatusCode, a.body)
		}
	}
	if got := h.came("webhook"); len(got) != 0 {
		t.Fatalf("calls that are not signed changed something: %v", got)
	}
	h.call(body, h.clock(), hookSecret).want(http.StatusOK)
	if a := h.call(body, h.clock(), hookSecret).want(http.StatusConflict); !strings.Contains(a.body, "taken already") {
		t.Errorf("the same call again: %s", a.body)
	}
	if got := h.came("webhook"); got[newsletter.ReturnHard] != 1 {
		t.Errorf("on record: %v", got)
	}
	if strings.Contains(h.log.String(), hookSecret) {
		t.Error("the secret is in the log")
	}
}

func TestHook_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	for body, want := range map[string]int{
		`{"id":"1","return_path":"b+x@bounces.example.org","kind":"hard"}`:                                          http.StatusNotFound,
		`{"id":"1","return_path":"b+x@bounces.example.org","kind":"worse"}`:                                         http.StatusUnprocessableEntity,
		`{"return_path":"b+x@bounces.example.org","kind":"hard"}`:                                                   http.StatusUnprocessableEntity,
		`{"id":"1","return_path":"b+x@bounces.example.org","kind":"soft","reason":"ada@example.org is away"}`:       http.StatusUnprocessableEntity,
		`{"id":"1","return_path":"b+x@bounces.example.org","kind":"hard","status":"4.0.0","reason":"delayed"}`:      http.StatusUnprocessableEntity,
		`{"id":"1","return_path":"b+x@bounces.example.org","kind":"hard","status":"5.2.2","reason":"mailbox_full"}`: http.StatusUnprocessableEntity,
		`{"id":"1","returnpath":"x","kind":"hard"}`:                                                                 http.StatusUnprocessableEntity,
		`[]`:                                    http.StatusBadRequest,
		strings.Repeat(" ", maxHookBody) + `{}`: http.StatusRequestEntityTooLarge,
	} {
		h.call(body, h.clock(), hookSecret).want(want)
		h.call(body, h.clock(), hookSecret).want(want) // what changed nothing is not remembered
	}
	h.get("/hooks/bounce").want(http.StatusMethodNotAllowed)
}

func TestHooks_AreThereOnlyIfSet(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.Hooks = &Hooks{} })
	for _, name := range []string{"bounce", "ses", "postmark"} {
		s.json(http.MethodPost, "/hooks/"+name, "", "{}").want(http.StatusNotFound)
	}
}

func TestPostmark_NeedsPasswordAndReturnPath(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	path, _, _ := strings.Cut(h.mailTo("ada@example.org"), "@")
	post := func(login, body string) answer {
		return h.do(http.MethodPost, "/hooks/postmark", "application/json", body,
			"Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(login)))
	}
	report := func(id int, record, kind, path string) string {
		return fmt.Sprintf(`{"RecordType":%q,"ID":%d,"Type":%q,"Details":"smtp;550 no such user","Email":"ada@example.org","Metadata":{"return-path":%q},"Inactive":true}`, record, id, kind, path)
	}
	body := report(1, "Bounce", "HardBounce", path)
	post("postmark:wrong", body).want(http.StatusUnauthorized)
	h.json(http.MethodPost, "/hooks/postmark", "", body).want(http.StatusUnauthorized)
	post(hookLogin, "no").want(http.StatusBadRequest)
	for body, want := range map[string]string{
		report(2, "Bounce", "SoftBounce", ""):   "not_ours",
		`{"RecordType":"Open","MessageID":"x"}`: "ignored",
	} {
		if a := post(hookLogin, body).want(http.StatusOK); !strings.Contains(a.body, want) {
			t.Errorf("%s: %s", want, a.body)
		}
	}
	for _, want := range []string{`"taken"`, `"known"`} {
		if a := post(hookLogin, body).want(http.StatusOK); !strings.Contains(a.body, want) {
			t.Errorf("it answers %s, not %s", a.body, want)
		}
	}
	post(hookLogin, report(3, "SpamComplaint", "SpamComplaint", path)).want(http.StatusOK)
	if got := h.came("postmark"); got[newsletter.ReturnHard] != 1 || got[newsletter.ReturnComplaint] != 1 || got[newsletter.ReturnUnknown] != 1 {
		t.Errorf("on record: %v", got)
	}
}

// amazon is a web server that has certificates as Amazon SNS does.
type amazon struct {
	*httptest.Server
	key   *rsa.PrivateKey
	calls atomic.Int32
	asked atomic.Pointer[string] // the last address asked for, without the path of certificates
	t     *testing.T
}

const amazonCert = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"

func newAmazon(t *testing.T) *amazon {
	t.Helper()
	a := &amazon{t: t}
	var err error
	if a.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now().Add(-time.Hour), NotAfter: now().Add(365 * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.calls.Add(1)
		switch {
		case strings.HasSuffix(amazonCert, r.Host+r.URL.Path):
			_ = pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: der})
		case r.URL.Path == "/":
			asked := r.Host + r.URL.String()
			a.asked.Store(&asked)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// client takes every host for the server, whose certificate it believes.
func (a *amazon) client() *http.Client {
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate())
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, a.Listener.Addr().String())
		},
	}}
}

// notification returns a signed message of SNS; change may spoil it after or before that.
func (a *amazon) notification(at time.Time, id, message string, before func(*snsMessage)) snsMessage {
	a.t.Helper()
	m := snsMessage{
		Type: snsNotification, MessageID: id, TopicARN: hookTopic, Message: message,
		Timestamp: at.UTC().Format("2006-01-02T15:04:05.000Z"), SignatureVersion: "2", SigningCertURL: amazonCert,
	}
	if before != nil {
		before(&m)
	}
	text, _ := m.signedText()
	hash, sum := crypto.SHA256, sha256.Sum256([]byte(text))
	digest := sum[:]
	if m.SignatureVersion == "1" {
		short := sha1.Sum([]byte(text))
		hash, digest = crypto.SHA1, short[:]
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, hash, digest)
	if err != nil {
		a.t.Fatal(err)
	}
	m.Signature = base64.StdEncoding.EncodeToString(signature)
	return m
}

func (h *hooked) sns(m snsMessage) answer {
	h.t.Helper()
	body, err := json.Marshal(m)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.do(http.MethodPost, "/hooks/ses", "text/plain; charset=UTF-8", string(body))
}

func sesBounce(path, email string) string {
	return fmt.Sprintf(`{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General","bouncedRecipients":[{"emailAddress":%q,"action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}],"timestamp":"2026-11-20T07:00:00.000Z","feedbackId":"x"},"mail":{"source":%q,"destination":[%q]}}`, email, path, email)
}

func sesComplaint(path, email string) string {
	return fmt.Sprintf(`{"eventType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":%q}],"complaintFeedbackType":"abuse"},"mail":{"source":%q}}`, email, path)
}

func TestSES_SignedNotificationIsTakenOnce(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	path := h.mailTo("ada@example.org")
	subject := "Amazon SES"
	bounced := h.amazon.notification(h.clock(), "1", sesBounce(path, "ada@example.org"), nil)
	for _, want := range []string{`"taken"`, `"known"`} {
		if a := h.sns(bounced).want(http.StatusOK); !strings.Contains(a.body, want) {
			t.Errorf("it answers %s, not %s", a.body, want)
		}
	}
	complained := h.amazon.notification(h.clock(), "2", sesComplaint(path, "ada@example.org"), func(m *snsMessage) {
		m.SignatureVersion, m.Subject = "1", &subject
	})
	h.sns(complained).want(http.StatusOK)
	works := h.amazon.notification(h.clock(), "3", "Successfully validated SNS topic for Amazon SES event publishing.", nil)
	if a := h.sns(works).want(http.StatusOK); !strings.Contains(a.body, "ignored") {
		t.Error(a.body)
	}
	if got := h.came("ses"); got[newsletter.ReturnHard] != 1 || got[newsletter.ReturnComplaint] != 1 || len(got) != 2 {
		t.Errorf("on record: %v", got)
	}
	if n := h.amazon.calls.Load(); n != 1 {
		t.Errorf("the certificate was fetched %d times", n)
	}
}

func TestSES_WhatAmazonDidNotSignIsRefused(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	bounced := sesBounce(h.mailTo("ada@example.org"), "ada@example.org")
	signed := func(before func(*snsMessage)) snsMessage {
		return h.amazon.notification(h.clock(), "1", bounced, before)
	}
	spoilt := signed(nil)
	spoilt.Message = strings.Replace(spoilt.Message, "5.1.1", "5.1.2", 1)
	renumbered := signed(nil)
	renumbered.MessageID = "2" // as somebody would who sends it again
	other := newAmazon(t).notification(h.clock(), "1", bounced, nil)
	cert := func(address string) snsMessage {
		return signed(func(m *snsMessage) { m.SigningCertURL = address })
	}
	for what, m := range map[string]snsMessage{
		"a changed message":    spoilt,
		"a changed number":     renumbered,
		"another's key":        other,
		"a day old":            h.amazon.notification(h.clock().Add(-25*time.Hour), "1", bounced, nil),
		"from tomorrow":        h.amazon.notification(h.clock().Add(25*time.Hour), "1", bounced, nil),
		"another topic":        signed(func(m *snsMessage) { m.TopicARN += "2" }),
		"another version":      signed(func(m *snsMessage) { m.SignatureVersion = "3" }),
		"another type":         signed(func(m *snsMessage) { m.Type = "Other" }),
		"another host":         cert(strings.Replace(amazonCert, "sns.eu-west-1.amazonaws.com", "sns.eu-west-1.amazonaws.com.example.net", 1)),
		"another region":       cert(strings.Replace(amazonCert, "eu-west-1", "eu-west-2", 1)),
		"another scheme":       cert(strings.Replace(amazonCert, "https", "http", 1)),
		"a port":               cert(strings.Replace(amazonCert, ".com/", ".com:8443/", 1)),
		"somebody in the URL":  cert(strings.Replace(amazonCert, "https://", "https://sns.eu-west-1.amazonaws.com@", 1)),
		"another bucket":       cert("https://sns.eu-west-1.amazonaws.com/bucket/SimpleNotificationService-00.pem"),
		"something else there": cert("https://sns.eu-west-1.amazonaws.com/?Action=Publish"),
	} {
		if a := h.sns(m); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d %s", what, a.StatusCode, a.body)
		}
	}
	if got := h.came("ses"); len(got) != 0 {
		t.Errorf("on record: %v", got)
	}
}

func TestSES_SubscriptionIsConfirmedAtAmazonOnly(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	ask := func(address string) answer {
		return h.sns(h.amazon.notification(h.clock(), "1", "You have chosen to subscribe", func(m *snsMessage) {
			m.Type, m.Token, m.SubscribeURL = snsSubscription, "t0ken", address
		}))
	}
	query := "?Action=ConfirmSubscription&TopicArn=" + hookTopic + "&Token=t0ken"
	ask("https://sns.example.net/" + query).want(http.StatusForbidden)
	ask("https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe&TopicArn=" + hookTopic).want(http.StatusForbidden)
	ask("https://sns.eu-west-1.amazonaws.com/" + strings.Replace(query, "bounces", "others", 1)).want(http.StatusForbidden)
	if h.amazon.asked.Load() != nil {
		t.Fatal("it asked somebody")
	}
	ask("https://sns.eu-west-1.amazonaws.com/" + query).want(http.StatusOK)
	if asked := h.amazon.asked.Load(); asked == nil || *asked != "sns.eu-west-1.amazonaws.com/"+query {
		t.Errorf("it asked %v", asked)
	}
	if strings.Contains(h.log.String(), "t0ken") {
		t.Error("the token is in the log")
	}
}

// Somebody who makes up certificates' names does not make us ask Amazon without end.
func TestSES_CertificatesAreNotFetchedWithoutEnd(t *testing.T) {
	t.Parallel()
	h := newHooked(t)
	for i := range snsFetches + 5 {
		m := h.amazon.notification(h.clock(), "1", "x", func(m *snsMessage) {
			m.SigningCertURL = fmt.Sprintf("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-%02x.pem", i)
		})
		want := http.StatusInternalServerError
		if i >= snsFetches {
			want = http.StatusTooManyRequests
		}
		h.sns(m).want(want)
	}
	h.wait(2 * time.Hour)
	h.sns(h.amazon.notification(h.clock(), "2", "x", nil)).want(http.StatusOK)
}
