package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	_ "broadsheet/internal/store" // the engine of its databases
)

// stopBySignal stops the sender as a service manager and a lost terminal do, and goes on.
func stopBySignal(ctx context.Context, s *site, p *program, _ *result) error {
	for i, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		run, err := s.underWay(ctx, p, (i+1)*s.readers/4)
		if err != nil {
			return err
		}
		if err := run.cmd.Process.Signal(signal); err != nil {
			return err
		}
		<-run.ended
		if code := run.cmd.ProcessState.ExitCode(); code != 4 {
			return fmt.Errorf("after %s it ends with %d", signal, code)
		}
	}
	run, err := p.send(ctx)
	if err != nil {
		return err
	}
	<-run.ended
	if doubted, err := p.rows(ctx, "--doubted"); err != nil || len(doubted) > 0 {
		return fmt.Errorf("%d in doubt after stops (%w)", len(doubted), err)
	}
	return run.err
}

// freeze stops the sender for a while, as a machine that is suspended.
func freeze(ctx context.Context, s *site, p *program, r *result) error {
	run, err := s.underWay(ctx, p, s.readers/4)
	if err != nil {
		return err
	}
	if err := run.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	pause(ctx, 20*time.Second)
	if err := run.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		return err
	}
	return p.finish(ctx, run, r)
}

// lockDatabase holds the database's write lock in the middle of the edition.
func lockDatabase(d time.Duration) func(context.Context, *site, *program, *result) error {
	return func(ctx context.Context, s *site, p *program, r *result) error {
		run, err := s.underWay(ctx, p, s.readers/4)
		if err != nil {
			return err
		}
		db, err := sql.Open("sqlite3", "file:"+filepath.Join(p.dir, "broadsheet.db")+"?_busy_timeout=20000")
		if err != nil {
			return err
		}
		defer db.Close() // nothing was written
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close() // nothing was written
		if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return fmt.Errorf("lock the database: %w", err)
		}
		before, err := s.sink.accepted(ctx)
		if err != nil {
			return err
		}
		pause(ctx, d)
		after, err := s.sink.accepted(ctx)
		if err != nil {
			return err
		}
		if after-before > s.connections {
			r.wrong("%d were sent without an intent on record", after-before)
		}
		if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
			return err
		}
		return p.finish(ctx, run, r)
	}
}

// smallDisk mounts a small file system; it returns why that cannot be done, if it cannot.
func smallDisk(ctx context.Context, dir string) (undo func(), skipped string) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err.Error()
	}
	if out, err := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", dir).CombinedOutput(); err != nil {
		return nil, fmt.Sprintf("a small file system cannot be mounted here: %v: %s", err, out)
	}
	// The folder's removal says if this fails.
	return func() { _ = exec.CommandContext(context.WithoutCancel(ctx), "umount", dir).Run() }, ""
}

// fillDisk fills the file system of the database up for a while.
func fillDisk(ctx context.Context, s *site, p *program, r *result) error {
	run, err := s.underWay(ctx, p, s.readers/4)
	if err != nil {
		return err
	}
	filler := filepath.Join(p.dir, "filler")
	if err := fill(filler); err != nil {
		return err
	}
	pause(ctx, 5*time.Second)
	if err := os.Remove(filler); err != nil {
		return err
	}
	return p.finish(ctx, run, r)
}

// fill writes until there is no more room.
func fill(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	for size := 1 << 20; size >= 512; size /= 2 {
		for block := make([]byte, size); err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return errors.Join(err, f.Close())
		}
		err = nil
	}
	return f.Close()
}

// jumpClock says why it is not done here.
func jumpClock(_ context.Context, _ *site, _ *program, r *result) error {
	r.skipped = "faketime has no hold on a Go program, and to set the clock of this machine would meet everybody on it; " +
		"TestFaults_TheClockJumps in internal/delivery does it with a clock of its own"
	return nil
}
