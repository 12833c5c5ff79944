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
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(s.path), &fs); err != nil {
		return size, 0, fmt.Errorf("disk of %s: %w", s.path, err)
	}
	return size, int64(fs.Bavail) * fs.Bsize, nil
}
