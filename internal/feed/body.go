package feed

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxLayers is how often a body may be compressed: once by the server, and once more when
// the file on its disk was a .gz.
const maxLayers = 2

// readBody reads and decompresses an answer. The limit holds for the bytes on the wire and
// for what they unpack to, so that a small answer cannot fill the memory.
func readBody(resp *http.Response, limit int64) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	body := bufio.NewReader(&capped{r: resp.Body, left: limit, limit: limit})
	encoding := strings.ToLower(strings.Join(resp.Header.Values("Content-Encoding"), ","))
	if strings.Contains(encoding, "br") || strings.Contains(encoding, "zstd") || strings.Contains(encoding, "compress") {
		return nil, &Error{Kind: KindNotFeed, Detail: "a compression that was not asked for"}
	}
	if strings.Contains(encoding, "deflate") {
		body = bufio.NewReader(inflate(body))
	}
	// Whether it is gzip is read off the bytes: servers say so and send plain text, or send
	// gzip and do not say so.
	for range maxLayers {
		magic, _ := body.Peek(2) // an error comes again when reading
		if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
			break
		}
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = bufio.NewReader(z)
	}
	return readAll(body, limit)
}

// inflate undoes "deflate", which is zlib by the standard (RFC 9110 §8.4.1.2), often the
// bare stream, and sometimes nothing at all.
func inflate(body *bufio.Reader) io.Reader {
	first, _ := body.Peek(2)
	switch {
	case len(first) < 2 || bytes.IndexByte([]byte("<{ \t\r\n\xef\xff\xfe"), first[0]) >= 0:
		return body
	case first[0]&0x0f == 8 && (int(first[0])<<8|int(first[1]))%31 == 0:
		if z, err := zlib.NewReader(body); err == nil {
			return z
		}
	}
	return flate.NewReader(body)
}

// readAll reads at most limit bytes; one more is a KindTooLarge error.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	return io.ReadAll(&capped{r: r, left: limit, limit: limit})
}

// capped fails after limit bytes, where io.LimitReader would pretend that this was all.
type capped struct {
	r           io.Reader
	left, limit int64
}

func (c *capped) Read(p []byte) (int, error) {
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		return 0, tooLarge(c.limit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("read feed: %w", err)
	}
	return n, err
}

func tooLarge(limit int64) error {
	size := fmt.Sprintf("the limit is %d bytes", limit)
	if limit >= 1<<20 {
		size = fmt.Sprintf("the limit is %d MB", limit>>20)
	}
	return &Error{Kind: KindTooLarge, Detail: size}
}
