package mail

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// signedFields are the fields that a signature covers, where a message has them, beside all
// whose name begins with List- (S14).
const signedFields = " from to subject date message-id mime-version content-type reply-to feedback-id "

// oversignedFields are named once more in h= than the message has them: another one, added on
// the way, breaks the signature (RFC 6376 §8.15).
const oversignedFields = "from to subject date reply-to content-type list-unsubscribe list-unsubscribe-post"

var (
	errNoColon = errors.New("a header field has no colon (RFC 5322 §2.2)")
	errNoFrom  = errors.New("a message without a From field cannot be signed (RFC 6376 §5.4)")
)

// signedHeader is what a signature says about a header.
type signedHeader struct {
	canonical []byte // the signed fields in their relaxed form, in the order of names
	tag       string // "h=…;", folded, to stand at the beginning of a line after a space
}

// newSignedHeader picks the fields to sign out of a header, which is lines that end in CRLF.
// Fields are signed in the order of the message; those of one name from the bottom up, as a
// verifier takes them (RFC 6376 §5.4.2).
func newSignedHeader(header []byte) (signedHeader, error) {
	fields, err := splitFields(header)
	if err != nil {
		return signedHeader{}, err
	}
	var h signedHeader
	byName := map[string][][]byte{}
	var names []string
	for _, field := range fields {
		name, _, _ := bytes.Cut(field, []byte(":"))
		key := fieldName(name)
		if strings.Contains(signedFields, " "+key+" ") || strings.HasPrefix(key, "list-") {
			names = append(names, key)
			byName[key] = append(byName[key], field)
		}
	}
	if !slices.Contains(names, "from") {
		return signedHeader{}, errNoFrom
	}
	for _, name := range names {
		same := byName[name]
		h.canonical = appendRelaxedField(h.canonical, same[len(same)-1])
		byName[name] = same[:len(same)-1]
	}
	h.tag = foldNames(append(names, strings.Fields(oversignedFields)...))
	return h, nil
}

// splitFields cuts a header into its fields, each with its folded lines.
func splitFields(header []byte) ([][]byte, error) {
	var fields [][]byte
	for len(header) > 0 {
		end := 0
		for {
			next := bytes.IndexByte(header[end:], '\n')
			if next < 0 {
				end = len(header)
				break
			}
			end += next + 1
			if end == len(header) || header[end] != ' ' && header[end] != '\t' {
				break
			}
		}
		if colon := bytes.IndexByte(header[:end], ':'); colon < 1 || bytes.IndexByte(header[:colon], '\n') >= 0 || header[0] == ' ' || header[0] == '\t' {
			return nil, errNoColon
		}
		fields, header = append(fields, header[:end]), header[end:]
	}
	return fields, nil
}

// foldNames writes the h= tag, folded after colons.
func foldNames(names []string) string {
	var b strings.Builder
	b.WriteString("h=")
	col := len(" h=")
	for i, name := range names {
		if i > 0 {
			b.WriteByte(':')
			col++
		}
		if col+len(name)+1 > wantLine {
			b.WriteString(crlf + " ")
			col = 1
		}
		b.WriteString(name)
		col += len(name)
	}
	b.WriteByte(';')
	return b.String()
}
