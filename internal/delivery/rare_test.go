package delivery_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// Beyond a bound, variants are not stored as messages: what is rare is composed when it is handed
// over, also by a process that did not plan it, and is what its preview shows.
func TestPlan_RareVariantsAreComposedAtHandOver(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{MaxComposed: 3})
	n := r.Newsletter("daily-news", nil)
	for i := range 3 {
		name := fmt.Sprintf("section-%d", i)
		if _, err := r.Store.AddSection(t.Context(), newsletter.Section{NewsletterID: n.ID, Slug: name, Name: name}, "test", r.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		r.Feed.Publish(fmt.Sprintf("Story %d", i), r.Clock.Now(), fmt.Sprintf("section-%d", i))
	}
	for mask := range newsletter.Mask(8) {
		r.Reader(n, fmt.Sprintf("r%d@example.org", mask), newsletter.Daily, mask)
	}
	e := r.Begin(n.Slug)
	list, err := r.Store.EditionVariants(t.Context(), e.ID)
	if err != nil || len(list) != 7 {
		t.Fatal(len(list), err)
	}
	rare := 0
	for _, v := range list {
		message, err := r.Store.Variant(t.Context(), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		if v.Subject == "" || v.Preheader == "" {
			t.Errorf("variant %v has the subject %q and preheader %q", v.Copy, v.Subject, v.Preheader)
		}
		if len(message) == 0 {
			rare++
		}
	}
	if n, err := r.Store.ComposedVariants(t.Context(), e.ID); err != nil || n != 3 || rare != 4 {
		t.Fatalf("%d variants are stored as messages and %d are not: %v", n, rare, err)
	}
	preview, err := r.Desk.Preview(t.Context(), desk.PreviewOptions{Edition: e.ID, As: "r5@example.org"})
	if err != nil || !bytes.Contains(preview.Message, []byte("Story 2")) || bytes.Contains(preview.Message, []byte("Story 1")) {
		t.Fatalf("%+v, %v", preview, err)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	got := map[string][]byte{}
	for _, m := range r.SMTP.Messages() {
		got[m.To] = m.Data
	}
	for mask := range newsletter.Mask(8) {
		to := fmt.Sprintf("r%d@example.org", mask)
		for i := range 3 {
			if has, wants := bytes.Contains(got[to], fmt.Appendf(nil, "Story %d", i)), mask == 0 || mask&(1<<i) != 0; has != wants {
				t.Errorf("the message of sections %b has story %d: %v", mask, i, has)
			}
		}
	}
}
