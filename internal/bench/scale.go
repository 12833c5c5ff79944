package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// imports measures the import of a file into a new database.
func (b *bench) imports(ctx context.Context) error {
	for range b.rounds {
		if err := b.importOnce(ctx, b.readers); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) importOnce(ctx context.Context, readers int) error {
	dir, err := b.site.folder("import")
	if err != nil {
		return err
	}
	u, err := b.site.newsroom(ctx, dir, readers)
	if err != nil {
		return err
	}
	what := counted(readers, "line")
	b.report.add("import", what, "rows/s", float64(readers)/u.Wall.Seconds())
	b.report.add("import", what, "CPU µs/row", micros(u.CPU)/float64(readers))
	b.report.add("import", what, "peak MB", float64(u.Peak)/megabyte)
	return os.RemoveAll(dir)
}

// scale sends editions of several sizes.
func (b *bench) scale(ctx context.Context) error {
	sink, err := startDiscard(ctx)
	if err != nil {
		return err
	}
	for _, readers := range b.sizes {
		if err := b.scaleTo(ctx, sink, readers); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", counted(readers, "reader"), err), sink.close())
		}
	}
	return sink.close()
}

func (b *bench) scaleTo(ctx context.Context, t target, readers int) error {
	s, dir, err := b.sender(ctx, t, readers)
	if err != nil {
		return err
	}
	what := counted(readers, "reader")
	add := func(metric string, value float64) { b.report.add("scale", what, metric, value) }
	add("messages/s", s.rate())
	add("CPU µs", s.perMessage(s.CPU))
	add("delivering µs", s.perMessage(s.since(s.took.First)))
	add("others %", 100*s.others)
	add("before first s", s.before.Seconds())
	add("whole s", s.Wall.Seconds())
	add("peak MB", float64(s.Peak)/megabyte)
	add("distinct at the sink", float64(s.took.Distinct))
	add("file before MB", float64(databaseSize(b.site.templates[readers]))/megabyte)
	add("file after MB", float64(databaseSize(dir))/megabyte)
	report, _, err := measure(b.site.command(ctx, dir, nil, "edition", "report", strconv.FormatInt(s.edition, 10), "--json"))
	if err != nil {
		return err
	}
	add("report s", report.Wall.Seconds())
	return os.RemoveAll(dir)
}
