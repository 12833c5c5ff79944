package main

import (
	"strconv"
	"strings"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

// exactArgs wants just these arguments, and says which are missing by their names.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usagef("%s is missing: %s", strings.Join(names[len(args):], " and "), cmd.UseLine())
		case len(args) > len(names):
			return usagef("%q is too much: %s", args[len(names)], cmd.UseLine())
		}
		return nil
	}
}

// changedString returns the flag's value, or nil if it was not given.
func changedString(cmd *cobra.Command, name string) *string {
	if !cmd.Flags().Changed(name) {
		return nil
	}
	return new(cmd.Flags().Lookup(name).Value.String())
}

// changedInt returns the flag's value, or nil if it was not given.
func changedInt(cmd *cobra.Command, name string) *int {
	if !cmd.Flags().Changed(name) {
		return nil
	}
	v, err := cmd.Flags().GetInt(name)
	if err != nil { // it is defined as another type: a mistake of the program
		return nil
	}
	return &v
}

// changedBool returns the flag's value, or nil if it was not given.
func changedBool(cmd *cobra.Command, name string) *bool {
	if !cmd.Flags().Changed(name) {
		return nil
	}
	v, err := cmd.Flags().GetBool(name)
	if err != nil { // it is defined as another type: a mistake of the program
		return nil
	}
	return &v
}

// parseArticle reads the number of an article.
func parseArticle(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, newsletter.Invalidf("article", "%q is not the number of an article, such as 42", text)
	}
	return id, nil
}

// splitList splits a list with commas. A comma in a value is written \,.
func splitList(text string) []string {
	const kept = "\x00"
	parts := strings.Split(strings.ReplaceAll(text, `\,`, kept), ",")
	var list []string
	for _, p := range parts {
		if p = strings.TrimSpace(strings.ReplaceAll(p, kept, ",")); p != "" {
			list = append(list, p)
		}
	}
	return list
}
