package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

const (
	signDomain   = "bench.example.org"
	signSelector = "bench"
)

// signer is a key that mail is signed by.
type signer struct{ key *rsa.PrivateKey }

func newSigner() (*signer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return &signer{key}, err
}

// settings writes the key into a folder, and returns the settings that make the program sign by it.
func (s *signer) settings(dir string) ([]string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "dkim.pem")
	err = os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	return []string{"DKIM_DOMAIN=" + signDomain, "DKIM_SELECTOR=" + signSelector, "DKIM_KEY_FILE=" + file}, err
}

// verify reports whether a message is signed. An error means that a signature is wrong.
func (s *signer) verify(message []byte) (signed bool, err error) {
	public, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		return false, err
	}
	record := "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)
	// It is as it was on the wire, with dots before dots (RFC 5321 §4.5.2).
	message = bytes.ReplaceAll(message, []byte("\r\n.."), []byte("\r\n."))
	found, err := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{
		LookupTXT: func(string) ([]string, error) { return []string{record}, nil },
	})
	if err != nil {
		return false, fmt.Errorf("verify the signature: %w", err)
	}
	for _, v := range found {
		if v.Err != nil {
			return true, fmt.Errorf("the signature for %s is wrong: %w", v.Domain, v.Err)
		}
	}
	return len(found) > 0, nil
}

// measure times one signature alone, and the signing of a message of a size as a library does it, by the CPU time
// that this process uses, and returns the first.
func (s *signer) measure(b *bench, size int) (time.Duration, error) {
	const times = 200
	digest := sha256.Sum256([]byte("bench"))
	alone, err := cpuOf(times, func() error {
		_, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, digest[:])
		return err
	})
	if err != nil {
		return 0, err
	}
	message := append([]byte("From: news@bench.example.org\r\nTo: r1@bench.example.org\r\nSubject: Bench\r\n"+
		"Date: Fri, 20 Nov 2026 07:00:00 +0000\r\nMessage-ID: <1@bench.example.org>\r\n\r\n"), rawBody(size)...)
	message = message[:len(message)-len(".\r\n")]
	whole, err := cpuOf(times, func() error {
		return dkim.Sign(&bytes.Buffer{}, bytes.NewReader(message), &dkim.SignOptions{
			Domain: signDomain, Selector: signSelector, Signer: s.key,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		})
	})
	if err != nil {
		return 0, err
	}
	b.report.add("send", "one RSA-2048 signature", "CPU µs", micros(alone))
	b.report.add("send", "a message signed by go-msgauth", "CPU µs", micros(whole))
	return alone, nil
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// cpuOf returns the CPU time of one of many calls.
func cpuOf(times int, f func() error) (time.Duration, error) {
	before, err := ownCPU()
	if err != nil {
		return 0, err
	}
	for range times {
		if err := f(); err != nil {
			return 0, err
		}
	}
	after, err := ownCPU()
	return (after - before) / time.Duration(times), err
}

func ownCPU() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}
