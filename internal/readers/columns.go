package readers

import (
	"slices"
	"strings"

	"broadsheet/internal/newsletter"
)

// columns are the places of what an import knows in the records of a file; -1: not there.
type columns struct {
	email, full, first, last, cadence, slot, section, zone int
}

// columnsOf finds the columns by the names in a header, in any order and case, and returns
// the names that it does not know. The error is Invalid if there is no column for addresses.
func columnsOf(names []string) (c columns, ignored []string, err error) {
	c = columns{-1, -1, -1, -1, -1, -1, -1, -1}
	if ignored, err = findColumns(names, c.place); err != nil {
		return c, nil, err
	}
	if c.email < 0 {
		return c, nil, newsletter.Invalidf("file", "there is no column \"email\"; the first line names the columns, such as email,name")
	}
	return c, ignored, nil
}

// findColumns notes where each column of a header is, at the place that its name stands for,
// and returns the names that stand for none, sorted.
func findColumns(names []string, place func(name string) *int) (ignored []string, err error) {
	for i, name := range names {
		at := place(name)
		switch {
		case at == nil:
			if name = cut(oneLine(name), maxName); name != "" {
				ignored = append(ignored, name)
			}
		case *at >= 0:
			return nil, newsletter.Invalidf("file", "two columns are named %.40q", oneLine(name))
		default:
			*at = i
		}
	}
	slices.Sort(ignored)
	return ignored, nil
}

// place returns which column a name means; nil: none.
func (c *columns) place(name string) *int {
	switch columnWord(name) {
	case "email", "emailaddress":
		return &c.email
	case "name", "fullname":
		return &c.full
	case "firstname":
		return &c.first
	case "lastname":
		return &c.last
	case "cadence":
		return &c.cadence
	case "slot":
		return &c.slot
	case "section", "sections":
		return &c.section
	case "timezone":
		return &c.zone
	}
	return nil
}

// columnWord returns the name of a column as it is compared.
func columnWord(name string) string {
	return strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(oneLine(name)))
}

// get returns a field; a record may have fewer than the header.
func (columns) get(fields []string, i int) string {
	if i < 0 || i >= len(fields) {
		return ""
	}
	return strings.TrimSpace(fields[i])
}

// name returns a person's name from one column or from two.
func (c columns) name(fields []string) string {
	if full := c.get(fields, c.full); full != "" {
		return full
	}
	return strings.TrimSpace(c.get(fields, c.first) + " " + c.get(fields, c.last))
}
