package feed

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestPublic_OnlyAddressesOfThePublicInternet(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.8.8",
		"169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1",
		"192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1",
		"239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:0:10.0.0.1",
		"64:ff9b::127.0.0.1", "64:ff9b::10.1.2.3", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1.1.1.1",
		"2002:7f00:1::", "2002:a00:1::1", "2001::1", "2001:0:7f00:1::", "2001:20::1", "2001:db8::1",
		"3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1",
		"ff02::1", "100::1", "2606:4700::1%eth0",
	} {
		if public(netip.MustParseAddr(s)) {
			t.Errorf("%s counts as public", s)
		}
	}
	for _, s := range []string{
		"1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.0.1.1",
		"198.17.0.1", "198.20.0.1", "223.255.255.255", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1",
		"2606:4700::1", "2a00:1450::1", "2001:4860::8888", "2400::1",
	} {
		if !public(netip.MustParseAddr(s)) {
			t.Errorf("%s counts as private", s)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address counts as public")
	}
}

func TestRefusePrivate_RefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"tcp4", "127.0.0.1:80"}, {"tcp6", "[::1]:80"}, {"tcp4", "localhost:80"}, {"tcp4", ""},
		{"unix", "/run/x.sock"}, {"udp4", "1.1.1.1:53"},
	} {
		if err := refusePrivate(c[0], c[1], nil); err == nil {
			t.Errorf("%v was allowed", c)
		}
	}
	if err := refusePrivate("tcp4", "1.1.1.1:8080", nil); err != nil {
		t.Errorf("a public address was refused: %v", err)
	}
}

// rebinder is a name server under a stranger's control: every name leads to loopback.
func rebinder(asked *atomic.Int32) *net.Resolver {
	serve := func(conn net.Conn) {
		defer conn.Close()
		for {
			var size uint16
			if binary.Read(conn, binary.BigEndian, &size) != nil {
				return
			}
			query := make([]byte, size)
			if _, err := io.ReadFull(conn, query); err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(query) != nil {
				return
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				asked.Add(1)
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
				}}
			}
			answer, err := m.Pack()
			if err != nil {
				return
			}
			if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
				return
			}
		}
	}
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go serve(server)
		return client, nil
	}}
}

func TestFetch_NameThatResolvesToLoopback_IsRefusedAtTheSocket(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	c := NewClient(Options{})
	c.http = &http.Client{Transport: newTransport(false, rebinder(&asked))}
	for range 2 { // whatever was looked up before does not count
		_, err := c.Fetch(t.Context(), Request{URL: "http://rebind.example/feed"})
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindPrivate || e.Host != "rebind.example" {
			t.Fatalf("got %v", err)
		}
	}
	if asked.Load() == 0 {
		t.Error("the test's name server was not asked")
	}
}

func TestTransport_IgnoresProxySettings(t *testing.T) {
	t.Parallel()
	if newTransport(false, nil).Proxy != nil {
		t.Error("a proxy would be asked, and nobody could check what it connects to")
	}
}
