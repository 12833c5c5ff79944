package desk_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// ownLinks are a reader's own links.
var ownLinks = regexp.MustCompile(`/(unsubscribe|manage)/[A-Za-z0-9_-]{40}`)

// withoutSlots returns the message with its lines joined, without the tokens and Date; shared
// leaves out whatever differs from reader to reader.
func withoutSlots(message []byte, shared bool) string {
	header, body, _ := strings.Cut(strings.ReplaceAll(strings.ReplaceAll(string(message), "=\r\n", ""), "\r\n ", " "), "\r\n\r\n")
	var lines []string
	for line := range strings.SplitSeq(header, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		if name == "Date" || shared && (name == "To" || name == "Message-ID" || name == "List-Unsubscribe") {
			continue
		}
		lines = append(lines, line)
	}
	return ownLinks.ReplaceAllString(strings.Join(lines, "\n")+"\n\n"+body, "/$1/")
}

// manyReaders subscribes n readers with random sections and names.
func manyReaders(t *testing.T, r *newsroomtest.Newsroom, list newsletter.Newsletter, n int) {
	t.Helper()
	random := rand.New(rand.NewPCG(5, 5))
	var wg sync.WaitGroup
	todo := make(chan newsletter.Addition)
	for range 32 { // the store commits what comes at once together
		wg.Go(func() {
			for a := range todo {
				if _, err := r.Store.AddSubscriptions(t.Context(), a, r.Clock.Now()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	names := []string{"", "Vera", "Łukasz Żółć", `"Quoted" O'Brien, the reader of a very long name that folds`, "=?utf-8?q?no?="}
	for i := range n {
		email := fmt.Sprintf("%sr%d@example.org", strings.Repeat("x", random.IntN(40)), i)
		todo <- newsletter.Addition{
			Email: email, EmailKey: email, Name: names[random.IntN(len(names))], Suppression: r.Barred.Hashes(email),
			Choices: []newsletter.SignUpChoice{{NewsletterID: list.ID, Cadence: newsletter.Daily, Sections: newsletter.Mask(random.IntN(8))}},
			Origin:  newsletter.Origin{Channel: "staff", Actor: "test", Note: "test"},
		}
	}
	close(todo)
	wg.Wait()
}

// sectionedNewsroom has a newsletter of three sections with articles in each.
func sectionedNewsroom(t *testing.T) (*newsroomtest.Newsroom, newsletter.Newsletter) {
	t.Helper()
	r := newsroomtest.New(t, newsroomtest.Options{Connections: 8})
	n := r.Newsletter("daily-news", nil)
	for i, s := range []string{"harbour", "town", "sport"} {
		if _, err := r.Desk.AddSection(t.Context(), "daily-news", s, []string{s}); err != nil {
			t.Fatal(err)
		}
		for j := range 3 {
			r.Feed.Publish(fmt.Sprintf("Ünsere %s story = %d", s, j), newsroomtest.Start.Add(-time.Duration(i*3+j)*time.Minute), s)
		}
	}
	return r, n
}

// TestPreview_TenThousandReaders: of a frozen edition, preview, test mail and sent message agree,
// slots and Date aside, for every one of ten thousand random readers.
func TestPreview_TenThousandReaders(t *testing.T) {
	t.Parallel()
	readers := fromEnvironment(t, "PREVIEW_READERS", 10_000)
	r, n := sectionedNewsroom(t)
	manyReaders(t, r, n, readers)
	draft, err := r.Build("daily-news")
	if err != nil {
		t.Fatal(err)
	}
	before, err := r.Desk.Preview(t.Context(), desk.PreviewOptions{Build: desk.BuildOptions{Newsletter: "daily-news"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Desk.SendTest(t.Context(), draft, "staff@example.org"); err != nil {
		t.Fatal(err)
	}
	tested := r.SMTP.Messages()[0].Data
	e := r.Begin("daily-news")
	after, err := r.Desk.Preview(t.Context(), desk.PreviewOptions{Edition: e.ID})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Desk.SendTestOf(t.Context(), after, "staff@example.org"); err != nil {
		t.Fatal(err)
	}
	testedAfter := r.SMTP.Messages()[1].Data
	for what, message := range map[string][]byte{"test mail": tested, "preview before freezing": before.Message, "test mail of the frozen edition": testedAfter} {
		subject, text, html, err := mail.Parts(message)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := ownLinks.ReplaceAllString(subject+text+html, "/$1/"), ownLinks.ReplaceAllString(after.Subject+after.Text+after.HTML, "/$1/"); got != want {
			t.Errorf("the %s says something else than the preview of the frozen edition:\n%s\n%s", what, got, want)
		}
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	comparePreviews(t, r, e.ID, readers)
}

// comparePreviews compares what every reader got with the preview of it.
func comparePreviews(t *testing.T, r *newsroomtest.Newsroom, edition int64, want int) {
	t.Helper()
	messages := r.SMTP.Messages()[2:] // the first ones are the test mails
	if len(messages) != want {
		t.Fatalf("%d messages for %d readers", len(messages), want)
	}
	rows, err := r.Desk.Deliveries(t.Context(), newsletter.DeliveryFilter{EditionID: edition})
	if err != nil {
		t.Fatal(err)
	}
	variants := map[string]int64{}
	for _, row := range rows {
		variants[row.Email] = row.VariantID
	}
	previews := map[int64]string{} // of each variant, of whoever comes first
	for i, m := range messages {
		variant := variants[m.To]
		// All readers of a variant share a preview but for their slots; those of every twentieth
		// reader are compared byte by byte, slots and all, but for tokens and Date.
		if previews[variant] == "" || i%20 == 0 {
			p, err := r.Desk.Preview(t.Context(), desk.PreviewOptions{Edition: edition, As: m.To})
			if err != nil {
				t.Fatalf("%s: %v", m.To, err)
			}
			if len(p.Message) != len(m.Data) || withoutSlots(p.Message, false) != withoutSlots(m.Data, false) {
				t.Fatalf("%s got another message than the preview:\n%s\n%s", m.To, p.Message, m.Data)
			}
			previews[variant] = withoutSlots(p.Message, true)
		}
		if previews[variant] != withoutSlots(m.Data, true) {
			t.Fatalf("%s got another message than the preview of their variant:\n%s", m.To, m.Data)
		}
	}
	if len(previews) != 7 { // every set of three sections; the empty one means all, as does the full one
		t.Errorf("%d different copies, want 7", len(previews))
	}
}

func TestPreview_HasNoTokenThatWorks(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 2)
	if len(desk.InertToken) != newsletter.LinkTokenLength {
		t.Fatalf("it has %d characters, a token %d", len(desk.InertToken), newsletter.LinkTokenLength)
	}
	p, err := r.Desk.Preview(t.Context(), desk.PreviewOptions{Build: desk.BuildOptions{Newsletter: "daily-news"}, As: "r1@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range ownLinks.FindAllString(strings.ReplaceAll(string(p.Message), "=\r\n", ""), -1) {
		_, token, _ := strings.Cut(link[1:], "/")
		for _, purpose := range []newsletter.Purpose{newsletter.PurposeUnsubscribe, newsletter.PurposeManage} {
			if _, err := r.Keys.Open(purpose, token); err == nil {
				t.Errorf("%s opens something", link)
			}
		}
	}
}

// TestPreview_AsBeforeAndAfter: what a reader is shown before an edition is frozen is what they get.
func TestPreview_AsBeforeAndAfter(t *testing.T) {
	t.Parallel()
	r, n := sectionedNewsroom(t)
	r.Reader(n, "vera@example.org", newsletter.Daily, 5)
	r.Reader(n, "all@example.org", newsletter.Daily, 0)
	weekly := r.Reader(n, "left@example.org", newsletter.Daily, 1)
	as := func(edition int64, email string) (*desk.Preview, error) {
		o := desk.PreviewOptions{Edition: edition, As: email}
		if edition == 0 {
			o.Build.Newsletter = "daily-news"
		}
		return r.Desk.Preview(t.Context(), o)
	}
	before, err := as(0, "vera@example.org")
	if err != nil || len(before.Copy.Articles) != 6 {
		t.Fatalf("vera is to get %v (%v)", before, err)
	}
	if err := r.Store.RemoveSubscriptions(t.Context(), weekly, n.ID, newsletter.Origin{Channel: "staff"}, r.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	_, err = as(0, "left@example.org")
	wantRefusal(t, err, "no_copy")
	e, _ := r.Send("daily-news")
	after, err := as(e.ID, "vera@example.org")
	if err != nil || after.Copy.Key() != before.Copy.Key() || after.Text != before.Text || after.HTML != before.HTML {
		t.Errorf("vera got %v (%v), and was shown %v", after, err, before.Copy)
	}
	_, err = as(0, "vera@example.org")
	wantRefusal(t, err, "no_copy")
	_, err = as(e.ID, "left@example.org")
	wantRefusal(t, err, "no_copy")
}
