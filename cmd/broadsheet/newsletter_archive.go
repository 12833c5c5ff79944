package main

import (
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

// archiveFlags adds the flags for how past editions are shown.
func archiveFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("archive", "", "who finds past editions: index (everybody, and search engines), noindex (everybody) or off (there is none) (default index)")
	f.String("archive-canonical", "", "where editions are at home, if not in the archive: https://www.example.org/news/{edition}")
}

// archiveOf returns in a few words how the newsletter shows its past editions.
func archiveOf(n newsletter.Newsletter) string {
	words := string(newsletter.OrArchiveMode(n.Archive.Mode))
	if n.Archive.Canonical != "" {
		words += ", editions are at home at " + n.Archive.Canonical
	}
	return words
}
