// Package smtptest is a real SMTP server on a loopback port, for tests and the demo. It can
// answer what it likes, hang up, reset or stall at each step of the dialogue, and it holds
// its clients strictly to the protocol.
//
// It speaks RFC 5321 by hand over net.Conn, because a library that is made to behave cannot
// be made to misbehave.
package smtptest
