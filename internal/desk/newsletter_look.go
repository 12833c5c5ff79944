package desk

import (
	"strings"

	"broadsheet/internal/newsletter"
)

// look checks how the newsletter's mails are to look.
func (c *checks) look(n newsletter.Newsletter) {
	_, err := newsletter.ParseDesign(string(n.Design))
	c.take("design", err)
	_, err = newsletter.ParseTypeface(string(n.Typeface))
	c.take("typeface", err)
	if n.BrandColour != "" {
		_, err := newsletter.CheckBrandColour(n.BrandColour)
		c.take("brand_colour", err)
	}
	c.webURL("logo_url", n.LogoURL)
	c.webURL("site_url", n.SiteURL)
}

// applyLook changes how the newsletter's mails look, and returns which fields changed. A
// colour that cannot be read is noted in c with the nearest one that can.
func (e NewsletterEdit) applyLook(n *newsletter.Newsletter, c *checks) []string {
	var changed []string
	set := func(field string, value *string, to *string) {
		if value != nil && strings.TrimSpace(*value) != *to {
			*to = strings.TrimSpace(*value)
			changed = append(changed, field)
		}
	}
	set("site_url", e.SiteURL, &n.SiteURL)
	set("logo_url", e.LogoURL, &n.LogoURL)
	if e.Design != nil {
		design, err := newsletter.ParseDesign(strings.TrimSpace(*e.Design))
		c.take("design", err)
		if err == nil && design != n.Design {
			n.Design = design
			changed = append(changed, "design")
		}
	}
	if e.Typeface != nil {
		typeface, err := newsletter.ParseTypeface(strings.TrimSpace(*e.Typeface))
		c.take("typeface", err)
		if err == nil && typeface != n.Typeface {
			n.Typeface = typeface
			changed = append(changed, "typeface")
		}
	}
	if e.BrandColour != nil {
		brand := strings.TrimSpace(*e.BrandColour)
		if brand != "" {
			var err error
			if brand, err = newsletter.CheckBrandColour(brand); err != nil {
				c.take("brand_colour", err)
				return changed
			}
		}
		set("brand_colour", &brand, &n.BrandColour)
	}
	return changed
}
