package feed

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// The bounds of an XML document. They are far beyond any real feed. Without them a few
// megabytes of nested elements overflow the stack of a recursive parser, which ends the
// process and cannot be recovered from, and a few megabytes of empty elements or name
// spaces become gigabytes of maps.
const (
	maxDepth      = 200
	maxElements   = 300_000
	maxEntries    = 50_000
	maxNamespaces = 64      // in scope at one place
	maxBindings   = 4 << 20 // the sum of those over all elements: gofeed copies them for each
	maxStray      = 10_000  // characters < that begin no tag
	maxTag        = 64 << 10
)

// repairer copies an XML document and mends what a parser of XML stumbles over and an
// editor of feeds does not notice.
type repairer struct {
	in, out  []byte
	open     []openElement
	elements int
	entries  int
	bindings int
	stray    int
	done     bool // the root element was closed
}

type openElement struct {
	name       []byte
	namespaces int // declared here and further out
}

// repairXML returns doc, which is valid UTF-8 and begins at its root element, such that an
// XML parser can read it if at all possible:
//   - characters that XML forbids are gone, as bytes and as references (XML 1.0 §2.2), and
//     references to the two halves of a character are that character;
//   - a < that begins no tag, and ]]> in a text, are escaped;
//   - comments, processing instructions and whatever follows the root element are gone.
//
// It fails if the document is larger than the bounds above, never for being malformed: that
// is for the parser to say.
func repairXML(doc []byte) ([]byte, error) {
	r := &repairer{in: doc, out: make([]byte, 0, len(doc)+len(doc)/16)}
	for i := 0; i < len(r.in) && !r.done; {
		next, err := r.step(i)
		if err != nil {
			return nil, err
		}
		i = next
	}
	return r.out, nil
}

// step handles what stands at i and returns where to go on.
func (r *repairer) step(i int) (int, error) {
	rest := r.in[i:]
	switch {
	case rest[0] == '<':
		return r.markup(i)
	case rest[0] == '&':
		return r.reference(i), nil
	case bytes.HasPrefix(rest, []byte("]]>")):
		r.out = append(r.out, "]]&gt;"...)
		return i + 3, nil
	}
	return r.char(i), nil
}

// char copies one byte of text, or leaves out what XML has no character for.
func (r *repairer) char(i int) int {
	c := r.in[i]
	if c < 0x20 && c != '\t' && c != '\n' && c != '\r' {
		return i + 1
	}
	if c == 0xef && (bytes.HasPrefix(r.in[i:], []byte("\uFFFE")) || bytes.HasPrefix(r.in[i:], []byte("\uFFFF"))) {
		return i + 3
	}
	r.out = append(r.out, c)
	return i + 1
}

func (r *repairer) markup(i int) (int, error) {
	rest := r.in[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		end := bytes.Index(rest, []byte("]]>"))
		if end < 0 {
			end = len(rest) - 3 // the parser will say that it never ends
		}
		for j := i; j < i+end+3; {
			j = r.char(j)
		}
		return i + end + 3, nil
	case bytes.HasPrefix(rest, []byte("<!--")):
		return r.skip(i, "-->"), nil
	case bytes.HasPrefix(rest, []byte("<?")):
		return r.skip(i, "?>"), nil
	case len(rest) > 1 && rest[1] == '/':
		return r.closing(i), nil
	case len(rest) > 1 && isNameStart(rest[1]):
		return r.opening(i)
	}
	return r.escape(i)
}

func (r *repairer) skip(i int, end string) int {
	n := bytes.Index(r.in[i:], []byte(end))
	if n < 0 {
		return len(r.in)
	}
	return i + n + len(end)
}

// escape makes a character of the < at i.
func (r *repairer) escape(i int) (int, error) {
	if r.stray++; r.stray > maxStray {
		return 0, &Error{Kind: KindMalformed, Detail: "it is not XML"}
	}
	r.out = append(r.out, "&lt;"...)
	return i + 1, nil
}

// opening copies a start tag and keeps count.
func (r *repairer) opening(i int) (int, error) {
	end := tagEnd(r.in, i)
	if end < 0 {
		return r.escape(i)
	}
	tag := r.in[i:end]
	name := tagName(tag[1:])
	if r.elements++; r.elements > maxElements {
		return 0, &Error{Kind: KindTooLarge, Detail: "more than " + strconv.Itoa(maxElements) + " elements"}
	}
	if local := localName(name); bytes.EqualFold(local, []byte("item")) || bytes.EqualFold(local, []byte("entry")) {
		if r.entries++; r.entries > maxEntries {
			return 0, &Error{Kind: KindTooLarge, Detail: "more than " + strconv.Itoa(maxEntries) + " items"}
		}
	}
	element := openElement{name: name, namespaces: bytes.Count(tag, []byte("xmlns"))}
	if n := len(r.open); n > 0 {
		element.namespaces += r.open[n-1].namespaces
	}
	r.bindings += element.namespaces
	if element.namespaces > maxNamespaces || r.bindings > maxBindings || len(r.open) >= maxDepth {
		return 0, &Error{Kind: KindTooLarge, Detail: "its structure is too deep"}
	}
	r.copyTag(i, end)
	if tag[len(tag)-2] == '/' {
		r.done = len(r.open) == 0
	} else {
		r.open = append(r.open, element)
	}
	return end, nil
}

// copyTag copies a start tag with the text of its attributes mended.
func (r *repairer) copyTag(i, end int) {
	r.out = append(r.out, '<')
	for i++; i < end; {
		switch r.in[i] {
		case '<':
			r.out = append(r.out, "&lt;"...)
			i++
		case '&':
			i = r.reference(i)
		default:
			i = r.char(i)
		}
	}
}

// closing copies an end tag. It closes what was left open inside its element, as the parser
// does it.
func (r *repairer) closing(i int) int {
	end := bytes.IndexByte(r.in[i:], '>')
	if end < 0 {
		end = len(r.in) - i - 1
	}
	tag := r.in[i : i+end+1]
	name := tagName(tag[2:])
	for n := len(r.open); n > 0; n-- {
		same := bytes.Equal(r.open[n-1].name, name)
		r.open = r.open[:n-1]
		if same {
			break
		}
	}
	r.done = len(r.open) == 0
	for j := i; j < i+len(tag); {
		j = r.char(j)
	}
	return i + len(tag)
}

// reference copies what begins with the & at i, if it does not stand for a character that
// XML forbids.
func (r *repairer) reference(i int) int {
	code, length := numericReference(r.in[i:])
	switch {
	case length == 0: // a name, or no reference at all
		r.out = append(r.out, '&')
		return i + 1
	case code >= 0xd800 && code < 0xdc00: // the first half of a character in UTF-16
		low, more := numericReference(r.in[i+length:])
		if low >= 0xdc00 && low < 0xe000 {
			r.out = utf8.AppendRune(r.out, (code-0xd800)<<10+(low-0xdc00)+0x10000)
			return i + length + more
		}
	case code >= 0xdc00 && code < 0xe000, code > utf8.MaxRune, code == 0xfffe, code == 0xffff,
		code < 0x20 && code != '\t' && code != '\n' && code != '\r':
	default:
		r.out = append(r.out, r.in[i:i+length]...)
	}
	return i + length
}

// numericReference reads &#123; or &#x7b; at the start of s. A length of 0 means that there
// is none.
func numericReference(s []byte) (code rune, length int) {
	s = s[:min(len(s), 16)]
	if !bytes.HasPrefix(s, []byte("&#")) {
		return 0, 0
	}
	end := bytes.IndexByte(s, ';')
	if end < 0 {
		return 0, 0
	}
	digits, base := string(s[2:end]), 10
	if digits != "" && (digits[0] == 'x' || digits[0] == 'X') {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return 0, 0
	}
	return rune(min(n, utf8.MaxRune+1)), end + 1
}

// tagEnd returns the index after the > of the start tag at i, or -1 if it is none: a > in
// quotes does not end it, and a < outside of quotes cannot be in it.
func tagEnd(doc []byte, i int) int {
	var quote byte
	for j := i + 1; j < len(doc) && j < i+maxTag; j++ {
		switch c := doc[j]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && precededByEquals(doc[i:j]):
			quote = c
		case c == '>':
			return j + 1
		case c == '<':
			return -1
		}
	}
	return -1
}

// precededByEquals tells a quote that opens a value from one that stands in an unquoted one.
func precededByEquals(before []byte) bool {
	before = bytes.TrimRight(before, " \t\r\n")
	return len(before) > 0 && before[len(before)-1] == '='
}

func isNameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' || c >= utf8.RuneSelf
}

// tagName returns the name at the start of s, prefix included.
func tagName(s []byte) []byte {
	if end := bytes.IndexAny(s, " \t\r\n/>"); end >= 0 {
		return s[:end]
	}
	return s
}

func localName(name []byte) []byte {
	return name[bytes.IndexByte(name, ':')+1:]
}
