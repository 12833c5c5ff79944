package digest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"broadsheet/internal/newsletter"
)

// What was frozen by version 1, which had one design and no blocks but articles, is rendered to
// the same bytes by this one, and has the same hash. The files were written by that version.
func TestFrozenByVersion1_RendersTheSameBytes(t *testing.T) {
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join("testdata", "frozen-1", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	var templates Templates
	if err := json.Unmarshal([]byte(read("templates.json")), &templates); err != nil {
		t.Fatal(err)
	}
	s, err := Decode([]byte(read("snapshot.json")), templates)
	if err != nil {
		t.Fatal(err)
	}
	if s.Hash() != read("hash.txt") {
		t.Error("the hash is another one")
	}
	if again, err := s.Encode(); err != nil || string(again) != read("snapshot.json") {
		t.Errorf("encoded again it is (%v)\n%s", err, again)
	}
	v, err := Render(s, newsletter.Copy{Articles: []int64{1, 3, 4, 6}})
	if err != nil {
		t.Fatal(err)
	}
	if v.HTML != read("variant.html") {
		t.Errorf("the HTML part is\n%s", v.HTML)
	}
	if got := "Subject: " + v.Subject + "\nPreheader: " + v.Preheader + "\n\n" + v.Text; got != read("variant.txt") {
		t.Errorf("subject, preheader and text are\n%s", got)
	}
}
