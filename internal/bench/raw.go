package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"strconv"
	"sync"
)

// How a raw client talks.
const (
	rawPlain     = "plain"     // each command awaits its reply
	rawPipelined = "pipelined" // MAIL, RCPT and DATA in one piece (RFC 2920)
	rawAcross    = "across"    // the final dot and the next message's commands in one piece as well
)

// runRaw is the child that sends one prebuilt body again and again, as fast as Go can: what a sender could reach
// that keeps no record of anything.
func runRaw(ctx context.Context, args []string) error {
	f := flag.NewFlagSet(childRaw, flag.ContinueOnError)
	addr := f.String("addr", "", "")
	mode := f.String("mode", rawPlain, "")
	messages := f.Int("messages", 1, "")
	conns := f.Int("conns", 1, "")
	size := f.Int("size", 1, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	body := rawBody(*size)
	failed := make([]error, *conns)
	var all sync.WaitGroup
	for i := range *conns {
		all.Go(func() {
			from, to := *messages*i / *conns, *messages*(i+1) / *conns
			failed[i] = rawConnection(ctx, *addr, *mode, body, from, to)
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// rawBody returns a body of a size with the lines and the dot that end it.
func rawBody(size int) []byte {
	line := bytes.Repeat([]byte("x"), 76)
	copy(line[74:], "\r\n")
	b := bytes.Repeat(line, size/len(line))
	b = append(b, bytes.Repeat([]byte("y"), max(0, size-len(b)-2))...)
	return append(b, "\r\n.\r\n"...)
}

// rawConnection sends to the readers from one number up to another.
func rawConnection(ctx context.Context, addr, mode string, body []byte, from, to int) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close() // QUIT is answered, or it failed already
	c := &rawClient{conn: conn, replies: bufio.NewReader(conn)}
	c.expect(1)
	c.say([]byte("EHLO bench.example.org\r\n"), 1)
	switch mode {
	case rawPlain:
		c.plain(body, from, to)
	case rawPipelined:
		c.pipelined(body, from, to)
	case rawAcross:
		c.across(body, from, to)
	default:
		return fmt.Errorf("there is no way of talking called %q", mode)
	}
	c.say([]byte("QUIT\r\n"), 1)
	return c.err
}

// plain waits for each reply.
func (c *rawClient) plain(body []byte, from, to int) {
	mail, rcpt, data := []byte(rawMail), []byte(nil), []byte(rawData)
	for n := from; n < to && c.err == nil; n++ {
		rcpt = appendRcpt(rcpt[:0], n)
		c.say(mail, 1)
		c.say(rcpt, 1)
		c.say(data, 1)
		c.say(body, 1)
	}
}

// pipelined sends an envelope in one piece.
func (c *rawClient) pipelined(body []byte, from, to int) {
	var envelope []byte
	for n := from; n < to && c.err == nil; n++ {
		envelope = appendEnvelope(envelope[:0], n)
		c.say(envelope, 3)
		c.say(body, 1)
	}
}

// across sends each body together with the next envelope.
func (c *rawClient) across(body []byte, from, to int) {
	if from == to {
		return
	}
	c.say(appendEnvelope(nil, from), 3)
	piece := bytes.Clone(body)
	for n := from + 1; n < to && c.err == nil; n++ {
		piece = appendEnvelope(piece[:len(body)], n)
		c.say(piece, 4)
	}
	c.say(body, 1)
}

const (
	rawMail = "MAIL FROM:<news@bench.example.org>\r\n"
	rawData = "DATA\r\n"
)

func appendEnvelope(b []byte, n int) []byte {
	return append(appendRcpt(append(b, rawMail...), n), rawData...)
}

func appendRcpt(b []byte, n int) []byte {
	b = append(b, "RCPT TO:<"...)
	b = append(b, kindReader)
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, "@bench.example.org>\r\n"...)
}

// rawClient keeps the first error and does nothing after it.
type rawClient struct {
	conn    net.Conn
	replies *bufio.Reader
	err     error
}

// say writes, and reads so many replies.
func (c *rawClient) say(b []byte, replies int) {
	if c.err != nil {
		return
	}
	if _, c.err = c.conn.Write(b); c.err == nil {
		c.expect(replies)
	}
}

// expect reads replies, which have to be good.
func (c *rawClient) expect(replies int) {
	for c.err == nil && replies > 0 {
		line, err := c.replies.ReadSlice('\n')
		switch {
		case err != nil:
			c.err = err
		case len(line) < 4 || line[0] != '2' && line[0] != '3':
			c.err = fmt.Errorf("the sink says %q", line)
		case line[3] != '-':
			replies--
		}
	}
}
