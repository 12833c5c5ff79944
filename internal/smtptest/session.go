package smtptest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// hello answers EHLO and HELO.
func (c *conn) hello(verb, name string) error {
	if name == "" || strings.ContainsAny(name, " ") {
		c.fault("%s without a name, or with more than one", verb)
	}
	c.tx = transaction{}
	lines := []string{"smtptest greets " + name}
	if verb == "EHLO" {
		lines = append(lines, c.extensions()...)
	}
	var b strings.Builder
	for i, line := range lines {
		separator := "-"
		if i == len(lines)-1 {
			separator = " "
		}
		b.WriteString("250" + separator + line)
		if separator == "-" {
			b.WriteString("\r\n")
		}
	}
	granted, err := c.reply(AtEhlo, b.String())
	c.greeted = c.greeted || granted
	return err
}

// extensions are the EHLO keywords that are offered now.
func (c *conn) extensions() []string {
	o := &c.s.options
	var list []string
	add := func(offered bool, keyword string) {
		if offered {
			list = append(list, keyword)
		}
	}
	add(o.Pipelining, "PIPELINING")
	add(o.EightBitMIME, "8BITMIME")
	add(o.SMTPUTF8, "SMTPUTF8")
	add(o.EnhancedStatusCodes, "ENHANCEDSTATUSCODES")
	add(o.Size > 0, "SIZE "+strconv.Itoa(o.Size))
	add(o.TLS == StartTLS && !c.secure, "STARTTLS")
	add(o.User != "", "AUTH "+strings.Join(o.Mechanisms, " "))
	return list
}

// upgrade answers STARTTLS and begins TLS (RFC 3207).
func (c *conn) upgrade() error {
	if c.s.options.TLS != StartTLS || c.secure || !c.greeted {
		c.fault("STARTTLS where it is not offered")
		return c.write(c.code("503", "5.5.1", "not now"))
	}
	if granted, err := c.reply(AtStartTLS, c.code("220", "2.0.0", "go ahead")); err != nil || !granted {
		return err
	}
	c.greeted = false
	return c.startTLS()
}

// mail answers MAIL (RFC 5321 §4.1.1.2).
func (c *conn) mail(argument string) error {
	switch {
	case !c.greeted:
		c.fault("MAIL before EHLO")
		return c.write(c.code("503", "5.5.1", "say EHLO first"))
	case c.tx.mail:
		c.fault("MAIL within a transaction")
		return c.write(c.code("503", "5.5.1", "one at a time"))
	case c.s.options.User != "" && !c.authed:
		return c.write(c.code("530", "5.7.0", "authentication is needed"))
	case c.s.options.MaxMessages > 0 && c.messages >= c.s.options.MaxMessages:
		_ = c.write(c.code("421", "4.7.0", "too many messages on one connection"))
		return errGone
	}
	c.tx = transaction{mailAsked: true}
	from, parameters, ok := path(argument, "FROM:")
	if !ok {
		c.fault("MAIL %s", argument)
		return c.write(c.code("501", "5.5.4", "MAIL FROM:<address>"))
	}
	for _, p := range parameters {
		if refusal := c.parameter(p); refusal != "" {
			return c.write(refusal)
		}
	}
	c.checkASCII(from)
	granted, err := c.reply(AtMail, c.code("250", "2.1.0", "sender fine"))
	if granted {
		c.tx.mail, c.tx.from = true, from
	}
	return err
}

// parameter takes one parameter of MAIL; it returns the reply if it is refused.
func (c *conn) parameter(p string) string {
	o := &c.s.options
	switch key, value, _ := strings.Cut(strings.ToUpper(p), "="); {
	case key == "SIZE" && o.Size > 0:
		if n, err := strconv.Atoi(value); err != nil || n > o.Size {
			return c.code("552", "5.3.4", "too big")
		}
	case key == "BODY" && o.EightBitMIME && (value == "7BIT" || value == "8BITMIME"):
		c.tx.eightBit = value == "8BITMIME"
	case key == "SMTPUTF8" && value == "" && o.SMTPUTF8:
		c.tx.utf8 = true
	default:
		c.fault("MAIL with %s, which is not offered", p)
		return c.code("555", "5.5.4", "unknown parameter")
	}
	return ""
}

// rcpt answers RCPT (RFC 5321 §4.1.1.3).
func (c *conn) rcpt(argument string) error {
	if !c.tx.mail {
		if !c.tx.mailAsked || !c.s.options.Pipelining {
			c.fault("RCPT without MAIL")
		}
		c.tx.rcptAsked = c.tx.mailAsked
		return c.write(c.code("503", "5.5.1", "MAIL first"))
	}
	c.tx.rcptAsked = true
	to, parameters, ok := path(argument, "TO:")
	if !ok || to == "" || len(parameters) > 0 {
		c.fault("RCPT %s", argument)
		return c.write(c.code("501", "5.5.4", "RCPT TO:<address>"))
	}
	c.checkASCII(to)
	granted, err := c.reply(AtRcpt, c.code("250", "2.1.5", "recipient fine"), to)
	if granted {
		c.tx.to = append(c.tx.to, to)
	}
	return err
}

func (c *conn) checkASCII(address string) {
	if !c.tx.utf8 && slices.ContainsFunc([]byte(address), func(b byte) bool { return b >= 0x80 }) {
		c.fault("%q without SMTPUTF8", address)
	}
}

// path reads "FROM:<address> parameter …".
func path(argument, prefix string) (address string, parameters []string, ok bool) {
	if len(argument) < len(prefix)+2 || !strings.EqualFold(argument[:len(prefix)], prefix) || argument[len(prefix)] != '<' {
		return "", nil, false
	}
	rest := argument[len(prefix)+1:]
	quoted := false
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && quoted:
			i++
		case rest[i] == '"':
			quoted = !quoted
		case rest[i] == '>' && !quoted:
			after := rest[i+1:]
			if after != "" && after[0] != ' ' {
				return "", nil, false
			}
			return rest[:i], strings.Fields(after), !strings.Contains(rest[:i], " ")
		}
	}
	return "", nil, false
}

// String describes the point for a test's messages.
func (p Point) String() string {
	names := [...]string{"connect", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "content", "final dot", "RSET", "QUIT"}
	if p < 0 || int(p) >= len(names) {
		return fmt.Sprintf("Point(%d)", int(p))
	}
	return names[p]
}
