package readers

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// importChunk is how many lines are written in one transaction: few enough that sign-ups
// need not wait long for their turn.
const importChunk = 2000

// maxRejected is how much of a rejected line is told, in characters.
const maxRejected = 200

// ImportOptions say how a file of subscribers is taken.
type ImportOptions struct {
	Newsletter string            // slug
	Consent    string            // where the consent was given; compulsory
	Cadence    string            // of lines that name none; empty: the first that the newsletter offers
	Slot       string            // of lines that name neither cadence nor slot; empty: the first that the cadence has
	Origin     newsletter.Origin // of which Actor is kept
	// Progress is told after each chunk how many lines are done; may be nil.
	Progress func(done int)
	// Reject is told each rejected line with its number in the file, its text, capped, and
	// why, in the order of the file. An error from it stops the import. May be nil.
	Reject func(line int, text, why string) error
}

// Imported counts what became of a file's lines: Rows = Added + Already + Rejected.
type Imported struct {
	Rows     int
	Added    int
	Already  int // active before: they stay as they are
	Rejected int
	Ignored  []string // columns that are not known
}

// Import reads subscribers from CSV and makes them active. The first line names the columns:
// email, and perhaps name, cadence, slot, section and time_zone. It streams: memory does not grow
// with the file but for a few bytes a line, and what it has counted is committed, also when
// it returns an error. Taking the same file again adds nobody. Nobody who left or must not
// be mailed comes back by it (S26).
func (s *Service) Import(ctx context.Context, r io.Reader, o ImportOptions) (Imported, error) {
	im, err := s.newImport(ctx, r, o)
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

// importer is one file on its way.
type importer struct {
	s        *Service
	o        ImportOptions
	n        newsletter.Newsletter
	sections []newsletter.Section
	rhythm   rhythm
	origin   newsletter.Origin

	records *recordReader
	fields  *fieldReader
	columns columns
	hashes  func(emailKey string) newsletter.SuppressionHashes
	zones   map[string]string // what is wrong with a time zone, "" for nothing
	seed    maphash.Seed
	seen    map[uint64]struct{} // hashes of the addresses so far

	chunk  []line // read and not yet written
	result Imported
}

// line is a line of the chunk: a row to be written, or why it is rejected.
type line struct {
	number int
	text   string
	row    newsletter.ImportRow
	why    string
}

func (s *Service) newImport(ctx context.Context, r io.Reader, o ImportOptions) (*importer, error) {
	n, sections, err := s.Newsletter(ctx, o.Newsletter)
	if err != nil {
		return nil, err
	}
	if n.Status == newsletter.Closed {
		return nil, newsletter.Conflictf("%s has been closed: it takes no new readers", n.Slug)
	}
	var p problems
	origin := cleanOrigin(newsletter.Origin{Channel: "import", Actor: o.Origin.Actor, Note: o.Consent})
	if origin.Note == "" {
		p.add("consent", "say where these people agreed to get the newsletter, such as \"check-out of the shop, 2024 to 2026\"")
	}
	usual := rhythmsOf([]newsletter.Newsletter{n}, o.Cadence, o.Slot, &p)[0]
	if err := p.err(); err != nil {
		return nil, err
	}
	im := &importer{
		s: s, o: o, n: n, sections: sections, rhythm: usual, origin: origin,
		records: newRecordReader(r), hashes: s.o.Suppression.Hasher(), zones: map[string]string{},
		seed: maphash.MakeSeed(), seen: map[uint64]struct{}{},
	}
	if err := im.readHeader(); err != nil {
		return nil, err
	}
	return im, nil
}

func (im *importer) readHeader() error {
	header, err := im.records.next()
	switch {
	case errors.Is(err, io.EOF):
		return newsletter.Invalidf("file", "the file is empty; its first line names the columns, such as email,name")
	case err != nil:
		return fmt.Errorf("read the file: %w", err)
	case header.bad != "":
		return newsletter.Invalidf("file", "line %d: %s; the first line names the columns, such as email,name", header.line, header.bad)
	}
	text := strings.TrimPrefix(header.text, "\ufeff")
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return newsletter.Invalidf("file", "the file is not UTF-8; save it as \"CSV UTF-8\"")
	}
	im.fields = newFieldReader(separator(text))
	im.records.fields = im.fields
	names, err := im.fields.fields(text)
	if err != nil {
		return newsletter.Invalidf("file", "line %d: %v", header.line, err)
	}
	im.columns, im.result.Ignored, err = columnsOf(names)
	return err
}

// readChunk reads the next lines; more is false at the end of the file.
func (im *importer) readChunk() (more bool, err error) {
	im.chunk = im.chunk[:0]
	for len(im.chunk) < importChunk {
		rec, err := im.records.next()
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read the file after line %d: %w", im.records.line, err)
		}
		l := line{number: rec.line, text: rec.text, why: rec.bad}
		if l.why == "" {
			l.row, l.why = im.parse(rec.text)
		}
		im.chunk = append(im.chunk, l)
	}
	return true, nil
}

// parse returns the row that a record means, or why it is rejected.
func (im *importer) parse(text string) (row newsletter.ImportRow, why string) {
	if !utf8.ValidString(text) {
		return row, "the line is not UTF-8"
	}
	fields, err := im.fields.fields(text)
	if err != nil {
		return row, err.Error()
	}
	c := im.columns
	email, key, err := mail.ParseAddress(c.get(fields, c.email))
	if err != nil {
		var p problems
		p.addError("email", err)
		return row, p[0].Message
	}
	hash := maphash.String(im.seed, key)
	if _, ok := im.seen[hash]; ok {
		return row, "this address is in the file already, further up"
	}
	row = newsletter.ImportRow{Email: email, EmailKey: key, Cadence: im.rhythm.cadence, Slot: im.rhythm.slot, TimeZone: c.get(fields, c.zone)}
	if row.Name, why = cleanName(c.name(fields)); why != "" {
		return row, why
	}
	if why = im.checkZone(row.TimeZone); why != "" {
		return row, why
	}
	if why = im.setRhythm(&row, c.get(fields, c.cadence), c.get(fields, c.slot)); why != "" {
		return row, why
	}
	if row.Sections, why = im.mask(c.get(fields, c.section)); why != "" {
		return row, why
	}
	row.Suppression = im.hashes(key)
	im.seen[hash] = struct{}{} // only now: of two lines, a broken first one does not shut out the second
	return row, ""
}

// setRhythm sets the cadence and slot that a line names; it returns why it cannot.
func (im *importer) setRhythm(row *newsletter.ImportRow, cadence, slot string) (why string) {
	a := askedFor(strings.ToLower(cadence), strings.ToLower(slot))
	if a == (asked{}) {
		return ""
	}
	if a.cadence == "" {
		a.cadence = string(row.Cadence)
	}
	r, ok := a.in(im.n)
	switch {
	case ok:
		row.Cadence, row.Slot = r.cadence, r.slot
		return ""
	case !im.n.Offers(newsletter.Cadence(a.cadence)):
		return fmt.Sprintf("%s does not come %.20q", im.n.Slug, cadence)
	}
	return fmt.Sprintf("%s has no %s slot %.30q", im.n.Slug, a.cadence, a.slot)
}

// checkZone remembers, as looking up a zone reads a file. The number of answers that are
// kept is bounded.
func (im *importer) checkZone(zone string) (wrong string) {
	if zone == "" {
		return ""
	}
	wrong, ok := im.zones[zone]
	if !ok {
		if len(im.zones) > 1000 {
			clear(im.zones)
		}
		wrong = checkZone(zone)
		im.zones[strings.Clone(zone)] = wrong
	}
	return wrong
}

// mask returns the sections that a cell names, by slug or name, separated by | or ; or a
// comma.
func (im *importer) mask(cell string) (mask newsletter.Mask, why string) {
	if cell == "" {
		return 0, ""
	}
	var slugs []string
	for word := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r == '|' || r == ';' || r == ',' }) {
		word = strings.TrimSpace(word)
		if word == "" {
			continue
		}
		i := slices.IndexFunc(im.sections, func(s newsletter.Section) bool {
			return strings.EqualFold(s.Slug, word) || strings.EqualFold(s.Name, word)
		})
		if i < 0 {
			return 0, fmt.Sprintf("there is no section %.60q", word)
		}
		slugs = append(slugs, im.sections[i].Slug)
	}
	return maskOf(im.sections, slugs, map[string]bool{}), ""
}

// writeChunk writes the rows of the chunk and tells which lines were rejected.
func (im *importer) writeChunk(ctx context.Context) error {
	rows := make([]newsletter.ImportRow, 0, len(im.chunk))
	for _, l := range im.chunk {
		if l.why == "" {
			rows = append(rows, l.row)
		}
	}
	var verdicts []newsletter.ImportVerdict
	if len(rows) > 0 {
		var err error
		verdicts, err = im.s.store.ImportChunk(ctx, newsletter.ImportChunk{NewsletterID: im.n.ID, Rows: rows, Origin: im.origin}, im.s.o.Now())
		if err != nil {
			return err
		}
	}
	// Count all of the chunk first: it is committed, whatever Reject says.
	next := 0
	for i := range im.chunk {
		l := &im.chunk[i]
		if l.why == "" {
			l.why = im.count(verdicts[next])
			next++
		}
		im.result.Rows++
		if l.why != "" {
			im.result.Rejected++
		}
	}
	if im.o.Progress != nil {
		im.o.Progress(im.result.Rows)
	}
	if im.o.Reject == nil {
		return nil
	}
	for _, l := range im.chunk {
		if l.why != "" {
			if err := im.o.Reject(l.number, cut(oneLine(l.text), maxRejected), l.why); err != nil {
				return fmt.Errorf("report line %d: %w", l.number, err)
			}
		}
	}
	return nil
}

// count adds a verdict to the result and returns why the line is rejected, if it is.
func (im *importer) count(v newsletter.ImportVerdict) (why string) {
	switch v {
	case newsletter.ImportAdded:
		im.result.Added++
	case newsletter.ImportAlready:
		im.result.Already++
	case newsletter.ImportLeft:
		return "this person left, and an import brings nobody back"
	case newsletter.ImportSuppressed:
		return "this address must not be mailed"
	}
	return ""
}
