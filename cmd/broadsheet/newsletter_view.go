package main

import (
	"time"

	"broadsheet/internal/newsletter"
)

// newsletterView is a newsletter in JSON.
type newsletterView struct {
	Newsletter    string         `json:"newsletter"`
	Name          string         `json:"name"`
	Description   string         `json:"description"`
	Status        string         `json:"status"`
	From          string         `json:"from"`
	ReplyTo       string         `json:"reply_to"`
	PostalAddress string         `json:"postal_address"`
	Language      string         `json:"language"`
	Zone          string         `json:"zone"`
	PrivacyURL    string         `json:"privacy_url"`
	LegalFooter   string         `json:"legal_footer"`
	LinkParams    string         `json:"link_params"`
	SiteURL       string         `json:"site_url"`
	Design        string         `json:"design"`
	BrandColour   string         `json:"brand_colour"` // empty: the default
	LogoURL       string         `json:"logo_url"`
	Typeface      string         `json:"typeface"`
	MinArticles   int            `json:"min_articles"`
	MaxArticles   int            `json:"max_articles"`
	Repeats       string         `json:"repeats"` // never, as-headlines or always
	Related       int            `json:"related"`
	Approval      string         `json:"approval"` // manual or none
	ApprovalLead  int            `json:"approval_lead_minutes"`
	Canary        string         `json:"canary"` // a share such as 1%, or none
	CanaryHold    int            `json:"canary_hold_minutes"`
	Archive       string         `json:"archive"`                   // index, noindex or off
	Canonical     string         `json:"archive_canonical"`         // with {edition}; empty: in the archive
	ApprovalUntil int            `json:"approval_deadline_minutes"` // before the slot
	Welcome       bool           `json:"welcome"`                   // a mail at once to who has confirmed
	Origins       []string       `json:"origins"`                   // sites whose pages may have the form
	Schedules     []scheduleView `json:"schedules"`
	CreatedAt     *time.Time     `json:"created_at"`
}

type scheduleView struct {
	Cadence string     `json:"cadence"`
	Slot    string     `json:"slot"`
	Rule    string     `json:"rule"`    // empty: sent by hand
	NextAt  *time.Time `json:"next_at"` // null: nothing is scheduled
}

type newsletterDetail struct {
	newsletterView
	Immediate *immediateView `json:"immediate"` // null: it is not offered
	Readers   map[string]int `json:"readers"`
	Sections  []sectionView  `json:"sections"`
	Sources   []sourceView   `json:"sources"`
}

// viewNewsletter returns a newsletter with the times that desk.NextSlots gives.
func viewNewsletter(n newsletter.Newsletter, next []newsletter.Due) newsletterView {
	v := newsletterView{
		Newsletter: n.Slug, Name: n.Name, Description: n.Description, Status: string(n.Status), From: n.From.String(),
		PostalAddress: n.PostalAddress, Language: n.Language, Zone: n.Zone, PrivacyURL: n.PrivacyURL,
		LegalFooter: n.LegalFooter, LinkParams: n.LinkParams, MinArticles: n.MinArticles, MaxArticles: n.MaxArticles,
		SiteURL: n.SiteURL, Design: string(newsletter.OrDesign(n.Design)), BrandColour: n.BrandColour, LogoURL: n.LogoURL,
		Typeface: string(newsletter.OrTypeface(n.Typeface)),
		Repeats:  string(n.Repeats), Related: n.Related, Approval: n.Approval.Word(), ApprovalLead: int(n.Approval.Lead.Minutes()), ApprovalUntil: int(n.Approval.Deadline.Minutes()),
		Canary: n.Canary.Word(), CanaryHold: int(n.Canary.Hold.Minutes()),
		Archive: string(newsletter.OrArchiveMode(n.Archive.Mode)), Canonical: n.Archive.Canonical,
		Welcome: n.Welcome, Origins: append([]string{}, n.Origins...), Schedules: []scheduleView{}, CreatedAt: utc(n.CreatedAt),
	}
	if n.ReplyTo != (newsletter.Address{}) {
		v.ReplyTo = n.ReplyTo.String()
	}
	for i, s := range n.Schedules {
		v.Schedules = append(v.Schedules, scheduleView{Cadence: string(s.Cadence), Slot: s.Slot, Rule: s.Rule.String(), NextAt: utc(next[i].At)})
	}
	return v
}

// welcomeOf says what who has confirmed gets at once.
func welcomeOf(n newsletter.Newsletter) string {
	if !n.Welcome {
		return "none"
	}
	return "a mail to who has confirmed"
}
