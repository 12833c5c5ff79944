package mail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"strings"
)

// Parts returns what a composed message says: its subject, its text part and its HTML part, which
// may be empty, decoded. Lines end in \n.
func Parts(message []byte) (subject, text, html string, err error) {
	m, err := netmail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		return "", "", "", fmt.Errorf("read a composed message: %w", err)
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return "", "", "", fmt.Errorf("read a composed message: subject: %w", err)
	}
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || parameters["boundary"] == "" {
		return "", "", "", fmt.Errorf("read a composed message: it has no parts")
	}
	for r := multipart.NewReader(m.Body, parameters["boundary"]); ; {
		part, err := r.NextPart() // decodes quoted-printable
		if errors.Is(err, io.EOF) {
			return subject, text, html, nil
		}
		if err != nil {
			return "", "", "", fmt.Errorf("read a composed message: %w", err)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return "", "", "", fmt.Errorf("read a composed message: %w", err)
		}
		content := strings.ReplaceAll(string(data), "\r\n", "\n")
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			html = content
		} else {
			text = content
		}
	}
}
