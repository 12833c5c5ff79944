package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The children that the program starts of itself.
const (
	childSink = "child-sink"
	childRaw  = "child-raw"
	childLoad = "child-load"
	childBare = "child-bare"
)

// child returns a command that runs this program as one of its children.
func child(ctx context.Context, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, self, args...), nil
}

// helper is a child that is told lines and answers by JSON. It ends when nobody can tell it anything any more.
type helper struct {
	cmd  *exec.Cmd
	to   io.WriteCloser
	from *json.Decoder
}

func startHelper(ctx context.Context, args ...string) (*helper, error) {
	cmd, err := child(ctx, args...)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	to, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	from, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &helper{cmd: cmd, to: to, from: json.NewDecoder(from)}, nil
}

// ask tells it a line and reads its answer.
func (h *helper) ask(line string, answer any) error {
	if _, err := fmt.Fprintln(h.to, line); err != nil {
		return fmt.Errorf("tell %s: %w", h.cmd.Args[1], err)
	}
	if err := h.from.Decode(answer); err != nil {
		return fmt.Errorf("%s does not answer: %w", h.cmd.Args[1], err)
	}
	return nil
}

func (h *helper) close() error { return errors.Join(h.to.Close(), h.cmd.Wait()) }

// usage is what a process used.
type usage struct {
	Wall, CPU time.Duration // CPU of all cores, user and system
	Peak      int64         // bytes of memory at most

	samples []sample
}

// sample is what a process had used at one time.
type sample struct {
	at  time.Time
	cpu time.Duration
}

// since returns the CPU time that was used after a time; all of it where that is not known.
func (u usage) since(at time.Time) time.Duration {
	used := time.Duration(0)
	for _, s := range u.samples {
		if s.at.After(at) {
			break
		}
		used = s.cpu
	}
	return u.CPU - used
}

// measure runs a command to its end and returns what it used and what it printed.
func measure(cmd *exec.Cmd) (usage, []byte, error) {
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return usage{}, nil, err
	}
	w := watch(cmd.Process.Pid)
	err := cmd.Wait()
	u := usage{Wall: time.Since(start)}
	u.Peak, u.samples = w.stop()
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.CPU = time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(cmd.Path), strings.Join(cmd.Args[1:], " "), err, out.Bytes(), problems.Bytes())
	}
	return u, out.Bytes(), err
}

// watchEvery is how often a process is looked at.
const watchEvery = 10 * time.Millisecond

// watcher follows what a process uses, where there is a /proc. The peak that the kernel reports of a child in
// its rusage begins with that of the parent, so it cannot be used.
type watcher struct {
	done    chan struct{}
	ended   sync.WaitGroup
	peak    int64
	samples []sample
}

func watch(pid int) *watcher {
	w := &watcher{done: make(chan struct{})}
	w.ended.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			if cpu, ok := processCPU(pid); ok {
				w.samples = append(w.samples, sample{time.Now(), cpu})
			}
			w.peak = max(w.peak, processMemory(pid, "VmHWM"))
			select {
			case <-w.done:
				return
			case <-tick.C:
			}
		}
	})
	return w
}

func (w *watcher) stop() (peak int64, samples []sample) {
	close(w.done)
	w.ended.Wait()
	return w.peak, w.samples
}

// clockTick is the unit of times in /proc: 1/100 s on every Linux.
const clockTick = 10 * time.Millisecond

// processCPU returns the CPU time that a process has used.
func processCPU(pid int) (time.Duration, bool) {
	// Behind the name, which may have anything in it, come the fields from the third on (proc_pid_stat(5)).
	_, rest, ok := strings.Cut(fileText(fmt.Sprintf("/proc/%d/stat", pid)), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, false
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * clockTick, err1 == nil && err2 == nil
}

// machineCPU returns the CPU time that all processes of the machine have used, without interrupts: those that a
// connection causes count for whoever was running then. It is 0 where there is no /proc.
func machineCPU() time.Duration {
	line, _, _ := strings.Cut(fileText("/proc/stat"), "\n")
	fields := strings.Fields(line) // cpu user nice system idle iowait irq softirq steal (proc_stat(5))
	if len(fields) < 9 {
		return 0
	}
	used := int64(0)
	for _, i := range [...]int{1, 2, 3, 8} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0
		}
		used += n
	}
	return time.Duration(used) * clockTick
}

// processMemory returns a size from a process's status, such as VmRSS, in bytes; 0: it is not known.
func processMemory(pid int, name string) int64 {
	for line := range strings.Lines(fileText(fmt.Sprintf("/proc/%d/status", pid))) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			kB := int64(0)
			_, _ = fmt.Sscan(value, &kB)
			return kB << 10
		}
	}
	return 0
}

const megabyte = 1 << 20
