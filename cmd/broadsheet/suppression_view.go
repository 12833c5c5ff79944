package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// suppressionView is a suppression in JSON, as in the API.
type suppressionView struct {
	Suppression int64      `json:"suppression"`
	Hash        string     `json:"hash"`
	Email       string     `json:"email,omitempty"` // of a subscriber who is still there
	Domain      string     `json:"domain,omitempty"`
	Reason      string     `json:"reason"`
	Note        string     `json:"note"`
	Actor       string     `json:"actor"`
	CreatedAt   *time.Time `json:"created_at"`
}

func viewSuppression(s newsletter.Suppression) suppressionView {
	return suppressionView{
		Suppression: s.ID, Hash: hex.EncodeToString(s.Hash), Email: s.Email, Domain: s.Domain,
		Reason: string(s.Reason), Note: s.Note, Actor: s.Actor, CreatedAt: utc(s.CreatedAt),
	}
}

// standingView says in JSON whether an address or a domain may be mailed.
type standingView struct {
	Target      string                 `json:"target"`
	Suppressed  bool                   `json:"suppressed"`
	Suppression *suppressionView       `json:"suppression"` // its own; null: none
	ByDomain    *suppressionView       `json:"by_domain"`   // of its whole domain
	Events      []suppressionEventView `json:"events"`
}

type suppressionEventView struct {
	Event  int64      `json:"event"`
	Kind   string     `json:"kind"`
	Reason string     `json:"reason"`
	Path   string     `json:"path,omitempty"` // what lifted it
	Note   string     `json:"note,omitempty"`
	Actor  string     `json:"actor,omitempty"`
	At     *time.Time `json:"at"`
}

func viewStanding(st readers.Standing) standingView {
	v := standingView{Target: st.Target, Suppressed: st.Suppressed(), Events: []suppressionEventView{}}
	if st.Own.Reason != "" {
		v.Suppression = new(viewSuppression(st.Own))
	}
	if st.ByDomain.Reason != "" {
		v.ByDomain = new(viewSuppression(st.ByDomain))
	}
	for _, e := range st.Events {
		v.Events = append(v.Events, suppressionEventView{
			Event: e.ID, Kind: string(e.Kind), Reason: string(e.Reason), Path: string(e.Path), Note: e.Note, Actor: e.Actor, At: utc(e.At),
		})
	}
	return v
}

// whoIs names what a suppression stands for as well as it is known.
func whoIs(s newsletter.Suppression) string {
	switch {
	case s.Domain != "":
		return "@" + s.Domain
	case s.Email != "":
		return s.Email
	}
	return "hash " + hex.EncodeToString(s.Hash)[:12] + "…"
}

// standingWords says in a line why something must not be mailed; "" if it may be.
func standingWords(st readers.Standing) string {
	var words []string
	if st.Own.Reason != "" {
		words = append(words, suppressionWords(st.Own))
	}
	if st.ByDomain.Reason != "" {
		words = append(words, "all of @"+st.ByDomain.Domain+": "+suppressionWords(st.ByDomain))
	}
	return strings.Join(words, "; ")
}

func suppressionWords(s newsletter.Suppression) string {
	words := string(s.Reason) + " since " + local(s.CreatedAt)
	if s.Actor != "" {
		words += ", by " + s.Actor
	}
	if s.Note != "" {
		words += " (" + cut(s.Note, 160) + ")"
	}
	return words
}

func (a *app) printStanding(st readers.Standing) {
	if !st.Suppressed() {
		a.say("%s is not suppressed.", st.Target)
	}
	fields := [][2]string{}
	if st.Own.Reason != "" {
		st.Own.Email = st.Target
		if st.Own.Domain != "" {
			st.Own.Email = ""
		}
		fields = append(fields, [2]string{"suppression", strconv.FormatInt(st.Own.ID, 10)}, [2]string{"who", whoIs(st.Own)},
			[2]string{"suppressed", suppressionWords(st.Own)}, [2]string{"lifted", whatLifts(st.Own)})
	}
	if st.ByDomain.Reason != "" {
		fields = append(fields, [2]string{"whole domain", "@" + st.ByDomain.Domain + ": " + suppressionWords(st.ByDomain)},
			[2]string{"", "broadsheet suppression remove @" + st.ByDomain.Domain + " --note WHY"})
	}
	a.printFields(fields)
	if len(st.Events) == 0 {
		return
	}
	var rows [][]string
	for _, e := range st.Events {
		rows = append(rows, []string{local(e.At), string(e.Kind), string(e.Reason), string(e.Path), e.Actor, cut(e.Note, 120)})
	}
	fmt.Fprintln(a.stdout)
	a.printTable([]string{"WHEN", "WHAT", "REASON", "WAY", "BY", "NOTE"}, rows)
}

// whatLifts says what would let it be mailed again.
func whatLifts(s newsletter.Suppression) string {
	command := fmt.Sprintf("\"broadsheet suppression remove %d\"", s.ID)
	if s.Reason.LiftedByConfirming() {
		return "when the person signs up again and answers the mail, or by " + command
	}
	return "only by " + command + " with a --note"
}
