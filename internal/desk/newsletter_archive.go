package desk

import (
	"strings"

	"broadsheet/internal/newsletter"
)

// applyArchive changes how past editions are shown, notes in c what cannot be, and returns which
// fields changed.
func (e NewsletterEdit) applyArchive(n *newsletter.Newsletter, c *checks) []string {
	var changed []string
	if e.Archive != nil {
		mode, err := newsletter.ParseArchiveMode(strings.TrimSpace(*e.Archive))
		c.take("archive", err)
		if err == nil && mode != newsletter.OrArchiveMode(n.Archive.Mode) {
			n.Archive.Mode = mode
			changed = append(changed, "archive")
		}
	}
	if e.ArchiveCanonical != nil && strings.TrimSpace(*e.ArchiveCanonical) != n.Archive.Canonical {
		n.Archive.Canonical = strings.TrimSpace(*e.ArchiveCanonical)
		changed = append(changed, "archive_canonical")
	}
	return changed
}

// archive checks where editions are at home.
func (c *checks) archive(r newsletter.ArchiveRule) {
	_, err := newsletter.ParseArchiveMode(string(r.Mode))
	c.take("archive", err)
	if r.Canonical == "" {
		return
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.Canonical, "https://"), "http://"), "/")
	switch {
	case !strings.Contains(r.Canonical, newsletter.CanonicalEdition):
		c.wrong("archive_canonical", "%q is one address for all editions; write %s where each one's number stands, such as https://www.example.org/news/%s", r.Canonical, newsletter.CanonicalEdition, newsletter.CanonicalEdition)
	case strings.Contains(host, newsletter.CanonicalEdition):
		c.wrong("archive_canonical", "%q has %s in the name of the site; it belongs behind it", r.Canonical, newsletter.CanonicalEdition)
	default:
		c.webURL("archive_canonical", r.EditionAt(1, ""))
	}
}
