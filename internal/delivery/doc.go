// Package delivery plans an edition, carries it to every reader and keeps the ledger.
//
// What it guarantees: a message is handed to the relay only after the intent to do so is
// committed, and what became of it is committed before the next one of that connection is
// begun. So after a crash nobody is lost, and at most one message per connection is in doubt,
// each of them on record. What it cannot know: whether a message arrived when the final dot
// was sent and no answer came. It does not claim to.
package delivery
