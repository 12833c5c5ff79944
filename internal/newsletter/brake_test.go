package newsletter_test

import (
	"testing"

	"broadsheet/internal/newsletter"
)

func TestBrakes_RefusedIsPulledAboveTheLimitAndNotAtOnceAgain(t *testing.T) {
	t.Parallel()
	set := newsletter.Brakes{Refused: 0.05}
	for name, c := range map[string]struct {
		brakes, raised    newsletter.Brakes
		accepted, refused int
		pulled            bool
	}{
		"too few results":            {brakes: set, accepted: 100, refused: 99},
		"just enough":                {brakes: set, accepted: 189, refused: 11, pulled: true},
		"at the limit":               {brakes: set, accepted: 190, refused: 10},
		"off":                        {accepted: 0, refused: 1000},
		"let go on at six percent":   {brakes: set, raised: newsletter.Brakes{Refused: 0.11}, accepted: 900, refused: 100},
		"twice as bad since":         {brakes: set, raised: newsletter.Brakes{Refused: 0.11}, accepted: 880, refused: 120, pulled: true},
		"set higher than it was":     {brakes: newsletter.Brakes{Refused: 0.2}, raised: newsletter.Brakes{Refused: 0.11}, accepted: 850, refused: 150},
		"let go on, and now set off": {raised: newsletter.Brakes{Refused: 0.11}, accepted: 500, refused: 500},
	} {
		pull, pulled := c.brakes.PullRefused(c.raised, c.accepted, c.refused, "550 5.1.1 no such user")
		if pulled != c.pulled || pulled && (pull.Share != float64(c.refused)/float64(c.accepted+c.refused) || pull.Next != pull.Share+c.brakes.Refused) {
			t.Errorf("%s: pulled %v, %+v", name, pulled, pull)
		}
	}
	pull, _ := set.PullRefused(newsletter.Brakes{}, 189, 11, "550 5.1.1 no such user")
	if want := "11 of 200 messages were refused, 5.5 %, and the limit is 5 %; the last one with: 550 5.1.1 no such user"; pull.Reason != want {
		t.Errorf("reason %q, want %q", pull.Reason, want)
	}
}

func TestBrakes_ComplaintsArePulledFromTheThirdOn(t *testing.T) {
	t.Parallel()
	set := newsletter.Brakes{Complaints: 0.003}
	for name, c := range map[string]struct {
		brakes, raised       newsletter.Brakes
		accepted, complaints int
		pulled               bool
	}{
		"two of a hundred":   {brakes: set, accepted: 100, complaints: 2},
		"three of a hundred": {brakes: set, accepted: 100, complaints: 3, pulled: true},
		"at the limit":       {brakes: set, accepted: 1000, complaints: 3},
		"above it":           {brakes: set, accepted: 1000, complaints: 4, pulled: true},
		"let go on":          {brakes: set, raised: newsletter.Brakes{Complaints: 0.007}, accepted: 1000, complaints: 7},
		"as much again":      {brakes: set, raised: newsletter.Brakes{Complaints: 0.007}, accepted: 1000, complaints: 8, pulled: true},
		"off":                {accepted: 10, complaints: 10},
		"nothing accepted":   {brakes: set, complaints: 10},
	} {
		if pull, pulled := c.brakes.PullComplaints(c.raised, c.accepted, c.complaints); pulled != c.pulled {
			t.Errorf("%s: pulled %v, %+v", name, pulled, pull)
		}
	}
	pull, _ := set.PullComplaints(newsletter.Brakes{}, 1000, 4)
	if want := "4 readers have reported it as spam, 0.4 % of 1000, and the limit is 0.3 %"; pull.Reason != want {
		t.Errorf("reason %q, want %q", pull.Reason, want)
	}
}
