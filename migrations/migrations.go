// Package migrations embeds the steps that bring a database to the shape this binary needs.
// There is a folder for each engine; steps only go forward.
package migrations

import "embed"

// SQLite holds the steps for SQLite, in the folder "sqlite".
//
//go:embed sqlite/*.sql
var SQLite embed.FS
