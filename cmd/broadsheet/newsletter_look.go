package main

import (
	"strings"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

// lookFlags adds the flags for how a newsletter's mails look.
func lookFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("design", "", "how its mails are laid out: brief, headlines or pictures (default brief)")
	f.String("brand-colour", "", "colour of headings and links, such as #9b1c1f; it has to be readable on white")
	f.String("logo-url", "", "address of a picture that stands in the place of the name, 48 pixels high")
	f.String("typeface", "", "letters of the headlines: serif or sans (default serif)")
	f.String("site-url", "", "where readers find what an issue had no room for")
}

// lookOf returns in a few words how the newsletter's mails look.
func lookOf(n newsletter.Newsletter) string {
	colour := n.BrandColour
	if colour == "" {
		colour = newsletter.DefaultBrandColour
	}
	parts := []string{"design " + string(newsletter.OrDesign(n.Design)), colour, string(newsletter.OrTypeface(n.Typeface))}
	if n.LogoURL != "" {
		parts = append(parts, "logo "+n.LogoURL)
	}
	return strings.Join(parts, ", ")
}
