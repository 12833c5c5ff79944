package main

import (
	"context"

	"broadsheet/internal/newsletter"
)

// checkBrakes adds what is wrong with the settings of the brakes.
func (s *Settings) checkBrakes(add func(name, format string, args ...any)) {
	for _, b := range []struct {
		name    string
		percent float64
	}{{"BRAKE_REFUSED", s.BrakeRefused}, {"BRAKE_COMPLAINTS", s.BrakeComplaints}} {
		if !(b.percent >= 0 && b.percent <= 100) {
			add(b.name, "has to be 0, for never, to 100 percent")
		}
	}
}

// brakes returns the shares at which an edition pauses itself.
func (s *Settings) brakes() newsletter.Brakes {
	return newsletter.Brakes{Refused: s.BrakeRefused / 100, Complaints: s.BrakeComplaints / 100}
}

// sayBrakes says when an edition that paused itself pauses itself again.
func (a *app) sayBrakes(ctx context.Context, s *services, id int64) error {
	if a.json {
		return nil
	}
	e, _, err := s.desk.Edition(ctx, id)
	if err != nil {
		return err
	}
	set := s.settings.brakes()
	if e.Brakes.Refused > set.Refused && set.Refused > 0 {
		a.say("It pauses itself again when more than %s of it are refused.", newsletter.Percent(e.Brakes.Refused))
	}
	if e.Brakes.Complaints > set.Complaints && set.Complaints > 0 {
		a.say("It pauses itself again when more than %s of its readers report it as spam.", newsletter.Percent(e.Brakes.Complaints))
	}
	return nil
}
