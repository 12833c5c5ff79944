package mail

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

func pemBlock(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemBlock("PRIVATE KEY", der)
}

func TestParseKey_BothForms(t *testing.T) {
	t.Parallel()
	made, text, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"as generated": text,
		"PKCS #8":      pkcs8(t, made),
		"PKCS #1":      pemBlock("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(made)),
		"with a head":  append([]byte("made by somebody\n"), text...),
	} {
		if key, err := ParseKey(data); err != nil || !key.Equal(made) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseKey_SaysWhatIsWrong_AndNothingOfTheKey(t *testing.T) {
	t.Parallel()
	key, err := testKey()
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"short":     {pkcs8(t, short), "has 1024 bits"},
		"ed25519":   {pkcs8(t, other), "not RSA"},
		"public":    {pemBlock("PUBLIC KEY", public), "the public key"},
		"encrypted": {pemBlock("ENCRYPTED PRIVATE KEY", []byte("s3cret")), "passphrase"},
		"other":     {pemBlock("CERTIFICATE", []byte("s3cret")), "RSA PRIVATE KEY or PRIVATE KEY"},
		"damaged":   {pemBlock("PRIVATE KEY", []byte("s3cret")), "cannot be read"},
		"damaged 1": {pemBlock("RSA PRIVATE KEY", []byte("s3cret")), "cannot be read"},
		"no PEM":    {[]byte("s3cret"), "PEM"},
		"empty":     {nil, "PEM"},
	} {
		_, err := ParseKey(c.data)
		if newsletter.KindOf(err) != newsletter.Invalid || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "dkim generate") {
			t.Errorf("%s: %v, want something with %q and what to do", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v shows what is in the file", name, err)
		}
	}
}

func TestKeyRecord_StringsAreShortEnough_AndWhole(t *testing.T) {
	t.Parallel()
	record := testRecord(t, "example.org")
	if record.Name != "news1._domainkey.example.org" || !strings.HasPrefix(record.Value, "v=DKIM1; k=rsa; p=MII") {
		t.Errorf("the record is %+v", record)
	}
	for _, s := range record.Strings() {
		if len(s) > 255 {
			t.Errorf("a string has %d octets", len(s))
		}
	}
	if strings.Join(record.Strings(), "") != record.Value || len(record.Strings()) != 2 {
		t.Errorf("the strings are %q", record.Strings())
	}
}

func TestKeyRecord_Compare(t *testing.T) {
	t.Parallel()
	record := testRecord(t, "example.org")
	key := strings.TrimPrefix(record.Value, "v=DKIM1; k=rsa; p=")
	_, other, err := GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseKey(other)
	if err != nil {
		t.Fatal(err)
	}
	another, err := NewKeyRecord("example.org", "news1", &parsed.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		published []string
		want      string // "": it fits
	}{
		"as shown":           {[]string{record.Value}, ""},
		"shortest":           {[]string{"p=" + key}, ""},
		"spaces":             {[]string{" v = DKIM1 ;k=rsa; p=" + key[:200] + "  " + key[200:] + " ; "}, ""},
		"beside others":      {[]string{"v=spf1 -all", record.Value}, ""},
		"all that fits":      {[]string{"v=DKIM1; k=rsa; h=sha1:sha256; s=*; t=s; p=" + key}, ""},
		"none":               {nil, "no TXT record"},
		"no key record":      {[]string{"v=spf1 -all"}, "no key record"},
		"other version":      {[]string{"v=DKIM2; p=" + key}, "no key record"},
		"two":                {[]string{record.Value, record.Value}, "2 key records"},
		"revoked":            {[]string{"v=DKIM1; p="}, "revoked"},
		"cut off":            {[]string{"v=DKIM1; p=" + key[:230]}, "cut off"},
		"another":            {[]string{another.Value}, "another key"},
		"other algorithm":    {[]string{"k=ed25519; p=" + key}, "k=ed25519"},
		"other hash":         {[]string{"h=sha1; p=" + key}, "sha1"},
		"for something else": {[]string{"s=tlsrpt; p=" + key}, "s=tlsrpt"},
		"testing":            {[]string{"t=y:s; p=" + key}, "t=y"},
	} {
		err := record.Compare(c.published)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
