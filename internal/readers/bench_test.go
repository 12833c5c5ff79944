package readers_test

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"broadsheet/internal/readers"
)

// BenchmarkSignUp signs up new addresses from 32 goroutines, durably.
func BenchmarkSignUp(b *testing.B) {
	w := newWorld(b)
	var n atomic.Int64
	b.SetParallelism(16) // × GOMAXPROCS of 2
	start := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			_, err := w.SignUp(b.Context(), readers.SignUp{
				Email: fmt.Sprintf("reader%d@example.org", i), Newsletters: []string{"daily-news"},
				Origin: from(fmt.Sprintf("2001:%x:%x::1", i>>16, i&0xffff)),
			})
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "sign-ups/s")
}

// BenchmarkImport takes files of 20,000 new readers.
func BenchmarkImport(b *testing.B) {
	const lines = 20_000
	w := newWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		base := w.count(`SELECT COUNT(*) FROM subscribers`)
		var file bytes.Buffer
		file.WriteString("email,name\n")
		for i := range lines {
			fmt.Fprintf(&file, "reader%d@example.org,Reader %d\n", base+i, i)
		}
		b.StartTimer()
		res, err := w.Import(b.Context(), &file, readers.ImportOptions{Newsletter: "daily-news", Consent: "bench"})
		if err != nil || res.Added != lines {
			b.Fatal(res, err)
		}
	}
	b.ReportMetric(float64(lines*b.N)/b.Elapsed().Seconds(), "rows/s")
}
