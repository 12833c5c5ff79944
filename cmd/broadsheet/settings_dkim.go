package main

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// signingKey is one key that mail is signed with.
type signingKey struct {
	Domain, Selector, File string
	Mode                   fs.FileMode // of the file
	Key                    *rsa.PrivateKey
}

// record is what has to stand in the DNS for the key.
func (k signingKey) record() (mail.KeyRecord, error) {
	return mail.NewKeyRecord(k.Domain, k.Selector, &k.Key.PublicKey)
}

// maxKeyFile is more than any key takes.
const maxKeyFile = 64 << 10

// checkSigning completes what signing and return paths need, and adds what is wrong.
func (s *Settings) checkSigning(add func(name, format string, args ...any)) {
	if s.BounceDomain != "" {
		domain, err := mail.ParseDomain(s.BounceDomain)
		if err != nil {
			add("BOUNCE_DOMAIN", "%s", fieldMessage(err))
		} else {
			s.BounceDomain = domain
		}
	}
	lists := []struct {
		name   string
		values []string
	}{{"DKIM_DOMAIN", s.DKIMDomain}, {"DKIM_SELECTOR", s.DKIMSelector}, {"DKIM_KEY_FILE", s.DKIMKeyFile}}
	most := max(len(s.DKIMDomain), len(s.DKIMSelector), len(s.DKIMKeyFile))
	complete := true
	for _, l := range lists {
		if len(l.values) != most {
			add(l.name, "has %d of the %d that are needed: domains, selectors and key files belong together, in the same order", len(l.values), most)
			complete = false
		}
	}
	if !complete {
		return
	}
	for i := range most {
		k, errs := parseSigningKey(s.DKIMDomain[i], s.DKIMSelector[i], strings.TrimSpace(s.DKIMKeyFile[i]))
		for j, err := range errs {
			if err != nil {
				add(lists[j].name, "%s", fieldMessage(err))
			}
		}
		if errs == [3]error{} {
			s.SigningKeys = append(s.SigningKeys, k)
		}
	}
}

// newSigningKey returns the key in the file; the error says what is wrong of the three.
func newSigningKey(domain, selector, file string) (signingKey, error) {
	k, errs := parseSigningKey(domain, selector, file)
	return k, errors.Join(errs[:]...)
}

// parseSigningKey returns the key in the file, and what is wrong with each of the three.
func parseSigningKey(domain, selector, file string) (k signingKey, errs [3]error) {
	k.File = file
	k.Domain, errs[0] = mail.ParseDomain(domain)
	k.Selector, errs[1] = mail.ParseSelector(selector)
	k.Key, k.Mode, errs[2] = readKey(file)
	return k, errs
}

// readKey reads a private key. The error names the file and nothing of what it holds.
func readKey(file string) (*rsa.PrivateKey, fs.FileMode, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, 0, fmt.Errorf("%w; \"broadsheet dkim generate\" makes a key", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxKeyFile {
		return nil, 0, fmt.Errorf("%s is no file with a key", file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, 0, err
	}
	key, err := mail.ParseKey(data)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %s", file, fieldMessage(err))
	}
	return key, info.Mode(), nil
}

// signers returns what signs mail: none if the relay does.
func (s *Settings) signers(now func() time.Time) (mail.Signers, error) {
	var list mail.Signers
	for _, k := range s.SigningKeys {
		signer, err := mail.NewSigner(k.Domain, k.Selector, k.Key, now)
		if err != nil {
			return nil, renamed(err, "DKIM_KEY_FILE")
		}
		list = append(list, signer)
	}
	return list, nil
}

// signingProblems returns what is allowed and not as it should be.
func (s *Settings) signingProblems() []string {
	var list []string
	for _, k := range s.SigningKeys {
		if k.Mode&0o077 != 0 {
			list = append(list, fmt.Sprintf("%s can be read by others than its owner, and who has it can sign as %s: chmod 600 %s", k.File, k.Domain, k.File))
		}
	}
	return append(list, s.unsigned(s.Confirm)...)
}

// unsigned says which of the senders have mail that is not signed although there are keys.
func (s *Settings) unsigned(senders ...newsletter.Address) []string {
	signers, err := s.signers(time.Now)
	if err != nil || len(signers) == 0 {
		return nil
	}
	var list []string
	for _, from := range senders {
		if from.Email == "" || signers.For(from.Domain()) != nil {
			continue
		}
		message := fmt.Sprintf("mail from %s is not signed: %sDKIM_DOMAIN names neither %s nor a domain above it", from.Email, settingPrefix, from.Domain())
		if !slices.Contains(list, message) {
			list = append(list, message)
		}
	}
	return list
}

// warnUnsigned logs which newsletters' mail is not signed although there are keys.
func (s *services) warnUnsigned(newsletters []newsletter.Newsletter) {
	senders := []newsletter.Address{s.settings.Confirm}
	for _, n := range newsletters {
		if n.Status != newsletter.Closed {
			senders = append(senders, n.From)
		}
	}
	for _, message := range s.settings.unsigned(senders...) {
		s.log.Warn(message)
	}
}
