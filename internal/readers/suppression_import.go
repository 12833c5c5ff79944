package readers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"broadsheet/internal/newsletter"
)

// SuppressionImport says how a file of suppressions is taken.
type SuppressionImport struct {
	Reason string            // of lines that name none; empty: staff
	Origin newsletter.Origin // Actor, and the Note of lines that have none
	// Progress is told after each chunk how many lines are done; may be nil.
	Progress func(done int)
	// Reject is told each rejected line with its number in the file, its text, capped, and
	// why, in the order of the file. An error from it stops the import. May be nil.
	Reject func(line int, text, why string) error
}

// ImportSuppressions reads addresses, domains ("@example.org") and hashes that an export has,
// and suppresses them. The file is CSV whose first line names the columns (email, domain or
// hash; perhaps reason, note, created_at, key), or a plain list, one address or domain a line.
// It streams, and what it has counted is committed, also when it returns an error. Taking the
// same file again changes nothing, and no import lifts a suppression or weakens one.
func (s *Service) ImportSuppressions(ctx context.Context, r io.Reader, o SuppressionImport) (Imported, error) {
	im, err := s.newSuppressionImport(r, o)
	if err != nil {
		return Imported{}, err
	}
	for {
		more, err := im.readChunk()
		if err == nil {
			err = im.writeChunk(ctx)
		}
		if err != nil || !more {
			return im.result, err
		}
	}
}

// suppressionImporter is one file of suppressions on its way.
type suppressionImporter struct {
	s           *Service
	o           SuppressionImport
	origin      newsletter.Origin
	records     *recordReader
	fields      *fieldReader // nil: a plain list
	columns     suppressionColumns
	fingerprint string // of the key under which hashes are kept here
	now         time.Time

	first  []record // read while looking for a header, and not used
	chunk  []suppressionLine
	result Imported
}

// suppressionLine is a line of the chunk: what is to be entered, or why it is rejected.
type suppressionLine struct {
	number int
	text   string
	entry  newsletter.Suppression
	why    string
}

// KeyFingerprint tells whether hashes of suppressions were made here: an export has it.
func (s *Service) KeyFingerprint() string { return hex.EncodeToString(s.o.Suppression.Fingerprint()) }

func (s *Service) newSuppressionImport(r io.Reader, o SuppressionImport) (*suppressionImporter, error) {
	if o.Reason != "" {
		if _, err := newsletter.ParseSuppressionReason(o.Reason); err != nil {
			return nil, err
		}
	}
	im := &suppressionImporter{
		s: s, o: o, origin: cleanOrigin(o.Origin), records: newRecordReader(r), fingerprint: s.KeyFingerprint(), now: s.o.Now(),
	}
	if err := im.readHeader(); err != nil {
		return nil, err
	}
	return im, nil
}

// readHeader finds out from the first line whether there are columns.
func (im *suppressionImporter) readHeader() error {
	first, err := im.records.next()
	switch {
	case errors.Is(err, io.EOF):
		return newsletter.Invalidf("file", "the file is empty; it is a list of addresses, one a line, or CSV whose first line names the columns, such as email,reason")
	case err != nil:
		return fmt.Errorf("read the file: %w", err)
	case first.bad != "":
		return newsletter.Invalidf("file", "line %d: %s", first.line, first.bad)
	}
	first.text = strings.TrimPrefix(first.text, "\ufeff")
	if !utf8.ValidString(first.text) || strings.ContainsRune(first.text, 0) {
		return newsletter.Invalidf("file", "the file is not UTF-8; save it as \"CSV UTF-8\"")
	}
	if strings.Contains(first.text, "@") { // no column has such a name
		im.first = append(im.first, first)
		return nil
	}
	im.fields = newFieldReader(separator(first.text))
	im.records.fields = im.fields
	names, err := im.fields.fields(first.text)
	if err != nil {
		return newsletter.Invalidf("file", "line %d: %v", first.line, err)
	}
	im.columns, im.result.Ignored, err = suppressionColumnsOf(names)
	return err
}

func (im *suppressionImporter) next() (record, error) {
	if len(im.first) > 0 {
		first := im.first[0]
		im.first = nil
		return first, nil
	}
	return im.records.next()
}

// readChunk reads the next lines; more is false at the end of the file.
func (im *suppressionImporter) readChunk() (more bool, err error) {
	im.chunk = im.chunk[:0]
	for len(im.chunk) < importChunk {
		rec, err := im.next()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read the file after line %d: %w", im.records.line, err)
		}
		l := suppressionLine{number: rec.line, text: rec.text, why: rec.bad}
		if l.why == "" {
			if l.entry, err = im.parse(rec.text); err != nil {
				var p problems
				p.addError("line", err)
				l.why = p[0].Message
			}
		}
		im.chunk = append(im.chunk, l)
	}
	return true, nil
}

// parse returns what a record asks for.
func (im *suppressionImporter) parse(text string) (newsletter.Suppression, error) {
	if !utf8.ValidString(text) {
		return newsletter.Suppression{}, errors.New("the line is not UTF-8")
	}
	if im.fields == nil {
		t, err := im.s.parseTarget(text)
		if err != nil {
			return newsletter.Suppression{}, err
		}
		return im.complete(t, "", "", "")
	}
	fields, err := im.fields.fields(text)
	if err != nil {
		return newsletter.Suppression{}, err
	}
	c := im.columns
	t, err := im.targetOf(fields)
	if err != nil {
		return newsletter.Suppression{}, err
	}
	return im.complete(t, c.get(fields, c.reason), c.get(fields, c.note), c.get(fields, c.created))
}

// targetOf returns what a line names. A domain is taken by its name, and so is an address: a
// hash helps only where there is none.
func (im *suppressionImporter) targetOf(fields []string) (target, error) {
	c := im.columns
	if domain := c.get(fields, c.domain); domain != "" {
		return im.s.parseTarget("@" + strings.TrimPrefix(domain, "@"))
	}
	if email := c.get(fields, c.email); email != "" || c.get(fields, c.hash) == "" {
		return im.s.parseTarget(email)
	}
	if key := c.get(fields, c.key); key != im.fingerprint {
		return target{}, fmt.Errorf("this hash was made under another key (%.20q, here it is %s): it would match nobody", key, im.fingerprint)
	}
	hash, err := hex.DecodeString(c.get(fields, c.hash))
	if err != nil || len(hash) != sha256.Size {
		return target{}, errors.New("this is not a hash as an export has it")
	}
	return target{hash: hash}, nil
}

// complete adds reason, note and time, the file's or those of all lines.
func (im *suppressionImporter) complete(t target, reason, note, created string) (newsletter.Suppression, error) {
	if reason == "" && t.domain == "" { // a whole domain is always suppressed by staff
		reason = im.o.Reason
	}
	one, err := newSuppression(t, strings.ToLower(reason))
	if err != nil {
		return one, err
	}
	if note == "" {
		note = im.origin.Note
	}
	one.Note, one.Actor = cut(oneLine(note), maxNote), im.origin.Actor
	if created != "" {
		if one.CreatedAt, err = parseCreated(created); err != nil {
			return one, err
		}
		if one.CreatedAt.After(im.now) {
			one.CreatedAt = im.now
		}
	}
	return one, nil
}

// parseCreated reads a time or a date as they stand in JSON.
func parseCreated(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 1970 {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is not a time such as 2026-11-23T10:00:00Z or 2026-11-23", text)
}

// writeChunk enters what the chunk asks for and tells which lines were rejected.
func (im *suppressionImporter) writeChunk(ctx context.Context) error {
	entries := make([]newsletter.Suppression, 0, len(im.chunk))
	for _, l := range im.chunk {
		if l.why == "" {
			entries = append(entries, l.entry)
		}
	}
	if len(entries) > 0 {
		changed, err := im.s.store.Suppress(ctx, entries, im.s.o.Now())
		if err != nil {
			return err
		}
		for _, added := range changed {
			if added {
				im.result.Added++
			} else {
				im.result.Already++
			}
		}
	}
	// All of the chunk is counted first: it is committed, whatever Reject says.
	im.result.Rows += len(im.chunk)
	im.result.Rejected += len(im.chunk) - len(entries)
	for _, l := range im.chunk {
		if l.why == "" || im.o.Reject == nil {
			continue
		}
		if err := im.o.Reject(l.number, cut(l.text, maxRejected), l.why); err != nil {
			return err
		}
	}
	if im.o.Progress != nil {
		im.o.Progress(im.result.Rows)
	}
	return nil
}

// suppressionColumns are the places of what a file of suppressions may have; -1: not there.
type suppressionColumns struct {
	email, domain, hash, key, reason, note, created int
}

// suppressionColumnsOf finds the columns by the names in a header, in any order and case, and
// returns the names that it does not know. The error is Invalid if none says whom.
func suppressionColumnsOf(names []string) (c suppressionColumns, ignored []string, err error) {
	c = suppressionColumns{-1, -1, -1, -1, -1, -1, -1}
	if ignored, err = findColumns(names, c.place); err != nil {
		return c, nil, err
	}
	if c.email < 0 && c.domain < 0 && c.hash < 0 {
		return c, nil, newsletter.Invalidf("file", "there is no column \"email\", \"domain\" or \"hash\"; the first line names the columns, such as email,reason, or the file is a plain list of addresses")
	}
	return c, ignored, nil
}

// place returns which column a name means; nil: none.
func (c *suppressionColumns) place(name string) *int {
	switch columnWord(name) {
	case "email", "emailaddress", "address":
		return &c.email
	case "domain":
		return &c.domain
	case "hash":
		return &c.hash
	case "key":
		return &c.key
	case "reason":
		return &c.reason
	case "note":
		return &c.note
	case "createdat":
		return &c.created
	}
	return nil
}

// get returns a field; a record may have fewer than the header.
func (suppressionColumns) get(fields []string, i int) string { return columns{}.get(fields, i) }
