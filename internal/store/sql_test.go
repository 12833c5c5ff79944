package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`\$(\d+)`)

// A statement whose placeholders are not first used in order is silently wrong: SQLite
// numbers $2 as the first parameter where it comes first.
func TestStatements_UsePlaceholdersInOrder(t *testing.T) {
	t.Parallel()
	files := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	statements := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil || !placeholder.MatchString(text) {
				return true
			}
			statements++
			if problem := placeholderProblem(text); problem != "" {
				t.Errorf("%s: %s in\n%s", files.Position(lit.Pos()), problem, text)
			}
			return true
		})
	}
	if statements < 60 {
		t.Errorf("only %d statements found: does the test still see them?", statements)
	}
}

// placeholderProblem returns what is wrong with a statement's placeholders, or "".
func placeholderProblem(statement string) string {
	next := 1
	for _, m := range placeholder.FindAllStringSubmatch(statement, -1) {
		n, err := strconv.Atoi(m[1])
		switch {
		case err != nil:
			return err.Error()
		case n > next:
			return "$" + m[1] + " comes before $" + strconv.Itoa(next)
		case n == next:
			next++
		}
	}
	return ""
}

func TestPlaceholderProblem_SeesDisorder(t *testing.T) {
	t.Parallel()
	for statement, ok := range map[string]bool{
		"SELECT $1, $2, $1, $3": true,
		"SELECT $2, $1":         false,
		"SELECT $1, $3":         false,
	} {
		if got := placeholderProblem(statement) == ""; got != ok {
			t.Errorf("placeholderProblem(%q) ok = %v, want %v", statement, got, ok)
		}
	}
}
