package main

import (
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

// sponsorFlags are what a sponsor's message has.
type sponsorFlags struct {
	file, link, image, alt string
}

func (s *sponsorFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.file, "file", "", "a file with the message, in Markdown; - reads standard input")
	f.StringVar(&s.link, "link", "", "where it leads")
	f.StringVar(&s.image, "image", "", "the address of its picture")
	f.StringVar(&s.alt, "alt", "", "what the picture shows, for who does not see it")
}

// block returns the flags as a block.
func (s *sponsorFlags) block(a *app) (newsletter.SheetBlock, error) {
	text, err := a.readText("file", s.file)
	return newsletter.SheetBlock{Text: text, URL: s.link, ImageURL: s.image, ImageAlt: s.alt}, err
}

func editionSponsor(a *app) *cobra.Command {
	var flags sponsorFlags
	var position int
	var booking int64
	var sponsor string
	cmd := &cobra.Command{
		Use:   "sponsor ID",
		Short: "Put a sponsor's message into a draft",
		Long: `Puts a sponsor's message into a draft, at a position among the stories: 2 is after the
lead. It is always labelled as advertising and says who paid, in text and HTML, and every
reader of the edition sees it. "edition edit" moves, changes and removes it. With --booking
it is what was booked by "sponsor book", whatever day that was for.`,
		Example: `  broadsheet edition sponsor 42 --sponsor "Leaf Ltd" --position 2 --file ad.md --link https://www.example.org/leaf
  broadsheet edition sponsor 42 --sponsor "Leaf Ltd" --file ad.md --image https://www.example.org/leaf.png --alt "A cup of tea"
  broadsheet edition sponsor 42 --booking 7`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			if booking != 0 {
				if sponsor != "" || flags != (sponsorFlags{}) || cmd.Flags().Changed("position") {
					return usagef("--booking goes alone: it has its message, sponsor and position; \"broadsheet sponsor copy\" changes the message")
				}
				return a.withPress(cmd.Context(), func(s *services) error {
					draft, err := s.desk.PlaceBooking(cmd.Context(), id, booking)
					if err != nil {
						return err
					}
					return a.printDraft(cmd.Context(), s, draft)
				})
			}
			if flags.file == "" {
				return newsletter.Invalidf("file", "say which file has the message")
			}
			if sponsor == "" {
				return newsletter.Invalidf("sponsor", "say who pays; the law wants advertising to say so")
			}
			block, err := flags.block(a)
			if err != nil {
				return err
			}
			block.Sponsor = sponsor
			return a.withPress(cmd.Context(), func(s *services) error {
				draft, err := s.desk.PlaceSponsor(cmd.Context(), id, block, position)
				if err != nil {
					return err
				}
				return a.printDraft(cmd.Context(), s, draft)
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().IntVar(&position, "position", newsletter.MinSponsorPosition, "its place among the stories")
	cmd.Flags().Int64Var(&booking, "booking", 0, "what was booked, by its number")
	cmd.Flags().StringVar(&sponsor, "sponsor", "", "who pays, as readers are told")
	return cmd
}
