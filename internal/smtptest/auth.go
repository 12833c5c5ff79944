package smtptest

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// auth answers AUTH (RFC 4954) by PLAIN, LOGIN or CRAM-MD5.
func (c *conn) auth(argument string) error {
	mechanism, initial, _ := strings.Cut(argument, " ")
	mechanism = strings.ToUpper(mechanism)
	if c.s.options.User == "" || !c.greeted || c.authed || !contains(c.s.options.Mechanisms, mechanism) {
		c.fault("AUTH %s where it is not offered", mechanism)
		return c.write(c.code("503", "5.5.1", "not now"))
	}
	known, err := c.prove(mechanism, initial)
	if err != nil {
		return err
	}
	if !known {
		return c.say(AtAuth, c.code("535", "5.7.8", "wrong user or password"))
	}
	c.authed, err = c.reply(AtAuth, c.code("235", "2.7.0", "welcome"))
	return err
}

// prove reads the client's proof and checks it.
func (c *conn) prove(mechanism, initial string) (bool, error) {
	o := &c.s.options
	switch mechanism {
	case "PLAIN":
		response := decode(initial)
		if initial == "" {
			var err error
			if response, err = c.challenge(""); err != nil {
				return false, err
			}
		}
		return response == "\x00"+o.User+"\x00"+o.Password, nil
	case "LOGIN":
		user, err := c.challenge("Username:")
		if err != nil {
			return false, err
		}
		password, err := c.challenge("Password:")
		return user == o.User && password == o.Password, err
	default:
		const nonce = "<1.2@smtptest>"
		response, err := c.challenge(nonce)
		mac := hmac.New(md5.New, []byte(o.Password))
		mac.Write([]byte(nonce))
		return response == o.User+" "+hex.EncodeToString(mac.Sum(nil)), err
	}
}

// challenge sends a challenge and reads the response.
func (c *conn) challenge(text string) (string, error) {
	if err := c.write("334 " + base64.StdEncoding.EncodeToString([]byte(text))); err != nil {
		return "", err
	}
	line, err := c.readLine(maxAuth)
	c.checkPipeline("AUTH")
	return decode(line), err
}

// decode returns what the base64 stands for, "" if it is none.
func decode(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(b)
}
