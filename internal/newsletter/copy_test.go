package newsletter

import (
	"reflect"
	"testing"
)

func TestCopy_KeyAndBack(t *testing.T) {
	for key, c := range map[string]Copy{
		"":                  {},
		"7":                 {Articles: []int64{7}},
		"12,3,40":           {Articles: []int64{12, 3, 40}},
		"12 h3,4":           {Articles: []int64{12}, Headlines: []int64{3, 4}},
		"12,5 h3 c9,10 m25": {Articles: []int64{12, 5}, Headlines: []int64{3}, Corrections: []int64{9, 10}, More: 25},
		" c9":               {Corrections: []int64{9}},
		"12 m1 x3,5":        {Articles: []int64{12}, More: 1, Gone: []int64{3, 5}},
	} {
		if got := c.Key(); got != key {
			t.Errorf("key %q, want %q", got, key)
		}
		if back, err := ParseCopy(key); err != nil || !reflect.DeepEqual(back, c) {
			t.Errorf("%q: %+v, %v; want %+v", key, back, err, c)
		}
	}
	for _, key := range []string{"a", "1,", "1,,2", "1 y2", "1 m2,3", "1  h2", "1 h"} {
		if c, err := ParseCopy(key); err == nil {
			t.Errorf("%q: %+v, want an error", key, c)
		}
	}
}
