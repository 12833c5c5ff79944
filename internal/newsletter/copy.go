package newsletter

import (
	"slices"
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
	Gone        []int64 // related stories of the edition that were withdrawn, in order: no copy has them any more
}

// Has reports whether the copy has one of the articles, in whatever way.
func (c Copy) Has(articles map[int64]bool) bool {
	has := func(id int64) bool { return articles[id] }
	return slices.ContainsFunc(c.Articles, has) || slices.ContainsFunc(c.Headlines, has) || slices.ContainsFunc(c.Corrections, has)
}

// Without returns the copy without the articles. It is not worth a mail any more, and ok is false,
// if it had stories and none is left.
func (c Copy) Without(articles map[int64]bool) (rest Copy, ok bool) {
	rest.More, rest.Gone = c.More, c.Gone
	without := func(list []int64) []int64 {
		return slices.DeleteFunc(slices.Clone(list), func(id int64) bool { return articles[id] })
	}
	rest.Articles, rest.Headlines, rest.Corrections = without(c.Articles), without(c.Headlines), without(c.Corrections)
	if len(c.Articles) > 0 {
		return rest, len(rest.Articles) > 0
	}
	return rest, len(rest.Headlines)+len(rest.Corrections) > 0
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
	if len(c.Gone) > 0 {
		key = appendIDs(append(key, " x"...), c.Gone)
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
		case kind == 'x':
			c.Gone = ids
		case kind == 'm' && len(ids) == 1:
			c.More = int(ids[0])
		default:
			return c, Invalidf("variant", "%q is not the key of a copy", key)
		}
	}
	return c, nil
}
