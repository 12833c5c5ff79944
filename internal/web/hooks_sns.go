package web

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" // version 1 of the signatures is made with it, and is what SNS does unless told otherwise
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"broadsheet/internal/newsletter"
)

// The types of what SNS posts.
const (
	snsNotification = "Notification"
	snsSubscription = "SubscriptionConfirmation"
	snsUnsubscribed = "UnsubscribeConfirmation"
)

const (
	// snsAge is how old a message may be: SNS tries for hours to deliver one while we do not
	// answer. Each is taken once, however old.
	snsAge     = 24 * time.Hour
	snsAhead   = time.Hour // how far our clock may be behind
	maxSNSBody = 64 << 10  // octets of what is fetched from Amazon
	// snsFetches is how often certificates are fetched in an hour. Amazon changes them once
	// in a year or so; more often is somebody who makes up names.
	snsFetches = 30
)

// errSNS says that a message is not from SNS, or not any more.
func errSNS(what string) error { return &statusError{http.StatusForbidden, what} }

// verifySNS checks that Amazon SNS has signed the message for its topic, and not long ago.
func (a *app) verifySNS(ctx context.Context, m snsMessage) error {
	host, ok := SNSHost(m.TopicARN)
	if !ok {
		return errSNS("The topic is not one of Amazon SNS.")
	}
	at, err := time.Parse(time.RFC3339, m.Timestamp)
	if age := a.Now().Sub(at); err != nil || age > snsAge || age < -snsAhead {
		return errSNS("The message is too old, or its time cannot be read.")
	}
	text, ok := m.signedText()
	if !ok {
		return errSNS("Messages of this type are not taken.")
	}
	signature, err := base64.StdEncoding.DecodeString(m.Signature)
	if err != nil {
		return errSNS("The signature cannot be read.")
	}
	key, err := a.snsKey(ctx, host, m.SigningCertURL)
	if err != nil {
		return err
	}
	switch m.SignatureVersion {
	case "1":
		sum := sha1.Sum([]byte(text))
		err = rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature)
	case "2":
		sum := sha256.Sum256([]byte(text))
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	default:
		err = errors.New("unknown version")
	}
	if err != nil {
		return errSNS("The signature does not fit the message.")
	}
	return nil
}

// signedText is what the signature is made over: names and values, a line each.
func (m *snsMessage) signedText() (string, bool) {
	var b strings.Builder
	add := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	add("Message", m.Message)
	add("MessageId", m.MessageID)
	switch m.Type {
	case snsNotification:
		if m.Subject != nil {
			add("Subject", *m.Subject)
		}
		add("Timestamp", m.Timestamp)
	case snsSubscription, snsUnsubscribed:
		add("SubscribeURL", m.SubscribeURL)
		add("Timestamp", m.Timestamp)
		add("Token", m.Token)
	default:
		return "", false
	}
	add("TopicArn", m.TopicARN)
	add("Type", m.Type)
	return b.String(), true
}

var topicARN = regexp.MustCompile(`^arn:aws(-cn|-us-gov)?:sns:([a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_.-]{1,256}$`)

// SNSHost returns the one host that speaks for a topic of Amazon SNS: that of its region.
func SNSHost(topic string) (string, bool) {
	found := topicARN.FindStringSubmatch(topic)
	if found == nil {
		return "", false
	}
	host := "sns." + found[2] + ".amazonaws.com"
	if found[1] == "-cn" {
		host += ".cn"
	}
	return host, true
}

// snsKeys are the keys of certificates that were fetched. It is safe for concurrent use.
type snsKeys struct {
	mu      sync.Mutex
	known   map[string]snsKey // by address
	fetched []time.Time       // in the last hour
}

type snsKey struct {
	key       *rsa.PublicKey
	notBefore time.Time
	notAfter  time.Time
}

var snsCertPath = regexp.MustCompile(`^/SimpleNotificationService-[0-9a-f]{1,64}\.pem$`)

// snsKey returns the key of the certificate at the address, which has to be at the host.
func (a *app) snsKey(ctx context.Context, host, address string) (*rsa.PublicKey, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host != host || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !snsCertPath.MatchString(u.Path) {
		return nil, errSNS("The certificate is not at " + host + ".")
	}
	a.sns.mu.Lock() // one fetches, and the others wait for it
	defer a.sns.mu.Unlock()
	now := a.Now()
	k, ok := a.sns.known[u.Path+host]
	if !ok {
		if k, err = a.fetchSNSKey(ctx, u); err != nil {
			return nil, err
		}
		a.sns.known[u.Path+host] = k
	}
	if now.Before(k.notBefore) || now.After(k.notAfter) {
		return nil, errSNS("The certificate is not valid now.")
	}
	return k.key, nil
}

// fetchSNSKey fetches a certificate. TLS proves that it is the host's.
func (a *app) fetchSNSKey(ctx context.Context, u *url.URL) (snsKey, error) {
	now := a.Now()
	recent := a.sns.fetched[:0]
	for _, at := range a.sns.fetched {
		if now.Sub(at) < time.Hour {
			recent = append(recent, at)
		}
	}
	if a.sns.fetched = recent; len(recent) >= snsFetches {
		return snsKey{}, &newsletter.Error{Kind: newsletter.RateLimited, Message: "Too many different certificates were named; try again later.", RetryAfter: 3600}
	}
	a.sns.fetched = append(a.sns.fetched, now)
	body, err := a.fetchSNS(ctx, u)
	if err != nil {
		return snsKey{}, err
	}
	block, _ := pem.Decode(body)
	if block == nil {
		return snsKey{}, errSNS("The certificate cannot be read.")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return snsKey{}, errSNS("The certificate cannot be read.")
	}
	key, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < 2048 {
		return snsKey{}, errSNS("The certificate has no RSA key of 2048 bits.")
	}
	return snsKey{key: key, notBefore: cert.NotBefore, notAfter: cert.NotAfter}, nil
}

// subscribeSNS says that we want what the topic has to tell.
func (a *app) subscribeSNS(ctx context.Context, m snsMessage) error {
	host, _ := SNSHost(m.TopicARN) // it was checked
	u, err := url.Parse(m.SubscribeURL)
	if err != nil || u.Scheme != "https" || u.Host != host || u.User != nil || u.Path != "/" ||
		u.Query().Get("Action") != "ConfirmSubscription" || u.Query().Get("TopicArn") != m.TopicARN {
		return errSNS("The address for confirming is not at " + host + ".")
	}
	_, err = a.fetchSNS(ctx, u)
	return err
}

// fetchSNS fetches something small from Amazon. SNS calls again if it fails.
func (a *app) fetchSNS(ctx context.Context, u *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := a.Hooks.Client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // its address may have a token
		}
		return nil, fmt.Errorf("fetch from %s: %w", u.Host, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch from %s: it answers %d", u.Host, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSNSBody+1))
	if err == nil && len(body) > maxSNSBody {
		err = errors.New("it is too large")
	}
	if err != nil {
		return nil, fmt.Errorf("fetch from %s: %w", u.Host, err)
	}
	return body, nil
}
