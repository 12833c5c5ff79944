package main

import (
	"net/url"
	"strings"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/feed"
	"broadsheet/internal/newsletter"
)

// proposal is what init proposes for a newsletter.
type proposal struct {
	Slug, Name, Language, Zone, Daily string
}

// propose makes proposals from a feed: its title, its language, and the zone of the country
// that its language or its address names, else the machine's.
func propose(f *feed.Feed, now time.Time) proposal {
	p := proposal{Name: cut(strings.Join(strings.Fields(f.Title), " "), 100), Language: f.Language, Daily: "mon-fri 07:00"}
	if p.Name == "" {
		p.Name = hostOf(f)
	}
	if p.Slug = desk.Slugify(p.Name); newsletter.CheckSlug(p.Slug) != nil {
		p.Slug = "daily-news"
	}
	if p.Language == "" {
		p.Language = "en"
	}
	p.Zone = zoneOf(p.Language, hostOf(f), now)
	return p
}

func hostOf(f *feed.Feed) string {
	for _, raw := range []string{f.SiteURL, f.FinalURL} {
		if u, err := url.Parse(raw); err == nil && u.Hostname() != "" {
			return strings.TrimPrefix(u.Hostname(), "www.")
		}
	}
	return ""
}

func zoneOf(language, host string, now time.Time) string {
	for _, part := range strings.Split(language, "-")[1:] {
		if zone := zoneOfCountry(strings.ToLower(part)); zone != "" {
			return zone
		}
	}
	if zone := zoneOfCountry(host[strings.LastIndexByte(host, '.')+1:]); zone != "" {
		return zone
	}
	// A machine's zone is proposed only by a name that the schedule can use.
	if name := now.Location().String(); strings.Contains(name, "/") {
		return name
	}
	return "UTC"
}

// zoneOfCountry returns the zone of a country that has one, or where most of its people
// live in one, by its two letters; "" if it is better to ask.
func zoneOfCountry(code string) string {
	switch code {
	case "gb", "uk":
		return "Europe/London"
	case "ie":
		return "Europe/Dublin"
	case "at":
		return "Europe/Vienna"
	case "be":
		return "Europe/Brussels"
	case "bg":
		return "Europe/Sofia"
	case "ch":
		return "Europe/Zurich"
	case "cz":
		return "Europe/Prague"
	case "de":
		return "Europe/Berlin"
	case "dk":
		return "Europe/Copenhagen"
	case "es":
		return "Europe/Madrid"
	case "fi":
		return "Europe/Helsinki"
	case "fr":
		return "Europe/Paris"
	case "gr":
		return "Europe/Athens"
	case "hu":
		return "Europe/Budapest"
	case "it":
		return "Europe/Rome"
	case "nl":
		return "Europe/Amsterdam"
	case "no":
		return "Europe/Oslo"
	case "pl":
		return "Europe/Warsaw"
	case "pt":
		return "Europe/Lisbon"
	case "ro":
		return "Europe/Bucharest"
	case "se":
		return "Europe/Stockholm"
	case "tr":
		return "Europe/Istanbul"
	case "ua":
		return "Europe/Kyiv"
	case "ar":
		return "America/Argentina/Buenos_Aires"
	case "us": // the East: a digest for the whole country goes out when it is morning there
		return "America/New_York"
	case "eg":
		return "Africa/Cairo"
	case "ke":
		return "Africa/Nairobi"
	case "ng":
		return "Africa/Lagos"
	case "za":
		return "Africa/Johannesburg"
	case "hk":
		return "Asia/Hong_Kong"
	case "in":
		return "Asia/Kolkata"
	case "jp":
		return "Asia/Tokyo"
	case "kr":
		return "Asia/Seoul"
	case "sg":
		return "Asia/Singapore"
	case "tw":
		return "Asia/Taipei"
	case "nz":
		return "Pacific/Auckland"
	}
	return ""
}
