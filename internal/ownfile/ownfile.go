// Package ownfile makes the files of the service so that the service can use them, also when
// root makes them: an operator who types a command as root must not lock the service out.
package ownfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Open opens a file as os.OpenFile does. If the file is made by it, and root makes it, it
// belongs to the owner of like, a file beside it; if there is no such file, or like is empty,
// to the owner of its folder.
func Open(name, like string, flag int, perm fs.FileMode) (*os.File, error) {
	if flag&os.O_CREATE == 0 || os.Geteuid() != 0 {
		return os.OpenFile(name, flag, perm) //nolint:gosec // the operator's own files
	}
	_, err := os.Lstat(name)
	missing := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(name, flag, perm) //nolint:gosec // the operator's own files
	if err != nil || !missing {
		return f, err
	}
	uid, gid, err := owner(name, like)
	if err == nil {
		err = f.Chown(uid, gid)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("give %s to the service's user: %w", name, err), f.Close())
	}
	return f, nil
}

// MkdirAll makes the folder as os.MkdirAll does. If root makes it, it belongs to the owner of
// like, or, if there is no such file, to that of the folder that it is in; folders above it that
// had to be made as well stay root's.
func MkdirAll(folder, like string, perm fs.FileMode) error {
	_, err := os.Lstat(folder)
	missing := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(folder, perm); err != nil || !missing || os.Geteuid() != 0 {
		return err
	}
	uid, gid, err := owner(folder, like)
	if err == nil {
		err = os.Chown(folder, uid, gid)
	}
	if err != nil {
		return fmt.Errorf("give %s to the service's user: %w", folder, err)
	}
	return nil
}

// owner returns whom a new file belongs to.
func owner(name, like string) (uid, gid int, err error) {
	info, err := os.Stat(like)
	if like == "" || errors.Is(err, fs.ErrNotExist) {
		info, err = os.Stat(filepath.Dir(name))
	}
	if err != nil {
		return 0, 0, err
	}
	stat := info.Sys().(*syscall.Stat_t)
	return int(stat.Uid), int(stat.Gid), nil
}
