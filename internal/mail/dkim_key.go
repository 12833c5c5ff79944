package mail

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"broadsheet/internal/newsletter"
)

// The lengths of key, in bits, that all receivers verify and none finds too short
// (RFC 8301 §3.2).
const (
	minKeyBits = 2048
	maxKeyBits = 4096
)

const keyForms = `"broadsheet dkim generate" makes one`

func checkKeyLength(key *rsa.PublicKey) error {
	if bits := key.N.BitLen(); bits < minKeyBits || bits > maxKeyBits {
		return newsletter.Invalidf("dkim_key", "the key has %d bits; it has to have %d to %d, or receivers do not accept it; %s", bits, minKeyBits, maxKeyBits, keyForms)
	}
	return nil
}

// ParseKey reads a private key for signing: PEM, RSA of 2048 to 4096 bits. The error is an
// Invalid one that says what would be right and nothing of what stands in the file.
func ParseKey(data []byte) (*rsa.PrivateKey, error) {
	wrong := func(format string, args ...any) (*rsa.PrivateKey, error) {
		return nil, newsletter.Invalidf("dkim_key", format+"; %s", append(args, keyForms)...)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return wrong("it holds no private key in PEM form: -----BEGIN PRIVATE KEY-----")
	}
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return wrong("the key is protected by a passphrase, which nobody could type when the service starts; store it without one")
	case "PUBLIC KEY", "RSA PUBLIC KEY":
		return wrong("it holds the public key, and signing needs the private one")
	default:
		return wrong("it holds no private key for RSA: the first block has to be RSA PRIVATE KEY or PRIVATE KEY")
	}
	if err != nil { // not repeated: it may quote what it read
		return wrong("the private key in it cannot be read; it is damaged, shorter than 1024 bits, or protected by a passphrase")
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return wrong("it holds a key that is not RSA, and mail is signed with rsa-sha256, which every receiver verifies")
	}
	if err := checkKeyLength(&private.PublicKey); err != nil {
		return nil, err
	}
	return private, nil
}

// GenerateKey makes a new key of 2048 bits and returns it with its PEM form (PKCS #8).
func GenerateKey() (*rsa.PrivateKey, []byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, minKeyBits)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// KeyRecord is what stands in the DNS so that receivers can verify what a key signed.
type KeyRecord struct {
	Name  string // of the TXT record: news1._domainkey.example.org
	Value string // its strings put together
}

// maxTXT is how long one string of a TXT record can be (RFC 1035 §3.3.14).
const maxTXT = 255

// NewKeyRecord returns the record for a public key (RFC 6376 §3.6.1).
func NewKeyRecord(domain, selector string, key *rsa.PublicKey) (KeyRecord, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return KeyRecord{}, fmt.Errorf("record of %s._domainkey.%s: %w", selector, domain, err)
	}
	return KeyRecord{
		Name:  selector + "._domainkey." + domain,
		Value: "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der),
	}, nil
}

// Strings are the strings of the record's value, each of at most 255 octets.
func (r KeyRecord) Strings() []string {
	var list []string
	for rest := r.Value; rest != ""; {
		n := min(len(rest), maxTXT)
		list, rest = append(list, rest[:n]), rest[n:]
	}
	return list
}

// ErrOtherKey says that the record in the DNS is that of another key.
var ErrOtherKey = errors.New("the record is that of another key: what is signed with this one does not verify")

// Compare says whether what the DNS holds under the name verifies what the key signs: nil, or
// an error that says what is wrong. published are the TXT records, the strings of each put
// together. Records that are no key records are passed over.
func (r KeyRecord) Compare(published []string) error {
	var keys []map[string]string
	for _, text := range published {
		tags := parseTags(text)
		if _, ok := tags["p"]; ok && (tags["v"] == "" || tags["v"] == "DKIM1") {
			keys = append(keys, tags)
		}
	}
	switch {
	case len(published) == 0:
		return errors.New("there is no TXT record of this name")
	case len(keys) == 0:
		return errors.New("there is a TXT record of this name, and it is no key record: v=DKIM1 and p= are missing")
	case len(keys) > 1:
		return fmt.Errorf("there are %d key records of this name, and receivers may take any: keep one", len(keys))
	}
	tags := keys[0]
	switch key := parseTags(r.Value)["p"]; {
	case tags["p"] == "":
		return errors.New("the record says that the key is revoked: p= is empty")
	case tags["p"] != key && strings.HasPrefix(key, tags["p"]):
		return fmt.Errorf("the record is cut off: p= has %d of %d characters; enter it as several strings", len(tags["p"]), len(key))
	case tags["p"] != key:
		return ErrOtherKey
	case tags["k"] != "" && tags["k"] != "rsa":
		return fmt.Errorf("the record says k=%s, and the key is rsa", tags["k"])
	case tags["h"] != "" && !hasWord(tags["h"], "sha256"):
		return fmt.Errorf("the record allows the hashes %s only, and mail is signed with sha256", tags["h"])
	case tags["s"] != "" && !hasWord(tags["s"], "email") && !hasWord(tags["s"], "*"):
		return fmt.Errorf("the record is for s=%s, not for mail", tags["s"])
	case hasWord(tags["t"], "y"):
		return errors.New("the record says t=y, only a test: receivers treat the mail as unsigned; remove it")
	}
	return nil
}

// parseTags reads a tag list (RFC 6376 §3.2), white space taken out of the values: where it
// may stand in a key record it means nothing.
func parseTags(text string) map[string]string {
	tags := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		if name, value, ok := strings.Cut(part, "="); ok {
			tags[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), "")
		}
	}
	return tags
}

// hasWord reports whether a list with colons has the word.
func hasWord(list, word string) bool {
	return strings.Contains(":"+list+":", ":"+word+":")
}
