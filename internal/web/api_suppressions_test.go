package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAPISuppressions_NeedTheirOwnScopes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	read, write, other := s.token("suppressions:read"), s.token("suppressions:write"), s.token("subscribers:read,subscribers:write")
	for _, c := range []struct {
		method, path, token string
		status              int
	}{
		{"GET", "/api/v1/suppressions", "", 401}, {"GET", "/api/v1/suppressions", other, 403}, {"GET", "/api/v1/suppressions", write, 403},
		{"GET", "/api/v1/suppressions", read, 200}, {"POST", "/api/v1/suppressions", read, 403}, {"POST", "/api/v1/suppressions", write, 422},
		{"DELETE", "/api/v1/suppressions/1", read, 403}, {"DELETE", "/api/v1/suppressions/1", write, 404},
		{"DELETE", "/api/v1/suppressions/a@example.org", write, 404},
	} {
		body := ""
		if c.method == "POST" {
			body = `{}`
		}
		s.json(c.method, c.path, c.token, body).want(c.status)
	}
}

func TestAPISuppressions_AddFindListLift(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.token("all")
	sub := s.join("anna@example.org", "daily-news")
	a := s.json("POST", "/api/v1/suppressions", token, `{"email":"Anna@Example.org","reason":"complaint","note":"she rang"}`).want(201)
	var made suppressionJSON
	if err := json.Unmarshal([]byte(a.body), &made); err != nil {
		t.Fatal(err)
	}
	if made.Reason != "complaint" || made.Note != "she rang" || !strings.HasPrefix(made.Actor, "token:") || made.Suppression < 1 || len(made.Hash) != 64 {
		t.Errorf("%+v", made)
	}
	if a = s.json("POST", "/api/v1/suppressions", token, `{"email":"anna@example.org"}`).want(200); !strings.Contains(a.body, `"reason":"complaint"`) {
		t.Error("a weaker one again:", a.body)
	}
	s.json("POST", "/api/v1/suppressions", token, `{"domain":"Example.com","note":"asked"}`).want(201)
	for _, bad := range []string{`{"email":"anna"}`, `{"domain":"com"}`, `{"email":"a@example.org","domain":"example.org"}`, `{"email":"a@example.org","reason":"x"}`, `{}`, `{"address":"a@example.org"}`} {
		s.json("POST", "/api/v1/suppressions", token, bad).want(422)
	}
	if a = s.json("GET", "/api/v1/suppressions?limit=1", token, "").want(200); !strings.Contains(a.body, fmt.Sprintf(`"next":%d`, made.Suppression)) || !strings.Contains(a.Header.Get("Link"), "after=") {
		t.Error("the first page:", a.body, a.Header.Get("Link"))
	}
	if a = s.json("GET", "/api/v1/suppressions?addresses=true", token, "").want(200); !strings.Contains(a.body, `"email":"anna@example.org"`) || !strings.Contains(a.body, `"domain":"example.com"`) || !strings.Contains(a.body, `"next":null`) {
		t.Error("the list:", a.body)
	}
	for who, want := range map[string]int{"anna@example.org": 1, "bo@example.com": 1, "@example.com": 1, "bo@example.org": 0} {
		if a = s.json("GET", "/api/v1/suppressions?email="+who, token, "").want(200); strings.Count(a.body, `"suppression":`) != want {
			t.Errorf("%s: %s", who, a.body)
		}
	}
	for _, bad := range []string{"limit=0", "limit=1001", "reason=x", "addresses=perhaps", "email=x", "page=2"} {
		s.json("GET", "/api/v1/suppressions?"+bad, token, "").want(422)
	}
	// The subscriber's page says so, and that a sign-up waits.
	s.signUp("anna@example.org", "weekend")
	detail := fmt.Sprintf("/api/v1/subscribers/%d", sub.ID)
	if a = s.json("GET", detail, token, "").want(200); !strings.Contains(a.body, `"suppression":{"suppression":`) || !strings.Contains(a.body, `"why":"no confirmation mail goes out`) {
		t.Error("the subscriber:", a.body)
	}
	path := fmt.Sprintf("/api/v1/suppressions/%d", made.Suppression)
	s.wait(2 * time.Hour)
	s.json("DELETE", path, token, "").want(422)
	if a = s.json("DELETE", path+"?note=a+slip", token, "").want(200); !strings.Contains(a.body, `"confirmation_at":"20`) {
		t.Error("lifted:", a.body)
	}
	s.json("DELETE", path+"?note=again", token, "").want(404)
	if a = s.json("GET", detail, token, "").want(200); !strings.Contains(a.body, `"suppression":null`) {
		t.Error("the subscriber:", a.body)
	}
}

// S27: what the page says to whoever waits in vain, it says to everybody.
func TestCheckInbox_SaysWhomToWriteTo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.get("/check-inbox?newsletter=daily-news").want(200)
	if !strings.Contains(a.body, "Still nothing after an hour?") || !strings.Contains(a.body, `href="mailto:`) {
		t.Error(a.body)
	}
	if b := s.get("/check-inbox").want(200); !strings.Contains(b.body, "Write to us") {
		t.Error(b.body)
	}
}
