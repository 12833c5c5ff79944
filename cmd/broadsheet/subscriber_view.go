package main

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// subscriberView is a subscriber in JSON, as in the API.
type subscriberView struct {
	Subscriber    int64              `json:"subscriber"`
	Email         string             `json:"email"`
	Name          string             `json:"name"`
	TimeZone      string             `json:"time_zone"`
	CreatedAt     *time.Time         `json:"created_at"`
	Subscriptions []subscriptionView `json:"subscriptions"`
}

type subscriptionView struct {
	Newsletter  string     `json:"newsletter"`
	State       string     `json:"state"`
	Cadence     string     `json:"cadence"`
	Slot        string     `json:"slot"`
	Sections    []string   `json:"sections"` // slugs; empty: everything
	CreatedAt   *time.Time `json:"created_at"`
	JoinedAt    *time.Time `json:"joined_at,omitempty"`
	LeftAt      *time.Time `json:"left_at,omitempty"`
	PausedUntil *time.Time `json:"paused_until,omitempty"`
}

type subscriberDetail struct {
	subscriberView
	subscriberStanding
	Events  []eventView  `json:"events"`
	Returns []returnView `json:"returns"` // what came back of messages, the newest first
}

type eventView struct {
	Event        int64      `json:"event"`
	Newsletter   string     `json:"newsletter"`
	Kind         string     `json:"kind"`
	At           *time.Time `json:"at"`
	Channel      string     `json:"channel"`
	Page         string     `json:"page,omitempty"`
	Placement    string     `json:"placement,omitempty"`
	IP           string     `json:"ip,omitempty"`
	UserAgent    string     `json:"user_agent,omitempty"`
	Actor        string     `json:"actor,omitempty"`
	Note         string     `json:"note,omitempty"`
	Edition      int64      `json:"edition,omitempty"`
	Words        string     `json:"words,omitempty"`
	WordsVersion string     `json:"words_version,omitempty"`
}

// subscriberViewer makes views and remembers the sections of newsletters.
type subscriberViewer struct {
	readers  *readers.Service
	sections map[string][]newsletter.Section // by the newsletter's slug
}

func (v *subscriberViewer) view(ctx context.Context, s newsletter.Subscriber) (subscriberView, error) {
	view := subscriberView{
		Subscriber: s.ID, Email: s.Email, Name: s.Name, TimeZone: s.TimeZone, CreatedAt: utc(s.CreatedAt),
		Subscriptions: []subscriptionView{},
	}
	for _, u := range s.Subscriptions {
		sections, err := v.slugs(ctx, u)
		if err != nil {
			return view, err
		}
		view.Subscriptions = append(view.Subscriptions, subscriptionView{
			Newsletter: u.NewsletterSlug, State: string(u.State), Cadence: string(u.Cadence), Slot: u.Slot, Sections: sections,
			CreatedAt: utc(u.CreatedAt), JoinedAt: utc(u.JoinedAt), LeftAt: utc(u.LeftAt), PausedUntil: utc(u.PausedUntil),
		})
	}
	return view, nil
}

// slugs returns the sections that a subscription chooses.
func (v *subscriberViewer) slugs(ctx context.Context, u newsletter.Subscription) ([]string, error) {
	slugs := []string{}
	if u.Sections == 0 {
		return slugs, nil
	}
	sections, ok := v.sections[u.NewsletterSlug]
	if !ok {
		var err error
		if _, sections, err = v.readers.Newsletter(ctx, u.NewsletterSlug); err != nil {
			return nil, err
		}
		if v.sections == nil {
			v.sections = map[string][]newsletter.Section{}
		}
		v.sections[u.NewsletterSlug] = sections
	}
	for _, s := range sections {
		if u.Sections.Has(s) {
			slugs = append(slugs, s.Slug)
		}
	}
	return slugs, nil
}

func viewEvents(events []newsletter.Event) []eventView {
	views := []eventView{}
	for _, e := range events {
		views = append(views, eventView{
			Event: e.ID, Newsletter: e.Newsletter, Kind: string(e.Kind), At: utc(e.At), Channel: e.Channel, Page: e.Page,
			Placement: e.Placement, IP: e.IP, UserAgent: e.UserAgent, Actor: e.Actor, Note: e.Note, Edition: e.EditionID,
			Words: e.Words, WordsVersion: e.WordsVersion,
		})
	}
	return views
}

// jsonArray prints an array one element at a time, as printJSON would print the whole: a
// list of all subscribers need not fit into memory.
type jsonArray struct {
	w     io.Writer
	begun bool
}

func (j *jsonArray) add(v any) error {
	text, err := json.MarshalIndent(v, "  ", "  ")
	if err != nil {
		return err
	}
	lead := ",\n  "
	if !j.begun {
		lead = "[\n  "
	}
	j.begun = true
	_, err = j.w.Write(append([]byte(lead), text...))
	return err
}

func (j *jsonArray) end() error {
	tail := "\n]\n"
	if !j.begun {
		tail = "[]\n"
	}
	_, err := io.WriteString(j.w, tail)
	return err
}
