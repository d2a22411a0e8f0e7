package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// follower is a `tail -f` whose lines are timed as they come.
type follower struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	all []time.Duration // from the moment an entry was written down to its line
}

// startFollower waits until it follows: its first line is of the newest entry on file.
func startFollower(o options, dir string) (*follower, error) {
	argv := append(strings.Fields(o.reversald), "tail", "-f", "--json", "-n", "1",
		"--config", filepath.Join(dir, "reversald.yaml"))
	f := &follower{cmd: exec.Command(argv[0], argv[1:]...)}
	f.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	following := make(chan struct{})
	go f.read(out, following)
	select {
	case <-following:
		return f, nil
	case <-time.After(readyWithin):
		f.stop()
		return nil, errors.New("tail -f shows nothing")
	}
}

func (f *follower) read(out io.Reader, following chan<- struct{}) {
	lines := bufio.NewReaderSize(out, 1<<20)
	for first := true; ; first = false {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		now := time.Now()
		if first {
			close(following)
			continue
		}
		var entry struct{ Time time.Time }
		if json.Unmarshal(text, &entry) == nil {
			f.mu.Lock()
			f.all = append(f.all, now.Sub(entry.Time))
			f.mu.Unlock()
		}
	}
}

func (f *follower) stop() {
	_ = f.cmd.Process.Kill()
	_ = f.cmd.Wait()
}

func (f *follower) delays() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]time.Duration(nil), f.all...)
}

// follow measures how soon after its commit `tail -f` shows an entry, and what it costs the writer.
//
// An entry says when it was put together, which is before its commit: the delay that is reported
// has the commit in it, and the true one is shorter.
func follow(o options, dir string) error {
	p, err := startPair(o, dir)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := idleDelay(o, p, dir); err != nil {
		return err
	}
	return costOfFollowing(o, p, dir)
}

// idleDelay sells one at a time, with pauses, on a terminal that has nothing else to do.
func idleDelay(o options, p *pair, dir string) error {
	if err := sellMany(p.daemon.address, "WARM", warmUp); err != nil {
		return err
	}
	time.Sleep(200 * time.Millisecond) // the last confirms are on file
	f, err := startFollower(o, dir)
	if err != nil {
		return err
	}
	defer f.stop()
	t, err := openTill(p.daemon.address, "FOLLOWED")
	if err != nil {
		return err
	}
	defer t.conn.Close()
	const sales, entriesEach = 200, 3
	for range sales {
		if _, err := t.approve(1); err != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	all := f.delays()
	if len(all) != sales*entriesEach {
		return fmt.Errorf("tail -f showed %d lines, want %d", len(all), sales*entriesEach)
	}
	report("tail_delay_p50", millis(median(all)), "ms", 0)
	report("tail_delay_p99", millis(quantile(all, 0.99)), "ms", 50)
	return nil
}

// costOfFollowing lets 64 tills sell in turns, without a follower and with one.
func costOfFollowing(o options, p *pair, dir string) error {
	const turns = 9
	sales := max(640, o.sales)
	var without, with []time.Duration
	for range turns {
		began := time.Now()
		if err := sellMany(p.daemon.address, "LONE", sales); err != nil {
			return err
		}
		without = append(without, time.Since(began))
		f, err := startFollower(o, dir)
		if err != nil {
			return err
		}
		began = time.Now()
		err = sellMany(p.daemon.address, "SEEN", sales)
		with = append(with, time.Since(began))
		f.stop()
		if err != nil {
			return err
		}
	}
	report("tail_writer_slowdown_64", float64(median(with))/float64(median(without)), "ratio", 1.05)
	return nil
}
