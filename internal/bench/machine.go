package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// machine is where a run was made. Figures say nothing without it.
type machine struct {
	Date   string  `json:"date"`
	CPU    string  `json:"cpu"`
	Cores  int     `json:"cores"`
	Kernel string  `json:"kernel"`
	Go     string  `json:"go"`
	Load   string  `json:"load"`    // averages at the start: what else the machine was doing
	Sync   float64 `json:"sync_us"` // microseconds to write 4 kB durably, the median
}

func (m machine) String() string {
	return fmt.Sprintf("%s; %s, %d cores; %s; %s; load %s; a durable write of 4 kB takes %s µs",
		m.Date, m.CPU, m.Cores, m.Kernel, m.Go, m.Load, number(m.Sync))
}

// describe describes this machine, and the disk of a folder.
func describe(dir string) machine {
	m := machine{
		Date: time.Now().UTC().Format("2006-01-02 15:04 MST"), CPU: runtime.GOARCH, Cores: runtime.NumCPU(),
		Kernel: runtime.GOOS, Go: runtime.Version(), Load: "unknown",
	}
	for line := range strings.Lines(fileText("/proc/cpuinfo")) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
		}
	}
	if release := strings.TrimSpace(fileText("/proc/sys/kernel/osrelease")); release != "" {
		m.Kernel += " " + release
	}
	if fields := strings.Fields(fileText("/proc/loadavg")); len(fields) >= 3 {
		m.Load = strings.Join(fields[:3], " ")
	}
	m.Sync = syncTime(dir)
	return m
}

// fileText returns a file's content, nothing if there is none.
func fileText(name string) string {
	data, _ := os.ReadFile(name)
	return string(data)
}

// syncTime returns how many microseconds a durable write of 4 kB takes; 0: it cannot be told.
func syncTime(dir string) float64 {
	const tries = 50
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0
	}
	defer os.Remove(f.Name()) // the folder is removed in any case
	defer f.Close()
	var times []time.Duration
	for range tries {
		start := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0
		}
		if err := f.Sync(); err != nil {
			return 0
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	return float64(times[tries/2]) / float64(time.Microsecond)
}
