// Package templates holds the sources of the mails and the pages, embedded in the program.
// A folder on disk can override them file by file.
package templates

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// The all: prefix lets the program build while a folder has nothing but its .gitkeep.
//
//go:embed all:mail all:web
var embedded embed.FS

// FS returns the templates, in the folders mail and web. If overrideDir is not empty, a file
// in it is used instead of the embedded file at the same path, and it can add files. It is an
// error if the folder does not exist, or has neither a folder mail nor a folder web.
func FS(overrideDir string) (fs.FS, error) {
	if overrideDir == "" {
		return embedded, nil
	}
	info, err := os.Stat(overrideDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the templates folder %s does not exist; make it, or leave the setting empty", overrideDir)
	case err != nil:
		return nil, fmt.Errorf("the templates folder: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("the templates folder %s is not a folder", overrideDir)
	}
	over := os.DirFS(overrideDir)
	if !hasDir(over, "mail") && !hasDir(over, "web") {
		return nil, fmt.Errorf("the templates folder %s has neither a folder mail nor a folder web, so it would change nothing", overrideDir)
	}
	return overlay{over, embedded}, nil
}

func hasDir(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

// Mail returns the sources of the mail templates by file name: "brief.html".
func Mail(fsys fs.FS) (map[string]string, error) {
	entries, err := fs.ReadDir(fsys, "mail")
	if err != nil {
		return nil, fmt.Errorf("mail templates: %w", err)
	}
	sources := make(map[string]string, len(entries))
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		data, err := fs.ReadFile(fsys, path.Join("mail", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("mail template %s: %w", e.Name(), err)
		}
		sources[e.Name()] = string(data)
	}
	return sources, nil
}

// Words returns the files of words in a folder, mail or web, by file name: "words.de".
func Words(fsys fs.FS, folder string) (map[string]string, error) {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return nil, fmt.Errorf("%s templates: %w", folder, err)
	}
	sources := map[string]string{}
	for _, e := range entries {
		if e.IsDir() || !strings.HasPrefix(e.Name(), "words.") {
			continue
		}
		data, err := fs.ReadFile(fsys, path.Join(folder, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("%s template %s: %w", folder, e.Name(), err)
		}
		sources[e.Name()] = string(data)
	}
	return sources, nil
}

// overlay is two file systems of which the first wins, file by file.
type overlay struct{ over, under fs.FS }

// Open opens the file of the first file system that has it.
func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.over.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.under.Open(name)
	}
	return f, err
}

// ReadDir lists what either file system has in the folder, by name.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(o.over, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	under, underErr := fs.ReadDir(o.under, name)
	if underErr != nil && (err != nil || !errors.Is(underErr, fs.ErrNotExist)) {
		return nil, underErr
	}
	for _, e := range under {
		if !slices.ContainsFunc(list, func(x fs.DirEntry) bool { return x.Name() == e.Name() }) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}
