package main

import (
	"context"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

func newsletterSkip(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "skip SLUG DATE",
		Short: "Let the slots of a date pass without an edition",
		Long: `Lets the newsletter's slots of a date pass without an edition, for a holiday. What would
have been in them is in the next edition. --slot names one of several. --undo takes it back
as long as the slot is still to come. The date is one in the newsletter's zone. It can be
repeated.`,
		Example: `  broadsheet newsletter skip daily-news 2026-12-25
  broadsheet newsletter skip daily-news 2026-12-24 --slot daily/evening
  broadsheet newsletter skip daily-news 2026-12-25 --undo`,
		Args: exactArgs("SLUG", "DATE"),
	}
	undo := cmd.Flags().Bool("undo", false, "take the skip back")
	only := cmd.Flags().String("slot", "", "only this slot of the date: daily, or daily/evening (default: all)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		date, err := newsletter.ParseDate(args[1])
		if err != nil {
			return err
		}
		return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
			if *undo {
				return a.unskip(cmd.Context(), s, args[0], date, *only)
			}
			return a.skip(cmd.Context(), s, args[0], date, *only)
		})
	}
	return cmd
}

type skipView struct {
	Newsletter string     `json:"newsletter"`
	Date       string     `json:"date"`
	Cadence    string     `json:"cadence"`
	Slot       string     `json:"slot"`
	DueAt      *time.Time `json:"due_at"`
}

func (a *app) skip(ctx context.Context, s *services, slug string, date newsletter.Date, only string) error {
	n, err := s.desk.Newsletter(ctx, slug)
	if err != nil {
		return err
	}
	zone, err := n.Location()
	if err != nil {
		return err
	}
	skipped, err := s.desk.SkipDate(ctx, slug, date, only)
	if err != nil {
		return err
	}
	views := []skipView{}
	for _, slot := range skipped {
		views = append(views, skipView{slug, date.String(), string(slot.Cadence), slot.Slot, utc(slot.DueAt)})
		word := "Skipped"
		if !slot.New {
			word = "Was skipped already:"
		}
		a.say("%s the %s slot of %s on %s.", word, slot.Name(), slug, inZone(slot.DueAt, zone))
	}
	if a.json {
		return a.printJSON(views)
	}
	return nil
}

func (a *app) unskip(ctx context.Context, s *services, slug string, date newsletter.Date, only string) error {
	count, err := s.desk.UnskipDate(ctx, slug, date, only)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			Newsletter string `json:"newsletter"`
			Date       string `json:"date"`
			Undone     int    `json:"undone"`
		}{slug, date.String(), count})
	}
	a.say("%s on %s is due again (%s).", slug, date, counted(count, "slot", "slots"))
	return nil
}
