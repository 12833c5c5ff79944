package smtptest

import (
	"bytes"
	"time"
)

// maxLine is the longest line of content with its CRLF, RFC 5321 §4.5.3.1.6.
const maxLine = 1000

// data answers DATA, reads the content and answers the final dot.
func (c *conn) data() error {
	tx := c.tx
	if len(tx.to) == 0 {
		if !tx.rcptAsked || !c.s.options.Pipelining {
			c.fault("DATA without an accepted recipient")
			return c.write(c.code("503", "5.5.1", "RCPT first"))
		}
		if c.s.options.DataAnyway {
			return c.dataForNobody()
		}
		return c.write(c.code("554", "5.5.1", "no valid recipients"))
	}
	if granted, err := c.reply(AtData, "354 go ahead", tx.to...); err != nil || !granted {
		return err
	}
	content, err := c.content()
	if err != nil {
		return err
	}
	c.checkPipeline(".")
	c.tx = transaction{}
	if max := c.s.options.Size; max > 0 && len(content) > max {
		return c.write(c.code("552", "5.3.4", "too big"))
	}
	f, struck := c.s.strike(AtDot, tx.to...)
	counts := !struck || f.Count || f.Action == Stall || f.Action == Answer && f.Reply != "" && f.Reply[0] == '2'
	if struck && f.Action == Stall && !f.Count {
		if err := c.act(f); err != nil {
			return err
		}
	}
	if counts {
		c.s.receive(tx, content, c.number)
		c.messages++
	}
	switch {
	case struck && f.Action == Answer:
		if err := c.write(f.Reply); err != nil || bytes.HasPrefix([]byte(f.Reply), []byte("421")) {
			return errGone
		}
		return nil
	case struck && (f.Action != Stall || f.Count):
		if err := c.act(f); err != nil {
			return err
		}
	}
	return c.write(c.code("250", "2.0.0", "taken"))
}

// receive counts the message for each of its recipients.
func (s *Server) receive(tx transaction, content []byte, number int) {
	now := time.Now()
	for _, to := range tx.to {
		m := Received{From: tx.from, To: to, Data: content, At: now, Conn: number}
		if s.options.OnMessage != nil {
			s.options.OnMessage(m)
		}
		s.mu.Lock()
		s.messages = append(s.messages, m)
		s.notify()
		s.mu.Unlock()
	}
}

// content reads up to the final dot and takes the stuffing out.
func (c *conn) content() ([]byte, error) {
	var content []byte
	fault, struck := c.s.strike(AtBody, c.tx.to...)
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return nil, errGone
		}
		c.checkLine(line)
		if struck && (len(content)+len(line) > fault.Octets || string(line) == ".\r\n") {
			struck = false
			kept := bytes.Clone(line) // a stall reads on
			if err := c.misbehave(fault); err != nil {
				return nil, err
			}
			line = kept
		}
		if string(line) == ".\r\n" {
			return content, nil
		}
		if line[0] == '.' {
			if line[1] != '.' {
				c.fault("a line that begins with one dot: %.80q", line)
			}
			line = line[1:]
		}
		content = append(content, line...)
	}
}

// dataForNobody asks for the content of a message that has no recipient, as some servers do
// in a pipeline: the client has to send a lone dot.
func (c *conn) dataForNobody() error {
	if err := c.write("354 go ahead"); err != nil {
		return err
	}
	if line, err := c.readLine(maxLine); err != nil {
		return err
	} else if line != "." {
		c.fault("content for nobody: %.80q", line)
		return errGone
	}
	c.tx = transaction{}
	return c.write(c.code("554", "5.5.1", "no valid recipients"))
}

// misbehave is what a fault does within the content.
func (c *conn) misbehave(f Fault) error {
	if f.Action == Answer {
		_ = c.write(f.Reply)
		return errGone
	}
	return c.act(f)
}

// checkLine records what a line of content must not be.
func (c *conn) checkLine(line []byte) {
	if len(line) > maxLine {
		c.fault("a line of %d octets", len(line))
	}
	if !bytes.HasSuffix(line, []byte("\r\n")) {
		c.fault("a bare LF in the content after %.80q", line)
	}
	if i := bytes.IndexByte(line, '\r'); i >= 0 && i < len(line)-2 {
		c.fault("a bare CR in the content in %.80q", line)
	}
	if !c.tx.eightBit && bytes.ContainsFunc(line, func(r rune) bool { return r >= 0x80 }) {
		c.fault("content of 8 bits without BODY=8BITMIME: %.80q", line)
	}
}
