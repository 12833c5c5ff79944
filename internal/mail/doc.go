// Package mail turns a rendered message into bytes and carries the bytes to a relay.
//
// A Message is what all readers of one variant share. Compose has go-mail compose it once
// into a Variant, with slots for what is personal; Variant.Append fills the slots for one
// reader. A Transport is where messages go: an SMTP relay, or a folder of .eml files (the
// outbox) for trying things. What became of each message is an Outcome, in the words of the
// delivery ledger.
package mail
