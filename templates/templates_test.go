package templates

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFS_Override_WinsFileByFile(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "mail", "digest.subject"), "ours")
	write(t, filepath.Join(dir, "mail", "words.nl"), "more_news: Meer")
	write(t, filepath.Join(dir, "mail", ".DS_Store"), "x")
	fsys, err := FS(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Mail(fsys)
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := FS("")
	if err != nil {
		t.Fatal(err)
	}
	want, err := Mail(embedded)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want)+1 || got["digest.subject"] != "ours" || got["words.nl"] == "" || got["brief.html"] != want["brief.html"] {
		t.Errorf("got %d templates, the subject is %q", len(got), got["digest.subject"])
	}
	names, err := fs.Glob(fsys, "mail/words.*")
	if err != nil || len(names) < 3 {
		t.Errorf("the pattern found %v (%v)", names, err)
	}
	if _, err := fs.ReadDir(fsys, "web"); err != nil {
		t.Errorf("a folder that only the program has: %v", err)
	}
	if _, err := fs.ReadDir(fsys, "nothing"); err == nil {
		t.Error("a folder that nobody has was listed")
	}
}

func TestFS_WrongFolder_SaysWhat(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "brief.html"), "x")
	for folder, want := range map[string]string{
		filepath.Join(dir, "nowhere"):    "does not exist",
		filepath.Join(dir, "brief.html"): "is not a folder",
		dir:                              "neither",
	} {
		if _, err := FS(folder); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", folder, err)
		}
	}
}

func TestMail_EmbedsWhatTheMailsNeed(t *testing.T) {
	fsys, err := FS("")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := Mail(fsys)
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string][]string{
		"confirm": {".html", ".txt", ".subject", ".preheader"}, "already": {".html", ".txt", ".subject", ".preheader"},
		"notice": {".html", ".txt", ".subject", ".preheader"},
		"digest": {".subject", ".preheader"}, "blocks": {".html", ".txt"}, "parts": {".html"},
		"brief": {".html", ".txt"}, "headlines": {".html", ".txt"}, "pictures": {".html", ".txt"},
	} {
		for _, ext := range list {
			if sources[name+ext] == "" {
				t.Errorf("%s%s is missing", name, ext)
			}
		}
	}
}
