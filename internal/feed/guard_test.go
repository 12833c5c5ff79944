package feed

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestGuard_PanicOfAParser_IsAnErrorOfOneFeed(t *testing.T) {
	t.Parallel()
	doc, err := guard(func() (*document, error) { panic("nil where none was expected") })
	e, ok := errors.AsType[*Error](err)
	if doc != nil || !ok || e.Kind != KindMalformed || strings.Contains(e.Error(), "nil") {
		t.Errorf("got %v, %v", doc, err)
	}
}

func TestParse_TimeIsUp_StopsTheParser(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := NewClient(Options{})
	for _, doc := range []string{
		"<rss><channel><title>x</title></channel></rss>",
		`{"version":"https://jsonfeed.org/version/1","items":[{"title":"a","url":"https://x.example/"}]}`,
	} {
		feed, err := c.parse(ctx, []byte(doc), nil, "")
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != KindTimeout || feed != nil {
			t.Errorf("got %v, %v", feed, err)
		}
	}
}
