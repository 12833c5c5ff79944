// Package journal is the file beside the database that outlives it: who left, who must not be
// mailed, who was erased, and which editions went out. A database that comes back from a
// backup learns from it what it must not do again.
//
// A line is an entry: a checksum, a space, and JSON. Lines are only ever appended. Addresses
// stand in it as keyed hashes, so that who was erased is not found in it.
package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"
)

// Version is that of the entries which this program writes. It reads those up to it.
const Version = 1

// Kind says what an entry is about. Kinds are stored: they never change.
type Kind string

// The kinds of entries.
const (
	Left       Kind = "left"       // a subscription ended, whoever ended it
	Joined     Kind = "joined"     // one that had ended is active again: undone, or signed up anew
	Suppressed Kind = "suppressed" // an address, or a whole domain, must not be mailed
	Lifted     Kind = "lifted"     // … may be mailed again
	Erased     Kind = "erased"     // a person's data were erased
	Frozen     Kind = "frozen"     // an edition took its slot; its articles follow
	Articles   Kind = "articles"   // of the edition that was frozen
	Sending    Kind = "sending"    // the edition is sent from here on, or again
	Cancelled  Kind = "cancelled"  // nothing of the edition is sent any more
	Skipped    Kind = "skipped"    // a slot passed, or will pass, without an edition
	Unskipped  Kind = "unskipped"  // … or will have one after all
	Withdrawn  Kind = "withdrawn"  // an article was taken back
	Revoked    Kind = "revoked"    // an API token opens nothing any more
	Restored   Kind = "restored"   // the database came back from a backup
	Void       Kind = "void"       // of the entries from Position on, nobody knows that they were committed
)

// Entry is one line. Which fields it has depends on its kind; ids are those of the database.
type Entry struct {
	Version    int       `json:"v"`
	Seq        int64     `json:"seq"` // goes up by one from entry to entry
	At         time.Time `json:"at"`
	Database   string    `json:"db"` // tells databases apart
	Kind       Kind      `json:"kind"`
	Subscriber int64     `json:"subscriber,omitempty"`
	Newsletter int64     `json:"newsletter,omitempty"`
	Edition    int64     `json:"edition,omitempty"`
	Address    string    `json:"address,omitempty"` // the keyed hash, in hex
	Token      int64     `json:"token,omitempty"`
	Domain     string    `json:"domain,omitempty"` // of a suppression that is for a whole one
	Reason     string    `json:"reason,omitempty"`
	Slot       *Slot     `json:"slot,omitempty"`
	Articles   []Article `json:"articles,omitempty"`
	High       *High     `json:"high,omitempty"`
	Position   int64     `json:"position,omitempty"` // of the backup that was restored; the first entry that is void
}

// Releases reports whether entries of the kind take something back that kept people from being
// mailed. Where it is not known that they were committed they must not count; all others do.
func (k Kind) Releases() bool { return k == Joined || k == Lifted || k == Unskipped }

// Slot is the slot that an edition took.
type Slot struct {
	Cadence string    `json:"cadence"`
	Date    string    `json:"date"` // local: 2026-11-22
	Name    string    `json:"name"`
	For     string    `json:"for,omitempty"` // whose readers it was for, where that is not the slot of that name
	DueAt   time.Time `json:"due_at"`
	AsOf    time.Time `json:"as_of"`
}

// Article is how an article is known again: by its canonical address, or by its guid within
// the source.
type Article struct {
	URL    string `json:"url"`
	Source int64  `json:"source"`
	GUID   string `json:"guid"`
}

// High are the highest ids that were given out until then. A restored database must not give
// them to others: links and return paths that are out there name them.
type High struct {
	Subscribers int64 `json:"subscribers"`
	Mails       int64 `json:"mails"`
	Editions    int64 `json:"editions"`
	Newsletters int64 `json:"newsletters"`
}

// MaxLine is how long a line is at most, its end included.
const MaxLine = 1 << 20

// ArticlesPerEntry is how many articles an entry may have, so that it fits into a line
// whatever feeds make up.
const ArticlesPerEntry = 50

var table = crc32.MakeTable(crc32.Castagnoli)

// checksum is how long the checksum in front of an entry is, with the space.
const checksum = 9

// encode returns the entry as a line.
func encode(e Entry) ([]byte, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("journal entry: %w", err)
	}
	line := fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(data, table), data)
	if len(line) > MaxLine {
		return nil, fmt.Errorf("journal entry %s is too long: %d bytes", e.Kind, len(line))
	}
	return line, nil
}

var errBroken = errors.New("the line is damaged")

// decode reads a line without its end. An error is errBroken, or one of a newer version.
func decode(line []byte) (Entry, error) {
	var e Entry
	if len(line) < checksum || line[checksum-1] != ' ' {
		return e, errBroken
	}
	sum, err := strconv.ParseUint(string(line[:checksum-1]), 16, 32)
	data := line[checksum:]
	if err != nil || sum != uint64(crc32.Checksum(data, table)) {
		return e, errBroken
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&e); err != nil || e.Seq < 1 {
		return e, errBroken
	}
	if e.Version > Version {
		return e, fmt.Errorf("it is of version %d, and this program knows %d; use the newer broadsheet", e.Version, Version)
	}
	return e, nil
}
