package mail

import (
	"errors"
	"time"
)

// Entry is one message of an outbox folder, as a list shows it.
type Entry struct {
	Name    string // the file's name, for ReadStored
	From    string // of the envelope
	To      string // of the envelope
	Subject string
	Date    time.Time
	Problem string // what is wrong with the file; empty: nothing
}

// Stored is one message of an outbox folder, decoded.
type Stored struct {
	Entry
	Headers        []Header // decoded, in the order of the message
	Text           string
	HTML           string
	Raw            []byte // without the two envelope fields
	UnsubscribeURL string // from List-Unsubscribe
	OneClick       bool   // List-Unsubscribe-Post allows RFC 8058
}

// StoreMessage writes a message with its envelope into the folder, as a file whose name
// sorts by time and is unique. The file is there as a whole or not at all.
func StoreMessage(dir string, at time.Time, from, to string, message []byte) (name string, err error) {
	return "", errors.New("not written yet")
}

// ReadFolder lists the newest messages of a folder, newest first. A folder that does not
// exist is empty; a broken file is listed with its problem.
func ReadFolder(dir string, limit int) ([]Entry, error) { return nil, errors.New("not written yet") }

// ReadStored reads one message of a folder. The error is NotFound for a name that is none
// of a message in it. Of a message over 10 MB only the beginning is read; Problem says so.
func ReadStored(dir, name string) (*Stored, error) { return nil, errors.New("not written yet") }
