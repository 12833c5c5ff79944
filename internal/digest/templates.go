package digest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
)

// Templates are the sources of the mail templates by file name: "brief.html", "brief.txt",
// "digest.subject" … They are part of a snapshot, so that a frozen edition renders the same
// after an upgrade.
type Templates map[string]string

// Hash identifies the templates: any changed name or byte changes it.
func (t Templates) Hash() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(t)) {
		for _, s := range []string{name, t[name]} {
			var size [8]byte
			binary.BigEndian.PutUint64(size[:], uint64(len(s)))
			h.Write(size[:])
			h.Write([]byte(s))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
