package bounce

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"regexp"
	"strings"

	"github.com/emersion/go-message/charset"
)

// MaxMessage is how many octets of a message are looked at.
const MaxMessage = 10 << 20

// The bounds of a message. What is beyond them is not looked at.
const (
	maxParts   = 500
	maxDepth   = 10
	maxText    = 64 << 10  // octets of a part that people read
	maxMachine = 256 << 10 // octets of a part that machines read
)

// message is a message taken apart.
type message struct {
	header   header
	parts    []part
	returned header // of the message that it is about; nil: it is not there
}

// part is a leaf of the tree of parts: a text, or what machines read.
type part struct {
	media  string // such as "text/plain", in lower case
	params map[string]string
	header header
	body   []byte // as it was sent; see decoded
	inside bool   // it belongs to the message that was returned
}

// parse takes a message apart. It changes the data.
func parse(data []byte) *message {
	data = unixLines(data)
	m := &message{}
	m.header, _ = splitHeader(data)
	m.entity(data, 0, false)
	return m
}

// unixLines removes the CR of every CRLF, in place.
func unixLines(data []byte) []byte {
	kept := data[:0]
	for i, c := range data {
		if c != '\r' || i+1 < len(data) && data[i+1] != '\n' {
			kept = append(kept, c)
		}
	}
	return kept
}

// entity takes apart a message or a part.
func (m *message) entity(data []byte, depth int, inside bool) {
	if depth > maxDepth || len(m.parts) >= maxParts {
		return
	}
	h, body := splitHeader(data)
	media, params := mediaType(h)
	p := part{media: media, params: params, header: h, body: body, inside: inside}
	switch {
	case strings.HasPrefix(media, "multipart/") && params["boundary"] != "":
		children := split(body, params["boundary"], maxParts-len(m.parts))
		if found := boundaryIn(body); len(children) == 0 && found != "" {
			children = split(body, found, maxParts-len(m.parts))
		}
		if len(children) == 0 { // it only says so
			p.media = "text/plain"
			m.parts = append(m.parts, p)
		}
		for _, child := range children {
			m.entity(child, depth+1, inside)
		}
	case media == "text/rfc822-headers", media == "message/rfc822-headers", media == "message/global-headers":
		m.take(p.decoded(maxMachine))
	case media == "message/rfc822", media == "message/global", media == "message/partial":
		if encoded(h) {
			body = p.decoded(maxMachine)
		}
		m.take(body)
		m.entity(body, depth+1, true)
	default:
		m.parts = append(m.parts, p)
	}
}

// take notes the header of the message that was returned; the first one counts.
func (m *message) take(data []byte) {
	if m.returned == nil {
		m.returned, _ = splitHeader(bytes.TrimLeft(data, "\n"))
	}
}

var boundaryParam = regexp.MustCompile(`(?i)boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))`)

// mediaType returns what the header calls its body, text/plain unless it says something.
func mediaType(h header) (media string, params map[string]string) {
	value := h.get("content-type")
	if value == "" {
		return "text/plain", nil
	}
	media, params, err := mime.ParseMediaType(value)
	if err == nil || err == mime.ErrInvalidMediaParameter && params["boundary"] != "" {
		return media, params
	}
	media, _, _ = strings.Cut(value, ";")
	params = map[string]string{}
	if found := boundaryParam.FindStringSubmatch(value); found != nil {
		params["boundary"] = found[1] + found[2]
	}
	if media = strings.ToLower(strings.TrimSpace(media)); !strings.Contains(media, "/") {
		media = "text/plain"
	}
	return media, params
}

// split returns the parts between the lines of a boundary, at most so many. The last one need
// not be ended.
func split(body []byte, boundary string, most int) [][]byte {
	var parts [][]byte
	begin, at := -1, 0
	mark := []byte("--" + boundary)
	for at < len(body) && len(parts) < most {
		line, rest := cutLine(body[at:])
		next := len(body) - len(rest)
		if bytes.HasPrefix(line, mark) {
			tail := string(bytes.TrimRight(line[len(mark):], " \t\r"))
			if tail == "" || tail == "--" {
				if begin >= 0 {
					parts = append(parts, body[begin:at])
				}
				if begin = next; tail == "--" {
					return parts
				}
			}
		}
		at = next
	}
	if begin >= 0 && begin < len(body) && len(parts) < most {
		parts = append(parts, body[begin:])
	}
	return parts
}

// boundaryIn returns the boundary that the lines of a body have; empty if they have none. Some
// systems name another one in the header.
func boundaryIn(body []byte) string {
	for rest := body; len(rest) > 0; {
		var row []byte
		row, rest = cutLine(rest)
		row = bytes.TrimRight(row, " \t")
		if len(row) < 8 || len(row) > 74 || !bytes.HasPrefix(row, []byte("--")) || !bytes.HasSuffix(row, []byte("--")) {
			continue
		}
		mark := row[:len(row)-2] // as the line that begins a part
		if at := bytes.Index(body, append(bytes.Clone(mark), '\n')); at == 0 || at > 0 && body[at-1] == '\n' {
			return string(mark[2:])
		}
		return ""
	}
	return ""
}

// encoded reports whether the body is in an encoding that has to be undone (RFC 2045 §6).
func encoded(h header) bool {
	e := strings.ToLower(h.get("content-transfer-encoding"))
	return e == "base64" || e == "quoted-printable"
}

// decoded returns the body without its encoding, at most so many octets.
func (p part) decoded(most int) []byte {
	var r io.Reader = bytes.NewReader(p.body)
	switch strings.ToLower(p.header.get("content-transfer-encoding")) {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	default:
		return p.body[:min(len(p.body), most)]
	}
	// What is broken ends at the break: what came before it is still of use.
	data, _ := io.ReadAll(io.LimitReader(r, int64(most)))
	return unixLines(data)
}

// text returns what people read in the part, in UTF-8.
func (p part) text() string {
	data := p.decoded(maxText)
	if name := p.params["charset"]; name != "" {
		if r, err := charset.Reader(name, bytes.NewReader(data)); err == nil {
			if all, err := io.ReadAll(io.LimitReader(r, maxText)); err == nil {
				data = all
			}
		}
	}
	text := strings.ToValidUTF8(string(data), "")
	if p.media == "text/html" {
		return plainText(text)
	}
	return text
}
