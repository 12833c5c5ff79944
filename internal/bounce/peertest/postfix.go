package peertest

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Postfix is a running Postfix.
type Postfix struct {
	URL string // that a relay is named by
}

// PostfixOptions say where its mail goes.
type PostfixOptions struct {
	// Domain is one that it is the destination of. It takes mail for everybody there, and
	// finds out only then whether there is such a mailbox: so it has to give it back.
	Domain    string
	Mailboxes []string          // of Domain; their mail is thrown away
	Transport map[string]string // other domains, such as "lmtp:inet:127.0.0.1:2424"
}

const postfixMain = `
compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = /
myhostname = mx.example.net
mydestination = %[2]s
relay_domains = %[3]s
relay_recipient_maps = regexp:{ { /^b\+[a-z2-7]+@/ ok } }
local_recipient_maps =
alias_maps =
alias_database =
transport_maps = texthash:%[1]s/transport
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtp_tls_security_level = none
smtpd_relay_restrictions = permit_mynetworks, reject
lmtp_host_lookup = native
biff = no
`

const postfixServices = `
127.0.0.1:%d inet n - n - - smtpd
postlog   unix-dgram n - n - 1 postlogd
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
local     unix - n n - - local
lmtp      unix - - n - - lmtp
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
`

// StartPostfix starts a Postfix that ends with the test.
func StartPostfix(t testing.TB, o PostfixOptions) Postfix {
	t.Helper()
	postfix, root := program(t, "postfix"), asRoot(t)
	dir, port := folder(t, root), freePort(t)
	config := filepath.Join(dir, "etc")
	for _, d := range []string{"etc", "queue", "data"} {
		mkdir(t, filepath.Join(dir, d))
	}
	var transport strings.Builder
	var domains []string
	for _, m := range o.Mailboxes {
		fmt.Fprintf(&transport, "%s@%s discard:\n", m, o.Domain)
	}
	for domain, way := range o.Transport {
		fmt.Fprintf(&transport, "%s %s\n", domain, way)
		domains = append(domains, domain)
	}
	write(t, dir, "transport", transport.String())
	write(t, config, "main.cf", fmt.Sprintf(postfixMain, dir, o.Domain, strings.Join(domains, ", ")))
	write(t, config, "master.cf", fmt.Sprintf(postfixServices, port))
	asPostfix := func(args ...string) []string {
		return slices.Concat(root, []string{postfix, "-c", config}, args)
	}
	own(t, root, "postfix", filepath.Join(dir, "data"))
	run(t, asPostfix("start-fg"), asPostfix("stop"), filepath.Join(dir, "log"), port)
	return Postfix{URL: fmt.Sprintf("smtp://%s:%d", host, port)}
}
