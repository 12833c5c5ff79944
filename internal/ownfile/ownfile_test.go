package ownfile

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func ownerOf(t *testing.T, name string) int {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

// Who is not root makes files of their own; the test then says so much.
func TestOpen_WhatRootMakesBelongsToTheService(t *testing.T) {
	root := os.Geteuid() == 0
	service := os.Geteuid()
	folder := t.TempDir()
	database, other := filepath.Join(folder, "db"), filepath.Join(folder, "other")
	for _, name := range []string{database, other} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folderOwner := service
	if root {
		service, folderOwner = 4321, 1234
		if err := os.Chown(database, service, service); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(folder, folderOwner, folderOwner); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, like string
		want       int
	}{
		{"db.lock", database, service},
		{"journal", "", folderOwner},
		{"new", filepath.Join(folder, "missing"), folderOwner},
		{"other", database, os.Geteuid()}, // it was there
	} {
		f, err := Open(filepath.Join(folder, tt.name), tt.like, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if got := ownerOf(t, f.Name()); got != tt.want {
			t.Errorf("%s belongs to %d, want %d", tt.name, got, tt.want)
		}
	}
}
