package doctor

import (
	"errors"
	"io/fs"
	"os"
)

// File looks at who may read a file that holds secrets; what names it. One that everybody may
// read is a failure; one that is not there is none of this check's.
func File(path, what string) []Finding {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return []Finding{CannotTell("run the command as the user of the service", "%s %s cannot be looked at: %v", what, path, inner(err)).About(what)}
	case info.Mode().Perm()&0o007 != 0:
		return []Finding{Fail("chmod o= "+path, "%s can be read or changed by everybody on this machine (mode %04o)", path, info.Mode().Perm()).About(what)}
	case info.Mode().Perm()&0o020 != 0:
		return []Finding{Warn("chmod g-w "+path, "%s can be changed by its group (mode %04o)", path, info.Mode().Perm()).About(what)}
	}
	return []Finding{Good("%s, mode %04o", path, info.Mode().Perm()).About(what)}
}
