package digest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// changes calls try after each change that can be made to one leaf of v, and undoes it.
func changes(path string, v reflect.Value, try func(path string)) {
	switch v.Kind() {
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			v.Set(reflect.ValueOf(at.Add(time.Millisecond)))
			try(path)
			v.Set(reflect.ValueOf(at))
			return
		}
		for i := range v.NumField() {
			changes(path+"."+v.Type().Field(i).Name, v.Field(i), try)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			return
		}
		for i := range v.Len() {
			changes(fmt.Sprintf("%s[%d]", path, i), v.Index(i), try)
		}
		old := reflect.ValueOf(v.Interface())
		v.Set(v.Slice(0, v.Len()-1))
		try(path + " shorter")
		v.Set(old)
	case reflect.Map:
		for _, key := range v.MapKeys() {
			old := v.MapIndex(key)
			v.SetMapIndex(key, reflect.ValueOf(old.String()+"x"))
			try(fmt.Sprintf("%s[%s]", path, key))
			v.SetMapIndex(key, reflect.Value{})
			try(fmt.Sprintf("%s without %s", path, key))
			v.SetMapIndex(key, old)
		}
	case reflect.String:
		old := v.String()
		v.SetString(old + "x")
		try(path)
		v.SetString(old)
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
		try(path)
		v.SetInt(v.Int() - 1)
	default:
		panic("a snapshot has a field of kind " + v.Kind().String() + " at " + path)
	}
}

func TestSnapshotHash_AnyChange_ChangesIt(t *testing.T) {
	s := sampleSnapshot(t, 3, func(n *newsletter.Newsletter, _ []newsletter.Candidate, w *Words) {
		w.Intro, w.Subject, w.Preheader = "Good morning.", "Our own", "And more"
		n.LogoURL, n.SiteURL, n.BrandColour = "https://quay.example.org/logo.png", "https://quay.example.org/", "#0066cc"
	}, func(in *Input) {
		in.Notes = []Block{{ID: "n1", Position: 2, Headline: "A word", Text: "Thank you.", ImageURL: "https://quay.example.org/n.png", ImageAlt: "Us"}}
		in.Sponsors = []Block{{ID: "s1", Position: 3, Text: "Tea.", Sponsor: "Leaf Ltd", URL: "https://leaf.example.org/"}}
		in.Related = map[int64][]newsletter.Candidate{2: relatedSamples(1)}
		in.Corrections = []Block{{Article: 90, Headline: "Old news", URL: "https://quay.example.org/90", Text: "It was Tuesday."}}
	})
	before := s.Hash()
	seen := map[string]string{before: "nothing"}
	changes("Snapshot", reflect.ValueOf(&s).Elem(), func(path string) {
		h := s.Hash()
		if other, ok := seen[h]; ok {
			t.Errorf("a change of %s has the hash of a change of %s", path, other)
		}
		seen[h] = path
	})
	if s.Hash() != before {
		t.Error("the test did not undo its changes")
	}
	if len(seen) < 60 {
		t.Errorf("only %d changes were tried", len(seen))
	}
}

func TestSnapshot_EncodedAndDecoded_IsTheSame(t *testing.T) {
	s := sampleSnapshot(t, 12)
	s.Blocks[2].Published = time.Time{}
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(data, mailSources(t))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s, back) {
		t.Errorf("got %+v, want %+v", back, s)
	}
	if again, err := back.Encode(); err != nil || string(again) != string(data) {
		t.Errorf("encoded again it is %s (%v), want %s", again, err, data)
	}
	if back.Hash() != s.Hash() || !reflect.DeepEqual(mustRender(t, s), mustRender(t, back)) {
		t.Error("decoded it hashes or renders differently")
	}
}

func TestDecode_OtherTemplates_IsRefused(t *testing.T) {
	s := sampleSnapshot(t, 1)
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	other := mailSources(t)
	other["brief.txt"] += "x"
	if _, err := Decode(data, other); err == nil {
		t.Error("a snapshot was decoded with templates that it was not made with")
	}
	s.Templates = other
	if _, err := s.Encode(); err == nil {
		t.Error("a snapshot was encoded with templates that it was not made with")
	}
}

func TestTemplatesHash_NameAndSourceAreApart(t *testing.T) {
	a, b := Templates{"ab": "c"}, Templates{"a": "bc"}
	if a.Hash() == b.Hash() {
		t.Error("moving a byte from name to source kept the hash")
	}
}

func TestNew_WrongValue_IsNamed(t *testing.T) {
	type change func(*newsletter.Newsletter, []newsletter.Candidate, *Words, *string)
	for want, f := range map[string]change{
		"name": func(n *newsletter.Newsletter, _ []newsletter.Candidate, _ *Words, _ *string) { n.Name = " \n" },
		"from": func(n *newsletter.Newsletter, _ []newsletter.Candidate, _ *Words, _ *string) { n.From.Email = "" },
		"privacy-url": func(n *newsletter.Newsletter, _ []newsletter.Candidate, _ *Words, _ *string) {
			n.PrivacyURL = "javascript:x"
		},
		"link-params": func(n *newsletter.Newsletter, _ []newsletter.Candidate, _ *Words, _ *string) { n.LinkParams = "a=b#c" },
		"base_url":    func(_ *newsletter.Newsletter, _ []newsletter.Candidate, _ *Words, b *string) { *b = "letters" },
		"subject": func(_ *newsletter.Newsletter, _ []newsletter.Candidate, w *Words, _ *string) {
			w.Subject = strings.Repeat("é", 201)
		},
		"article 2 has the link": func(_ *newsletter.Newsletter, c []newsletter.Candidate, _ *Words, _ *string) {
			c[1].URL = "https://personal.invalid/unsubscribe"
		},
		"article 1 is in the edition twice": func(_ *newsletter.Newsletter, c []newsletter.Candidate, _ *Words, _ *string) { c[1].ID = 1 },
		"article 1 has no headline": func(_ *newsletter.Newsletter, c []newsletter.Candidate, _ *Words, _ *string) {
			c[0].Headline = "\u202e"
		},
	} {
		n, c, w, base := sampleNewsletter(), sampleCandidates(2), Words{}, "https://letters.example.org"
		f(&n, c, &w, &base)
		in := sampleInput(t, n, c, w)
		in.BaseURL = base
		_, err := New(in)
		if newsletter.KindOf(err) != newsletter.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}
