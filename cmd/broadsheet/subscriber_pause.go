package main

import (
	"github.com/spf13/cobra"

	"broadsheet/internal/readers"
)

func subscriberPause(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pause EMAIL|NUMBER [--until DATE] [--newsletter SLUG]",
		Short: "Stop a reader's mails for a while",
		Long: `Stops the mails of one newsletter, or without --newsletter of all, until a day: the first
mail after it has the best of what was missed, as many articles as an edition has at most,
and the rest is not sent later. Without --until, "subscriber resume" ends the pause.

The day begins at midnight in the reader's time zone, or else in that of the newsletter.`,
		Example: `  broadsheet subscriber pause vera@example.org --until 2027-01-07
  broadsheet subscriber pause vera@example.org --newsletter daily-news`,
		Args: exactArgs("EMAIL|NUMBER"),
	}
	slug := newsletterFlag(cmd)
	until := cmd.Flags().String("until", "", "the first day with mail again, such as 2027-01-07")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withReaders(cmd.Context(), func(s *services, r *readers.Service) error {
			sub, _, changed, err := r.Pause(cmd.Context(), args[0], *slug, *until, s.origin(""))
			if err != nil {
				return err
			}
			return a.sayChanged(cmd.Context(), r, sub, pausedWords(changed, "Paused", "Paused already"))
		})
	}
	return cmd
}

func subscriberResume(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "resume EMAIL|NUMBER [--newsletter SLUG]",
		Short:   "Let a paused reader's mails go on",
		Long:    `Ends a pause at once, of one newsletter or without --newsletter of all.`,
		Example: `  broadsheet subscriber resume vera@example.org`,
		Args:    exactArgs("EMAIL|NUMBER"),
	}
	slug := newsletterFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withReaders(cmd.Context(), func(s *services, r *readers.Service) error {
			sub, changed, err := r.Resume(cmd.Context(), args[0], *slug, s.origin(""))
			if err != nil {
				return err
			}
			return a.sayChanged(cmd.Context(), r, sub, pausedWords(changed, "Goes on", "Was not paused"))
		})
	}
	return cmd
}

func pausedWords(changed int, done, before string) string {
	if changed == 0 {
		return before
	}
	return done
}
