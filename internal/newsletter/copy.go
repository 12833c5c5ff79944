package newsletter

import (
	"strconv"
	"strings"
)

// Copy is what a group of readers sees of an edition: beside the edition itself, all that a
// variant is a function of.
type Copy struct {
	Articles    []int64 // in full, in the order of the edition: they are given to the reader
	Headlines   []int64 // articles that the reader had before, as links
	Corrections []int64 // articles that the reader had and that were corrected since
	More        int     // articles that are owed too, and left for the next edition; MaxMore: so many or more
}

// Key tells copies apart: those with the same key hold the same. A copy of articles alone has
// their ids as its key, with commas.
func (c Copy) Key() string {
	key := make([]byte, 0, 8*(len(c.Articles)+len(c.Headlines)+len(c.Corrections))+4)
	key = appendIDs(key, c.Articles)
	if len(c.Headlines) > 0 {
		key = appendIDs(append(key, " h"...), c.Headlines)
	}
	if len(c.Corrections) > 0 {
		key = appendIDs(append(key, " c"...), c.Corrections)
	}
	if c.More > 0 {
		key = strconv.AppendInt(append(key, " m"...), int64(c.More), 10)
	}
	return string(key)
}

func appendIDs(key []byte, ids []int64) []byte {
	for i, id := range ids {
		if i > 0 {
			key = append(key, ',')
		}
		key = strconv.AppendInt(key, id, 10)
	}
	return key
}

// ParseCopy returns the copy with that key.
func ParseCopy(key string) (Copy, error) {
	var c Copy
	for i, part := range strings.Split(key, " ") {
		kind := byte('a')
		if i > 0 && part != "" {
			kind, part = part[0], part[1:]
		}
		if i == 0 && part == "" {
			continue
		}
		var ids []int64
		for s := range strings.SplitSeq(part, ",") {
			id, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return c, Invalidf("variant", "%q is not the key of a copy", key)
			}
			ids = append(ids, id)
		}
		switch {
		case kind == 'a' && i == 0:
			c.Articles = ids
		case kind == 'h':
			c.Headlines = ids
		case kind == 'c':
			c.Corrections = ids
		case kind == 'm' && len(ids) == 1:
			c.More = int(ids[0])
		default:
			return c, Invalidf("variant", "%q is not the key of a copy", key)
		}
	}
	return c, nil
}
