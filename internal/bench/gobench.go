package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// readersVariable tells the Go benchmarks how many readers there are.
const readersVariable = "BROADSHEET_READERS"

// plan runs the benchmarks of this package's tests, which go past the commands to the desk, and
// that of a morning of three newsletters.
func (b *bench) plan(ctx context.Context) error {
	if err := b.goBenchmarks(ctx, "plan", "^(BenchmarkSurvey|BenchmarkPlan)$", "1x", "./internal/bench"); err != nil {
		return err
	}
	return b.goBenchmarks(ctx, "plan", "^BenchmarkMorning$", "1x", "./internal/delivery")
}

// micro runs benchmarks that stand beside what they measure.
func (b *bench) micro(ctx context.Context) error {
	return b.goBenchmarks(ctx, "micro", "^(BenchmarkRender|BenchmarkComposeOne|BenchmarkAppend)$", "0.5s", "./internal/digest", "./internal/mail")
}

// goBenchmarks runs benchmarks with go test, and records each metric that they print. It has to run in the
// repository.
func (b *bench) goBenchmarks(ctx context.Context, part, pattern, benchtime string, packages ...string) error {
	args := append([]string{
		"test", "-run", "^$", "-bench", pattern, "-benchtime", benchtime, "-count", strconv.Itoa(b.rounds), "-timeout", "30m",
	}, packages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), readersVariable+"="+strconv.Itoa(b.sizes[len(b.sizes)-1]), "TMPDIR="+b.site.dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		b.recordBenchmark(part, lines.Text())
	}
	return nil
}

// recordBenchmark records a line such as "BenchmarkPlan-2  1  5 ns/op  7 rows/s".
func (b *bench) recordBenchmark(part, line string) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(fields[0], "Benchmark"), "-")
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			continue
		}
		switch unit := fields[i+1]; unit {
		case "ns/op":
			if part == "micro" {
				b.report.add(part, name, "µs", value/1e3)
			}
		case "B/op", "allocs/op", "MB/s":
		default:
			b.report.add(part, name, unit, value)
		}
	}
}
