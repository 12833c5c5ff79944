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
	MinArticles   int            `json:"min_articles"`
	MaxArticles   int            `json:"max_articles"`
	Schedules     []scheduleView `json:"schedules"`
	CreatedAt     *time.Time     `json:"created_at"`
}

type scheduleView struct {
	Cadence string     `json:"cadence"`
	Rule    string     `json:"rule"`    // empty: sent by hand
	NextAt  *time.Time `json:"next_at"` // null: nothing is scheduled
}

type newsletterDetail struct {
	newsletterView
	Readers  map[string]int `json:"readers"`
	Sections []sectionView  `json:"sections"`
	Sources  []sourceView   `json:"sources"`
}

func viewNewsletter(n newsletter.Newsletter, now time.Time) newsletterView {
	v := newsletterView{
		Newsletter: n.Slug, Name: n.Name, Description: n.Description, Status: string(n.Status), From: n.From.String(),
		PostalAddress: n.PostalAddress, Language: n.Language, Zone: n.Zone, PrivacyURL: n.PrivacyURL,
		LegalFooter: n.LegalFooter, LinkParams: n.LinkParams, MinArticles: n.MinArticles, MaxArticles: n.MaxArticles,
		Schedules: []scheduleView{}, CreatedAt: utc(n.CreatedAt),
	}
	if n.ReplyTo != (newsletter.Address{}) {
		v.ReplyTo = n.ReplyTo.String()
	}
	zone, err := n.Location()
	for _, s := range n.Schedules {
		sv := scheduleView{Cadence: string(s.Cadence), Rule: s.Rule.String()}
		if err == nil && n.Status == newsletter.Open {
			if due, ok := s.Rule.Next(now, zone); ok {
				sv.NextAt = utc(due.At)
			}
		}
		v.Schedules = append(v.Schedules, sv)
	}
	return v
}
