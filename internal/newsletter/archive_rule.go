package newsletter

import (
	"strconv"
	"strings"
)

// ArchiveMode is who finds a newsletter's past editions.
type ArchiveMode string

// The modes of an archive. They are stored.
const (
	ArchiveIndex   ArchiveMode = "index"   // everybody, and search engines
	ArchiveNoIndex ArchiveMode = "noindex" // everybody; search engines are asked to leave it out
	ArchiveOff     ArchiveMode = "off"     // nobody: there is none
)

// CanonicalEdition stands for the edition's number in the address of ArchiveRule.
const CanonicalEdition = "{edition}"

// ArchiveRule is how a newsletter shows its past editions. It is about pages, not about mails: a
// change counts for all editions at once.
type ArchiveRule struct {
	Mode      ArchiveMode // empty: ArchiveIndex
	Canonical string      // where editions are at home, with CanonicalEdition in it; empty: in the archive
}

// ParseArchiveMode returns the mode of that name; empty is the default.
func ParseArchiveMode(s string) (ArchiveMode, error) {
	switch m := OrArchiveMode(ArchiveMode(s)); m {
	case ArchiveIndex, ArchiveNoIndex, ArchiveOff:
		return m, nil
	}
	return "", Invalidf("archive", "%q is not a choice; use index, noindex or off", s)
}

// OrArchiveMode returns the mode, or the default if it is empty.
func OrArchiveMode(m ArchiveMode) ArchiveMode {
	if m == "" {
		return ArchiveIndex
	}
	return m
}

// Off reports whether there is no archive.
func (r ArchiveRule) Off() bool { return r.Mode == ArchiveOff }

// Robots returns what search engines are told about the pages; empty: nothing.
func (r ArchiveRule) Robots() string {
	if OrArchiveMode(r.Mode) == ArchiveIndex {
		return ""
	}
	return "noindex"
}

// EditionAt returns where the edition is at home, or own if that is in the archive.
func (r ArchiveRule) EditionAt(id int64, own string) string {
	if r.Canonical == "" {
		return own
	}
	return strings.ReplaceAll(r.Canonical, CanonicalEdition, strconv.FormatInt(id, 10))
}
