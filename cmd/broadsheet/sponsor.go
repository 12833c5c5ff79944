package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func newSponsorCommand(a *app) *cobra.Command {
	return newGroup("sponsor", "Book sponsors' messages ahead",
		`A sponsor's message can be booked for a newsletter and a date, and its text may come
later. It enters the editions of that date when they are built, by the schedule, by send or
as a draft; an extra edition has it only if no other of that date has. Without its text the
edition goes without it; a day before, that is an alarm.

"edition sponsor" puts a message into one draft.`, groupThings,
		sponsorBook(a), sponsorList(a), sponsorCopy(a), sponsorCancel(a))
}

type bookingView struct {
	Booking    int64   `json:"booking"`
	Newsletter string  `json:"newsletter"`
	Cadence    string  `json:"cadence"` // empty: every edition of the date
	Date       string  `json:"date"`
	Position   int     `json:"position"`
	Sponsor    string  `json:"sponsor"`
	Copy       string  `json:"copy"` // empty: it has not come
	Link       string  `json:"link"`
	Image      string  `json:"image"`
	Alt        string  `json:"alt"`
	ChangedBy  string  `json:"changed_by"`
	Editions   []int64 `json:"editions"`   // that have it
	NoEdition  bool    `json:"no_edition"` // the schedule makes none that it is for
}

func viewBooking(b newsletter.Booking) bookingView {
	return bookingView{b.ID, b.Newsletter, string(b.Cadence), b.Date.String(), b.Position, b.Sponsor, b.Text, b.URL, b.ImageURL, b.ImageAlt, b.ChangedBy, list(b.Editions), b.NoEdition}
}

func bookingID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id < 1 {
		return 0, newsletter.Invalidf("booking", "%q is not the number of a booking; \"broadsheet sponsor list\" shows them", arg)
	}
	return id, nil
}

// printBooking says what became of a booking.
func (a *app) printBooking(b newsletter.Booking, what string) error {
	if a.json {
		return a.printJSON(viewBooking(b))
	}
	a.say("Booking %d, %s in %s of %s at position %d, is %s.", b.ID, b.Sponsor, b.Newsletter, b.Date, b.Position, what)
	if b.NoEdition {
		a.warn("%s", noEditionOf(b))
	}
	if b.Text == "" && b.CancelledAt.IsZero() {
		a.say("Its message is still to come: broadsheet sponsor copy %d --file ad.md", b.ID)
	}
	return nil
}

func sponsorBook(a *app) *cobra.Command {
	var flags sponsorFlags
	var b newsletter.Booking
	var date, cadence string
	var force bool
	cmd := &cobra.Command{
		Use:   "book NEWSLETTER",
		Short: "Book a sponsor's message for a date",
		Long: `Books a sponsor's message for the newsletter's editions of a date. Two at the same place
are refused unless --force is given. The message can come later, by "sponsor copy".`,
		Example: `  broadsheet sponsor book daily-news --date 2026-12-01 --sponsor "Leaf Ltd" --file ad.md --link https://www.example.org/leaf
  broadsheet sponsor book daily-news --date 2026-12-02 --sponsor "Leaf Ltd" --position 4`,
		Args: exactArgs("NEWSLETTER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if b.Date, err = newsletter.ParseDate(date); err != nil {
				return err
			}
			if cadence != "" {
				if b.Cadence, err = newsletter.ParseCadence(cadence); err != nil {
					return err
				}
			}
			block, err := flags.block(a)
			if err != nil {
				return err
			}
			b.Text, b.URL, b.ImageURL, b.ImageAlt = block.Text, block.URL, block.ImageURL, block.ImageAlt
			return a.withPress(cmd.Context(), func(s *services) error {
				booked, err := s.desk.BookSponsor(cmd.Context(), args[0], b, force)
				if err != nil {
					return err
				}
				return a.printBooking(booked, "booked")
			})
		},
	}
	flags.add(cmd)
	f := cmd.Flags()
	f.StringVar(&date, "date", "", "the date of the edition, such as 2026-12-01")
	f.StringVar(&b.Sponsor, "sponsor", "", "who pays, as readers are told")
	f.IntVar(&b.Position, "position", newsletter.MinSponsorPosition, "its place among the stories; 2 is after the lead")
	f.StringVar(&cadence, "cadence", "", "only in this edition of the date")
	f.BoolVar(&force, "force", false, "even if another one has the place")
	return cmd
}

func sponsorList(a *app) *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use:   "list [NEWSLETTER]",
		Short: "Show what is booked, and which editions have it",
		Long: `Shows what is booked from today on, or from another date, which editions have it, and what
is to be done about it.`,
		Example: `  broadsheet sponsor list daily-news
  broadsheet sponsor list daily-news --from 2026-11-01`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var since newsletter.Date
			if from != "" {
				var err error
				if since, err = newsletter.ParseDate(from); err != nil {
					return newsletter.Invalidf("from", "%q is not a date; write it as 2026-11-01", from)
				}
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				bookings, err := s.desk.Bookings(cmd.Context(), strings.Join(args, ""), since)
				if err != nil {
					return err
				}
				return a.showBookings(bookings)
			})
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "also what was booked for the days since then")
	return cmd
}

func (a *app) showBookings(bookings []newsletter.Booking) error {
	views, rows := []bookingView{}, [][]string{}
	today := newsletter.DateOf(a.now()).AddDays(-1) // it may be today still somewhere
	for _, b := range bookings {
		todo := missing(b, bookings)
		if b.Date.Before(today) {
			if todo = ""; len(b.Editions) == 0 {
				todo = "no edition had it"
			}
		}
		views = append(views, viewBooking(b))
		rows = append(rows, []string{fmt.Sprint(b.ID), b.Date.String(), b.Newsletter, string(b.Cadence), fmt.Sprint(b.Position), cut(b.Sponsor, 40), ranIn(b), todo})
	}
	switch {
	case a.json:
		return a.printJSON(views)
	case len(rows) == 0:
		a.say("Nothing is booked. Book: broadsheet sponsor book NEWSLETTER --date 2026-12-01 --sponsor \"Leaf Ltd\"")
		return nil
	}
	a.printTable([]string{"BOOKING", "DATE", "NEWSLETTER", "CADENCE", "POSITION", "SPONSOR", "EDITIONS", "TO DO"}, rows)
	return nil
}

// missing says what is to be done about a booking.
func missing(b newsletter.Booking, all []newsletter.Booking) string {
	var todo []string
	if b.NoEdition && len(b.Editions) == 0 {
		todo = append(todo, noEditionOf(b))
	}
	if b.Text == "" {
		todo = append(todo, "its message has not come")
	}
	if i := slices.IndexFunc(all, b.Clashes); i >= 0 {
		todo = append(todo, fmt.Sprintf("the same place as booking %d", all[i].ID))
	}
	return strings.Join(todo, "; ")
}

func noEditionOf(b newsletter.Booking) string {
	return fmt.Sprintf("%s has no %s on %s, a %s: only one that is sent by hand has it", b.Newsletter, strings.TrimSpace(string(b.Cadence)+" edition"), b.Date, b.Date.Weekday())
}

// ranIn names the editions that have a booking.
func ranIn(b newsletter.Booking) string {
	var ids []string
	for _, id := range b.Editions {
		ids = append(ids, fmt.Sprint(id))
	}
	return strings.Join(ids, ", ")
}

func sponsorCopy(a *app) *cobra.Command {
	var flags sponsorFlags
	cmd := &cobra.Command{
		Use:   "copy BOOKING",
		Short: "Give a booking its message",
		Long: `Gives a booking its message: all of it, so that what is left out is removed. A draft that
was made before takes it in by "edition refresh"; what is frozen does not change.`,
		Example: `  broadsheet sponsor copy 7 --file ad.md --link https://www.example.org/leaf`,
		Args:    exactArgs("BOOKING"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := bookingID(args[0])
			if err != nil {
				return err
			}
			if flags.file == "" {
				return newsletter.Invalidf("file", "say which file has the message")
			}
			block, err := flags.block(a)
			if err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				b, err := s.desk.SetSponsorCopy(cmd.Context(), id, block)
				if err != nil {
					return err
				}
				return a.printBooking(b, "complete")
			})
		},
	}
	flags.add(cmd)
	return cmd
}

func sponsorCancel(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "cancel BOOKING",
		Short:   "End a booking",
		Long:    `Ends a booking. A draft that has it keeps it until it is edited, and so does what is frozen.`,
		Example: `  broadsheet sponsor cancel 7`,
		Args:    exactArgs("BOOKING"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := bookingID(args[0])
			if err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				b, err := s.desk.CancelBooking(cmd.Context(), id)
				if err != nil {
					return err
				}
				return a.printBooking(b, "cancelled")
			})
		},
	}
}
