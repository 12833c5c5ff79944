package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// report is every figure of a run.
type report struct {
	Machine machine   `json:"machine"`
	Figures []*figure `json:"figures"`
}

// figure is one thing that was measured, once or several times.
type figure struct {
	Bench  string    `json:"bench"`
	What   string    `json:"what"`
	Metric string    `json:"metric"` // with its unit
	Min    float64   `json:"min"`
	Median float64   `json:"median"`
	Max    float64   `json:"max"`
	Values []float64 `json:"values"` // in the order in which they were measured
}

// add records a value.
func (r *report) add(bench, what, metric string, value float64) {
	i := slices.IndexFunc(r.Figures, func(f *figure) bool { return f.Bench == bench && f.What == what && f.Metric == metric })
	if i < 0 {
		i = len(r.Figures)
		r.Figures = append(r.Figures, &figure{Bench: bench, What: what, Metric: metric})
	}
	f := r.Figures[i]
	f.Values = append(f.Values, value)
	sorted := slices.Sorted(slices.Values(f.Values))
	f.Min, f.Max = sorted[0], sorted[len(sorted)-1]
	f.Median = (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// print prints the figures of a benchmark: a line for each thing, a column for each metric, each value as
// the median with the least and the greatest behind it.
func (r *report) print(out io.Writer, bench string) {
	var things, metrics []string
	cells := map[[2]string]string{}
	for _, f := range r.Figures {
		if f.Bench != bench {
			continue
		}
		if !slices.Contains(things, f.What) {
			things = append(things, f.What)
		}
		if !slices.Contains(metrics, f.Metric) {
			metrics = append(metrics, f.Metric)
		}
		cells[[2]string{f.What, f.Metric}] = f.String()
	}
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintf(w, "\t%s\n", strings.Join(metrics, "\t"))
	for _, thing := range things {
		fmt.Fprint(w, thing)
		for _, m := range metrics {
			fmt.Fprintf(w, "\t%s", cells[[2]string{thing, m}])
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
}

// String returns the median, with the range if there is one.
func (f *figure) String() string {
	if len(f.Values) < 2 {
		return number(f.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", number(f.Median), number(f.Min), number(f.Max))
}

// number writes a value with three digits, or without a fraction if it has more.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100:
		return grouped(fmt.Sprintf("%.0f", v))
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// grouped puts a comma before every third digit from the right.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
