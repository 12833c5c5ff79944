package feed

import (
	"bytes"
	"mime"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// declaredEncoding finds the encoding of an XML declaration, even behind garbage.
var declaredEncoding = regexp.MustCompile(`(?i)<\?xml[^>]{0,200}?encoding\s*=\s*["']\s*([a-z0-9._:-]{1,40})`)

// toUTF8 returns the document in valid UTF-8, without a byte order mark.
//
// RFC 7303 gives the precedence as byte order mark, header, declaration. But servers and
// programs say one thing and send another, so what the bytes themselves show comes first:
// a text with many bytes over 127 that is valid UTF-8 is UTF-8, whatever is said about it.
func toUTF8(data []byte, contentType string) []byte {
	if text, ok := markedUnicode(data); ok {
		return text
	}
	sequences, wrong := utf8Evidence(data)
	if wrong == 0 && sequences > 0 {
		return data
	}
	for _, name := range []string{headerCharset(contentType), declaredCharset(data)} {
		if text, ok := tryCharset(data, name, sequences, wrong); ok {
			return text
		}
	}
	if wrong == 0 {
		return data
	}
	if sequences >= wrong { // UTF-8 with scars, as left by cutting texts at a byte
		return bytes.ToValidUTF8(data, []byte("\uFFFD"))
	}
	text, _ := charmap.Windows1252.NewDecoder().Bytes(data) // has a rune for every byte
	return text
}

// markedUnicode decodes what begins with a byte order mark, or is plainly UTF-16 without.
func markedUnicode(data []byte) ([]byte, bool) {
	var order unicode.Endianness
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return toUTF8(data[3:], ""), true
	case len(data) < 4:
		return nil, false
	case data[0] == 0xff && data[1] == 0xfe, data[0] != 0 && data[1] == 0 && data[2] != 0 && data[3] == 0:
		order = unicode.LittleEndian
	case data[0] == 0xfe && data[1] == 0xff, data[0] == 0 && data[1] != 0 && data[2] == 0 && data[3] != 0:
		order = unicode.BigEndian
	default:
		return nil, false
	}
	text, err := unicode.UTF16(order, unicode.UseBOM).NewDecoder().Bytes(data)
	if err != nil {
		return nil, false
	}
	return bytes.TrimPrefix(text, []byte("\ufeff")), true
}

// utf8Evidence counts the multi-byte sequences that are valid UTF-8, and the bytes that
// cannot be part of any.
func utf8Evidence(data []byte) (sequences, wrong int) {
	for i := 0; i < len(data); {
		if data[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			wrong++
		} else {
			sequences++
		}
		i += size
	}
	return sequences, wrong
}

// tryCharset decodes data by the named encoding, if the bytes do not speak against it.
func tryCharset(data []byte, name string, sequences, wrong int) ([]byte, bool) {
	if name == "" {
		return nil, false
	}
	enc, canonical := charset.Lookup(name)
	switch {
	case enc == nil, enc == encoding.Replacement, canonical == "x-user-defined",
		strings.HasPrefix(canonical, "utf-"): // UTF-8 and UTF-16 were seen to be wrong already
		return nil, false
	}
	if _, single := enc.(*charmap.Charmap); single {
		// One byte a letter fits everything, which proves nothing.
		if sequences >= wrong && wrong > 0 {
			return nil, false
		}
		text, err := enc.NewDecoder().Bytes(data)
		return text, err == nil
	}
	text, err := enc.NewDecoder().Bytes(data)
	if err != nil || bytes.Count(text, []byte("\uFFFD"))*50 > len(text) {
		return nil, false
	}
	return text, true
}

func headerCharset(contentType string) string {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return params["charset"]
}

func declaredCharset(data []byte) string {
	if m := declaredEncoding.FindSubmatch(data[:min(len(data), 4096)]); m != nil {
		return string(m[1])
	}
	return ""
}
