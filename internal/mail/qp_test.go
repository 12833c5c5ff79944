package mail

import (
	"bytes"
	"html"
	"mime/quotedprintable"
	"strings"
	"testing"
)

func FuzzQPLine_IsWhatTheLibraryWrites(f *testing.F) {
	f.Add("", "")
	f.Add("Unsubscribe: https://news.example.org/u/x?a=1&b=2 ", "\t")
	f.Add(strings.Repeat("a", 75)+" ", strings.Repeat("ü", 40))
	f.Add(strings.Repeat("a", 74)+" ", "")
	f.Add(strings.Repeat("a", 73)+"\t", "\t")
	f.Fuzz(func(t *testing.T, text, value string) {
		clean := strings.NewReplacer("\r", "", "\n", "")
		text, value = clean.Replace(text), clean.Replace(value)
		q := qpLine{dst: []byte("x")}
		q.text(text)
		q.html(value)
		var want bytes.Buffer
		w := quotedprintable.NewWriter(&want)
		if _, err := w.Write([]byte(text + html.EscapeString(value))); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := q.end()[1:]; !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%q and %q give\n%q, want\n%q", text, value, got, want.Bytes())
		}
	})
}
