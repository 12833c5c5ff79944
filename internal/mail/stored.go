package mail

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // for messages that others put into the folder
	gomessage "github.com/emersion/go-message/mail"

	"broadsheet/internal/newsletter"
)

// The fields that carry the envelope, before those of the message.
const (
	outboxFrom = "X-Outbox-From"
	outboxTo   = "X-Outbox-To"
)

// maxStored is the most that is read of a stored message, and maxHeader of one in a list.
const (
	maxStored = 10 << 20
	maxHeader = 64 << 10
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
// sorts by time and is unique. The file is there as a whole, and on the disk, or not at
// all. The error is an Invalid one for an envelope that no mail can have.
func StoreMessage(dir string, at time.Time, from, to string, message []byte) (name string, err error) {
	if err := checkEmail(to); err != nil {
		return "", newsletter.Invalidf("to", "recipient %q: %v", to, err)
	}
	if err := checkEmail(from); err != nil && from != "" {
		return "", newsletter.Invalidf("from", "sender %q: %v", from, err)
	}
	var unique [6]byte
	_, _ = rand.Read(unique[:]) // never fails
	name = at.UTC().Format("20060102T150405.000000000Z") + "-" + hex.EncodeToString(unique[:]) + ".eml"
	head := outboxFrom + ": <" + from + ">\r\n" + outboxTo + ": <" + to + ">\r\n"
	if err := writeFile(dir, name, []byte(head), message); err != nil {
		return "", fmt.Errorf("store message %s: %w", name, err)
	}
	return name, nil
}

// writeFile writes a file under another name first.
func writeFile(dir, name string, pieces ...[]byte) (err error) {
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	for _, p := range pieces {
		if _, err := f.Write(p); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ReadFolder lists the newest messages of a folder, newest first, at most limit. A folder
// that does not exist is empty; a broken file is listed with its problem.
func ReadFolder(dir string, limit int) ([]Entry, error) {
	files, err := os.ReadDir(dir) // sorted by name, so by time
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	list := []Entry{}
	for i := len(files) - 1; i >= 0 && len(list) < limit; i-- {
		name := files[i].Name()
		if !isStoredName(name) {
			continue
		}
		data, err := readUpTo(dir, name, maxHeader)
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			continue
		}
		if end := bytes.Index(data, []byte("\r\n\r\n")); end >= 0 {
			data = data[:end+4]
		}
		s := parseStored(name, data, err)
		list = append(list, s.Entry)
	}
	return list, nil
}

// ReadStored reads one message of a folder. The error is NotFound for a name that is none
// of a message in it. Of a message over 10 MB only the beginning is read; Problem says so,
// as it says what else is wrong.
func ReadStored(dir, name string) (*Stored, error) {
	missing := newsletter.NotFoundf("there is no message %q in the outbox", name)
	if !isStoredName(name) {
		return nil, missing
	}
	data, err := readUpTo(dir, name, maxStored+1)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing
	}
	tooBig := len(data) > maxStored
	s := parseStored(name, data[:min(len(data), maxStored)], err)
	if tooBig {
		s.Problem = "over 10 MB: only the beginning is shown"
	} else {
		s.parseBody()
	}
	return s, nil
}

// isStoredName reports whether a file of this name can be a message. It has no separators,
// so it cannot lead out of the folder.
func isStoredName(name string) bool {
	if len(name) > 120 || !strings.HasSuffix(name, ".eml") || name[0] == '.' {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c != '.' && c != '-' && c != '_' && !('0' <= c && c <= '9') && !('a' <= c|0x20 && c|0x20 <= 'z') {
			return false
		}
	}
	return true
}

// readUpTo reads the beginning of a file in the folder; links out of it are not followed.
func readUpTo(dir, name string, limit int64) ([]byte, error) {
	f, err := os.OpenInRoot(dir, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errors.New("not a file"), err)
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// parseStored reads the header of a stored message; what is wrong goes to Problem.
func parseStored(name string, data []byte, err error) *Stored {
	s := &Stored{Entry: Entry{Name: name}, Raw: data}
	if err != nil {
		s.Problem = err.Error()
		return s
	}
	s.From, s.Raw = cutField(s.Raw, outboxFrom)
	s.To, s.Raw = cutField(s.Raw, outboxTo)
	entity, err := message.Read(bytes.NewReader(s.Raw))
	if entity == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		s.Problem = fmt.Sprintf("not a message: %v", err)
		return s
	}
	header := gomessage.Header{Header: entity.Header}
	for fields := header.Fields(); fields.Next(); {
		value, err := fields.Text()
		if err != nil {
			value = fields.Value()
		}
		s.Headers = append(s.Headers, Header{fields.Key(), strings.ToValidUTF8(value, "\ufffd")})
		switch {
		case strings.EqualFold(fields.Key(), "Subject"):
			s.Subject = strings.ToValidUTF8(value, "\ufffd")
		case strings.EqualFold(fields.Key(), "List-Unsubscribe"):
			s.UnsubscribeURL = httpLink(value)
		case strings.EqualFold(fields.Key(), "List-Unsubscribe-Post"):
			s.OneClick = strings.EqualFold(strings.TrimSpace(value), "List-Unsubscribe=One-Click")
		}
	}
	s.Date, err = header.Date()
	if err != nil || s.Date.IsZero() {
		s.Problem = "the Date field is missing or cannot be read"
	}
	return s
}

// cutField takes the field, in angle brackets, off the beginning of the message.
func cutField(data []byte, name string) (value string, rest []byte) {
	after, ok := bytes.CutPrefix(data, []byte(name+": <"))
	if !ok {
		return "", data
	}
	v, rest, ok := bytes.Cut(after, []byte(">\r\n"))
	if !ok {
		return "", data
	}
	return strings.ToValidUTF8(string(v), "\ufffd"), rest
}

// httpLink returns the first http(s) link of a List-Unsubscribe field (RFC 2369 §2).
func httpLink(value string) string {
	for part := range strings.SplitSeq(value, "<") {
		if link, _, ok := strings.Cut(part, ">"); ok && isLink(link) {
			return link
		}
	}
	return ""
}

// parseBody decodes the first text and the first HTML part.
func (s *Stored) parseBody() {
	if s.Problem != "" && s.Headers == nil {
		return
	}
	reader, err := gomessage.CreateReader(bytes.NewReader(s.Raw))
	if reader == nil {
		s.Problem = fmt.Sprintf("the body cannot be read: %v", err)
		return
	}
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if part == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
			s.Problem = fmt.Sprintf("the body cannot be read: %v", err)
			return
		}
		inline, ok := part.Header.(*gomessage.InlineHeader)
		if !ok {
			continue
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			s.Problem = fmt.Sprintf("a part cannot be read: %v", err)
		}
		text := strings.ToValidUTF8(string(body), "\ufffd")
		switch kind, _, _ := inline.ContentType(); {
		case kind == "text/html" && s.HTML == "":
			s.HTML = text
		case (kind == "text/plain" || kind == "") && s.Text == "":
			s.Text = text
		}
	}
}
