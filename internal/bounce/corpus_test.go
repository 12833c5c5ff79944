//go:build corpus

package bounce

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

// expectation is one row of expected.tsv: what a file says of one recipient.
type expectation struct {
	file  string
	index int // from 0
	kind  newsletter.ReturnKind
	text  string // the row, to be shown
}

// TestCorpus_ReadsRight reads a folder of real messages that are not part of the project:
// expected.tsv and eml/. It prints what was expected and how it was read, and fails where under
// nine of ten are right, or one that is not hard, or no complaint, is read as such.
//
//	make corpus CORPUS=../shared/corpus/bounces
func TestCorpus_ReadsRight(t *testing.T) {
	dir := os.Getenv("BROADSHEET_BOUNCE_CORPUS")
	if dir == "" {
		t.Fatal("set BROADSHEET_BOUNCE_CORPUS to the folder with expected.tsv and eml/; make corpus CORPUS=dir does it")
	}
	expected := readExpected(t, filepath.Join(dir, "expected.tsv"))
	table := map[newsletter.ReturnKind]map[newsletter.ReturnKind]int{}
	right, harm := 0, 0
	for _, e := range expected {
		report := readFile(t, filepath.Join(dir, "eml", e.file))
		got, why := newsletter.ReturnOther, ""
		if e.index < len(report.Recipients) {
			r := report.Recipients[e.index]
			got, why = r.Kind, fmt.Sprintf("%s %d %s: %.160s", r.Reason, r.Code, r.Status, r.Diagnostic)
		}
		if table[e.kind] == nil {
			table[e.kind] = map[newsletter.ReturnKind]int{}
		}
		table[e.kind][got]++
		if got == e.kind {
			right++
			continue
		}
		t.Logf("MISREAD %s\tas %s (%s)", e.text, got, why)
		if got == newsletter.ReturnHard || got == newsletter.ReturnComplaint {
			harm++
		}
	}
	printTable(t, table)
	share := 100 * float64(right) / float64(len(expected))
	t.Logf("%d of %d right: %.1f %%", right, len(expected), share)
	if share < 90 {
		t.Errorf("under 90 %% are right")
	}
	if harm > 0 {
		t.Errorf("%d are read as hard or complaint and are not", harm)
	}
}

// readExpected derives the kinds from the columns as the README of the corpus says.
func readExpected(t *testing.T, name string) []expectation {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []expectation
	for _, row := range rows[1:] {
		e := expectation{file: row[0], kind: newsletter.ReturnSoft, text: strings.Join(row, " ")}
		index, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatalf("%s: the index: %v", e.text, err)
		}
		e.index = index - 1
		switch {
		case row[5] == "true":
			e.kind = newsletter.ReturnHard
		case row[4] == "feedback":
			e.kind = newsletter.ReturnComplaint
		case row[4] == "vacation":
			e.kind = newsletter.ReturnAutoReply
		case row[4] == "delivered":
			e.kind = newsletter.ReturnOther
		}
		all = append(all, e)
	}
	return all
}

func readFile(t *testing.T, name string) Report {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	report, err := Read(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return report
}

func printTable(t *testing.T, table map[newsletter.ReturnKind]map[newsletter.ReturnKind]int) {
	kinds := newsletter.ReturnKinds()
	row := fmt.Sprintf("%-22s", "expected \\ read")
	for _, k := range kinds {
		row += fmt.Sprintf("%12s", k)
	}
	t.Log(row)
	for _, k := range kinds {
		row = fmt.Sprintf("%-22s", k)
		for _, got := range kinds {
			row += fmt.Sprintf("%12d", table[k][got])
		}
		t.Log(row)
	}
}
