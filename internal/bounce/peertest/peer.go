// Package peertest runs real mail systems for tests: Debian's Postfix and Dovecot, each with a
// folder and ports of its own. A test is skipped where they are not installed, and make test
// does not pass with a skipped test; .ci/install-test-needs installs them.
package peertest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// startTime is how long a mail system may take to start, on a machine that tests much at once.
const startTime = 60 * time.Second

// host is where all of them listen.
const host = "127.0.0.1"

// folder returns a folder that users of mail systems can look into. t.TempDir is for its
// owner only.
func folder(t testing.TB, root []string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "broadsheet-peer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		remove := slices.Concat(root, []string{"rm", "-rf", dir})
		if out, err := exec.CommandContext(context.WithoutCancel(t.Context()), remove[0], remove[1:]...).CombinedOutput(); err != nil {
			t.Errorf("remove %s: %v: %s", dir, err, out)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// asRoot returns what runs a command as root: mail systems change to users of their own.
func asRoot(t testing.TB) []string {
	t.Helper()
	if os.Getuid() == 0 {
		return nil
	}
	if err := exec.CommandContext(t.Context(), "sudo", "-n", "true").Run(); err != nil {
		t.Skip("a mail system needs root: run the tests as root, or let sudo ask for no password")
	}
	return []string{"sudo", "-n"}
}

// program returns where a mail system is: sbin is not in everybody's PATH.
func program(t testing.TB, name string) string {
	t.Helper()
	for _, p := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(p); err == nil {
			return found
		}
	}
	t.Skip(name + " is missing: .ci/install-test-needs installs it")
	return ""
}

// write writes a file of a mail system's folder.
func write(t testing.TB, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// mkdir makes a folder that everybody can look into.
func mkdir(t testing.TB, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

// own gives a folder to a user of the mail system.
func own(t testing.TB, root []string, user, dir string) {
	t.Helper()
	chown := slices.Concat(root, []string{"chown", user, dir})
	if out, err := exec.CommandContext(t.Context(), chown[0], chown[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", chown, err, out)
	}
}

// freePort returns a port that nobody listens on.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // it is for the mail system
	return l.Addr().(*net.TCPAddr).Port
}

// run starts a mail system in the foreground, waits until it listens on all ports, and stops it
// when the test ends. log is the file that tells what went wrong.
func run(t testing.TB, start, stop []string, log string, ports ...int) {
	t.Helper()
	lasting := context.WithoutCancel(t.Context()) // it is stopped, not killed, when the test ends
	var said strings.Builder
	cmd := exec.CommandContext(lasting, start[0], start[1:]...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is stopped by a signal; its log tells the rest
		close(ended)
	}()
	tell := func() {
		text, _ := os.ReadFile(log)
		t.Logf("%s:\n%s\n%s", start[0], said.String(), text)
	}
	t.Cleanup(func() {
		if out, err := exec.CommandContext(lasting, stop[0], stop[1:]...).CombinedOutput(); err != nil {
			t.Logf("%s: %v: %s", strings.Join(stop, " "), err, out)
			_ = cmd.Process.Kill()
		}
		<-ended
		if t.Failed() {
			tell()
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), startTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(ports) > 0 {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("%s:%d", host, ports[0]))
		if err == nil {
			_ = conn.Close()
			ports = ports[1:]
			continue
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", start[0], cmd.ProcessState)
		case <-ctx.Done():
			t.Fatalf("%s does not listen: %v", start[0], err)
		case <-tick.C:
		}
	}
}
