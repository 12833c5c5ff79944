package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// Stamped by the linker, see the Makefile. Nothing writes to them.
var (
	version = "dev"
	commit  = "none"
)

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show which version this is",
		GroupID: groupOperation,
		Long:    `Shows the version, the commit it was built from, and the Go version that built it.`,
		Example: `  broadsheet version
  broadsheet version --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.printJSON(struct {
					Version string `json:"version"`
					Commit  string `json:"commit"`
					Go      string `json:"go"`
					OS      string `json:"os"`
					Arch    string `json:"arch"`
				}{version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH})
			}
			fmt.Fprintf(a.stdout, "broadsheet %s (commit %s, %s, %s/%s)\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
