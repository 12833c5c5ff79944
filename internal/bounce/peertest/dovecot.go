package peertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Dovecot is a running Dovecot with one mailbox.
type Dovecot struct {
	User, Password string
	IMAP           string // host:port, STARTTLS
	IMAPS          string // host:port
	LMTP           string // the transport for Postfix; the mailbox takes subaddresses with a plus
	Folder         string // where the messages are, as a Maildir
	Roots          *x509.CertPool
}

const dovecotConfig = `
base_dir = %[1]s/run
state_dir = %[1]s/run
log_path = %[1]s/log
protocols = imap lmtp
listen = 127.0.0.1
mail_location = maildir:%[1]s/mail
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
auth_username_format = %%Ln
recipient_delimiter = +
lmtp_hdr_delivery_address = original
auth_failure_delay = 0
ssl = required
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
passdb {
  driver = passwd-file
  args = %[1]s/users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=%[1]s/mail allow_all_users=yes
}
service imap-login {
  inet_listener imap {
    port = %[2]d
  }
  inet_listener imaps {
    port = %[3]d
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = %[4]d
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
namespace inbox {
  inbox = yes
  separator = /
}
`

// StartDovecot starts a Dovecot that ends with the test, with more lines of its configuration.
func StartDovecot(t testing.TB, settings ...string) Dovecot {
	t.Helper()
	dovecot, root := program(t, "dovecot"), asRoot(t)
	dir := folder(t, root)
	d := Dovecot{User: "b", Password: "pass word", Folder: filepath.Join(dir, "mail")}
	for _, name := range []string{"run", "mail"} {
		mkdir(t, filepath.Join(dir, name))
	}
	own(t, root, "mail", filepath.Join(dir, "mail"))
	d.Roots = certificate(t, dir)
	imap, imaps, lmtp := freePort(t), freePort(t), freePort(t)
	d.IMAP, d.IMAPS = fmt.Sprintf("%s:%d", host, imap), fmt.Sprintf("%s:%d", host, imaps)
	d.LMTP = fmt.Sprintf("lmtp:inet:%s:%d", host, lmtp)
	write(t, dir, "users", d.User+":{PLAIN}"+d.Password+"::::::\n")
	write(t, dir, "dovecot.conf", fmt.Sprintf(dovecotConfig, dir, imap, imaps, lmtp)+strings.Join(settings, "\n")+"\n")
	config := []string{"-c", filepath.Join(dir, "dovecot.conf")}
	start := slices.Concat(root, []string{dovecot, "-F"}, config)
	stop := slices.Concat(root, []string{"doveadm"}, config, []string{"stop"})
	run(t, start, stop, filepath.Join(dir, "log"), imap, imaps, lmtp)
	return d
}

// certificate makes a certificate for the host, and returns what trusts it.
func certificate(t testing.TB, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, IPAddresses: []net.IP{net.ParseIP(host)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	file := filepath.Join(dir, "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}
