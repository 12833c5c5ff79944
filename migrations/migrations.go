// Package migrations embeds the steps that bring a database to the shape this binary needs.
// There is a folder for each engine; steps only go forward.
//
// Each step stands between StatementBegin and StatementEnd, so that goose hands it to the
// database whole. Cutting it into statements took longer than carrying them out.
package migrations

import "embed"

// SQLite holds the steps for SQLite, in the folder "sqlite".
//
//go:embed sqlite/*.sql
var SQLite embed.FS
