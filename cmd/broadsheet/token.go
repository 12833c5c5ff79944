package main

import (
	"fmt"
	"strconv"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"

	"github.com/spf13/cobra"
)

func newTokenCommand(a *app) *cobra.Command {
	return newGroup("token", "Tokens for the staff API",
		`A token lets a program use the staff API. It is shown once, when it is made, and kept only
as a hash. Its scopes say what it may do: subscribers:read, subscribers:write,
suppressions:read, suppressions:write, or all.`, groupOperation,
		tokenCreate(a), tokenList(a), tokenRevoke(a))
}

// tokenView is a token in JSON. Token is its number; Secret is there only when it was made.
type tokenView struct {
	Token      int64      `json:"token"`
	Name       string     `json:"name"`
	Secret     string     `json:"secret,omitempty"`
	Prefix     string     `json:"prefix"`
	Scopes     []string   `json:"scopes"`
	CreatedAt  *time.Time `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

func viewToken(t newsletter.Token) tokenView {
	v := tokenView{
		Token: t.ID, Name: t.Name, Prefix: t.Prefix, Scopes: []string{},
		CreatedAt: utc(t.CreatedAt), LastUsedAt: utc(t.LastUsedAt), RevokedAt: utc(t.RevokedAt),
	}
	for _, s := range t.Scopes {
		v.Scopes = append(v.Scopes, string(s))
	}
	return v
}

func tokenCreate(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create NAME [--scopes SCOPES]",
		Short: "Make a token for the staff API",
		Long: `Makes a token and prints it. Copy it now: it cannot be shown again. NAME says what it is
for. Give it the narrowest scopes that do.`,
		Example: `  broadsheet token create "members' area" --scopes subscribers:read
  export TOKEN=$(broadsheet token create sync --scopes subscribers:read,subscribers:write -q)`,
		Args: exactArgs("NAME"),
	}
	scopes := cmd.Flags().String("scopes", string(newsletter.ScopeReadSubscribers), "subscribers:read, subscribers:write, suppressions:read, suppressions:write, with commas, or all")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withReaders(cmd.Context(), func(_ *services, r *readers.Service) error {
			secret, t, err := r.CreateToken(cmd.Context(), args[0], *scopes)
			if err != nil {
				return err
			}
			if a.json {
				v := viewToken(t)
				v.Secret = secret
				return a.printJSON(v)
			}
			a.say("Made token %d, %s, with %s. This is its only showing:", t.ID, t.Name, newsletter.JoinScopes(t.Scopes))
			_, err = fmt.Fprintln(a.stdout, secret)
			return err
		})
	}
	return cmd
}

func tokenList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Show all tokens, without their secrets",
		Long:    `Shows all tokens, revoked ones too, by the beginning of each and when it was last used.`,
		Example: `  broadsheet token list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withReaders(cmd.Context(), func(_ *services, r *readers.Service) error {
				tokens, err := r.Tokens(cmd.Context())
				if err != nil {
					return err
				}
				if a.json {
					views := []tokenView{}
					for _, t := range tokens {
						views = append(views, viewToken(t))
					}
					return a.printJSON(views)
				}
				if len(tokens) == 0 {
					a.say("There is no token yet. Make one: broadsheet token create NAME")
					return nil
				}
				var rows [][]string
				for _, t := range tokens {
					state := "works"
					if !t.RevokedAt.IsZero() {
						state = "revoked " + local(t.RevokedAt)
					}
					rows = append(rows, []string{
						strconv.FormatInt(t.ID, 10), t.Name, t.Prefix + "…", newsletter.JoinScopes(t.Scopes), local(t.CreatedAt), local(t.LastUsedAt), state,
					})
				}
				a.printTable([]string{"TOKEN", "NAME", "BEGINS", "SCOPES", "MADE", "LAST USED", "STATE"}, rows)
				return nil
			})
		},
	}
}

func tokenRevoke(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "revoke NUMBER",
		Short:   "End a token at once",
		Long:    `Ends the token with that number, which "token list" shows, at once and for ever. It can be repeated.`,
		Example: `  broadsheet token revoke 1`,
		Args:    exactArgs("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id < 1 {
				return newsletter.Invalidf("token", "%q is not the number of a token; \"broadsheet token list\" shows them", args[0])
			}
			return a.withReaders(cmd.Context(), func(_ *services, r *readers.Service) error {
				if err := r.RevokeToken(cmd.Context(), id); err != nil {
					return err
				}
				if a.json {
					return a.printJSON(struct {
						Token   int64 `json:"token"`
						Revoked bool  `json:"revoked"`
					}{id, true})
				}
				a.say("Revoked token %d.", id)
				return nil
			})
		},
	}
}
