package newsletter

// Design is how a newsletter's mails are laid out.
type Design string

// The designs.
const (
	DesignBrief     Design = "brief"     // headlines with summaries, small pictures
	DesignHeadlines Design = "headlines" // a list of headlines
	DesignPictures  Design = "pictures"  // a large picture for each story
)

// Designs returns all designs, the default first.
func Designs() []Design { return []Design{DesignBrief, DesignHeadlines, DesignPictures} }

// ParseDesign returns the design of that name; empty is the default.
func ParseDesign(s string) (Design, error) {
	switch d := OrDesign(Design(s)); d {
	case DesignBrief, DesignHeadlines, DesignPictures:
		return d, nil
	}
	return "", Invalidf("design", "%q is not a design; use brief, headlines or pictures", s)
}

// OrDesign returns the design, or the default if it is empty.
func OrDesign(d Design) Design {
	if d == "" {
		return DesignBrief
	}
	return d
}

// Typeface is the kind of letters of a newsletter's headlines.
type Typeface string

// The typefaces. Readers' devices have them: mails load none.
const (
	Serif Typeface = "serif"
	Sans  Typeface = "sans"
)

// ParseTypeface returns the typeface of that name; empty is the default.
func ParseTypeface(s string) (Typeface, error) {
	switch t := OrTypeface(Typeface(s)); t {
	case Serif, Sans:
		return t, nil
	}
	return "", Invalidf("typeface", "%q is not a typeface; use serif or sans", s)
}

// OrTypeface returns the typeface, or the default if it is empty.
func OrTypeface(t Typeface) Typeface {
	if t == "" {
		return Serif
	}
	return t
}
