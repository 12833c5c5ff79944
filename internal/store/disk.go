package store

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Disk returns how many bytes the database takes, its log included, and how many are free
// on its disk.
func (s *Store) Disk() (size, free int64, err error) {
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(s.path + suffix); err == nil {
			size += info.Size()
		}
	}
	free, err = Free(filepath.Dir(s.path))
	return size, free, err
}

// Free returns how many bytes are free on the disk of the folder.
func Free(folder string) (int64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(folder, &fs); err != nil {
		return 0, fmt.Errorf("disk of %s: %w", folder, err)
	}
	return int64(fs.Bavail) * fs.Bsize, nil
}

// SameDisk reports whether two folders are on one disk; false if that cannot be found out.
func SameDisk(a, b string) bool {
	var one, other unix.Stat_t
	return unix.Stat(a, &one) == nil && unix.Stat(b, &other) == nil && one.Dev == other.Dev
}
