// Command testreport runs go test with the arguments it is given and prints what go test prints without -v,
// except that it also names every skipped test, and fails if there was one: a test that quietly stops
// running protects nobody. `make test` calls it.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func main() {
	ok, err := run(".", os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run runs go test in a folder and reports whether every test ran and passed. An error means that the tests could not be run or read.
func run(dir string, args []string, out io.Writer) (ok bool, err error) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...) //nolint:noctx // Ctrl-C reaches go test through the process group.
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return false, err
	}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	skipped, readErr := report(events, out)
	if readErr != nil {
		// Whatever was not read must not block go test.
		_, _ = io.Copy(io.Discard, events)
	}
	waitErr := cmd.Wait()
	if readErr != nil {
		return false, fmt.Errorf("read the output of go test: %w", readErr)
	}
	if exit := (*exec.ExitError)(nil); waitErr != nil && !errors.As(waitErr, &exit) {
		return false, waitErr
	}
	return waitErr == nil && len(skipped) == 0, nil
}
