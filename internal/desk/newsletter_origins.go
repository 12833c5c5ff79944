package desk

import (
	"slices"
	"strings"

	"broadsheet/internal/newsletter"
)

// applyOrigins sets the sites whose pages may have the newsletter's form. A single empty one is none.
func (e NewsletterEdit) applyOrigins(n *newsletter.Newsletter, c *checks) []string {
	if e.Origins == nil {
		return nil
	}
	list := []string{}
	for _, raw := range *e.Origins {
		if strings.TrimSpace(raw) == "" {
			continue
		}
		origin, err := newsletter.CheckOrigin(raw)
		if c.take("origin", err); err == nil && !slices.Contains(list, origin) {
			list = append(list, origin)
		}
	}
	if len(list) > newsletter.MaxOrigins {
		c.wrong("origin", "%d sites are too many; a newsletter can have at most %d", len(list), newsletter.MaxOrigins)
	}
	if slices.Equal(list, n.Origins) {
		return nil
	}
	n.Origins = list
	return []string{"origin"}
}
