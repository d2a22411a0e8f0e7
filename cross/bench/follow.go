package main

import (
	"bytes"
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

// follower is a `tail -f` whose lines are timed as they come, and read only when it has ended: the
// reading is no part of what it costs.
type follower struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	all []arrival
}

// arrival is what came in one read.
type arrival struct {
	at   time.Time
	text []byte
}

// startFollower waits until it follows: its first line is of the newest entry on file.
func startFollower(o options, dir string, flags ...string) (*follower, error) {
	argv := append(strings.Fields(o.reversald), "tail", "-f", "-n", "1",
		"--config", filepath.Join(dir, "reversald.yaml"))
	argv = append(argv, flags...)
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
	buffer := make([]byte, 64<<10) // as much as a pipe holds
	for first := true; ; first = false {
		n, err := out.Read(buffer)
		if err != nil {
			return
		}
		now := time.Now()
		if first {
			close(following)
		}
		f.mu.Lock()
		f.all = append(f.all, arrival{now, bytes.Clone(buffer[:n])})
		f.mu.Unlock()
	}
}

func (f *follower) stop() {
	_ = f.cmd.Process.Kill()
	_ = f.cmd.Wait()
}

// lines counts what has come, without the line that it began with.
func (f *follower) lines() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := -1
	for _, a := range f.all {
		n += bytes.Count(a.text, []byte{'\n'})
	}
	return n
}

// delays are of the lines of a follower in JSON, but for the first: from the moment an entry was
// written down until all of its line had come.
func (f *follower) delays() ([]time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []time.Duration
	var rest []byte
	for _, a := range f.all {
		rest = append(rest, a.text...)
		for {
			line, after, whole := bytes.Cut(rest, []byte{'\n'})
			if !whole {
				break
			}
			rest = after
			var entry struct{ Time time.Time }
			if err := json.Unmarshal(line, &entry); err != nil {
				return nil, fmt.Errorf("tail -f printed %q: %w", line, err)
			}
			all = append(all, a.at.Sub(entry.Time))
		}
	}
	return all[min(1, len(all)):], nil
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
	for _, form := range []string{"text", "json"} {
		if err := costOfFollowing(o, p, dir, form); err != nil {
			return err
		}
	}
	return nil
}

// entriesEach is how many entries a sale is: asked, approved, confirmed.
const entriesEach = 3

// idleDelay sells one at a time, with pauses, on a terminal that has nothing else to do.
func idleDelay(o options, p *pair, dir string) error {
	if err := sellMany(p.daemon.address, "WARM", warmUp); err != nil {
		return err
	}
	time.Sleep(200 * time.Millisecond) // the last confirms are on file
	f, err := startFollower(o, dir, "--json")
	if err != nil {
		return err
	}
	defer f.stop()
	t, err := openTill(p.daemon.address, "FOLLOWED")
	if err != nil {
		return err
	}
	defer t.conn.Close()
	const sales = 200
	for range sales {
		if _, err := t.approve(1); err != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	all, err := f.delays()
	if err != nil {
		return err
	}
	if len(all) != sales*entriesEach {
		return fmt.Errorf("tail -f showed %d lines, want %d", len(all), sales*entriesEach)
	}
	report("tail_delay_p50", millis(median(all)), "ms", 0)
	report("tail_delay_p99", millis(quantile(all, 0.99)), "ms", 50)
	return nil
}

// costOfFollowing lets 64 tills sell in short windows, one without a follower and one with, in
// turns, so that whatever else the machine does falls on both. Which is first changes each time.
func costOfFollowing(o options, p *pair, dir, form string) error {
	const pairs = 40
	took := map[bool][]time.Duration{}
	var behind []time.Duration
	for i := range 2 * pairs {
		with := (i%4)%3 != 0 // no, yes, yes, no
		one, late, err := window(o, p, dir, form, fmt.Sprintf("%c%03d", form[0], i), with)
		if err != nil {
			return err
		}
		took[with], behind = append(took[with], one), append(behind, late...)
	}
	name := "tail_writer_slowdown_64_" + form
	report(name, float64(median(took[true]))/float64(median(took[false])), "ratio", 1.05)
	report("tail_"+form+"_behind_p50", millis(median(behind)), "ms", 0)
	return nil
}

// window is one turn: how long the tills took, and how long after them a follower had printed all
// that they did. The tills have a name that none had before.
func window(
	o options, p *pair, dir, form, tills string, with bool,
) (took time.Duration, behind []time.Duration, err error) {
	const sales = 1280
	var f *follower
	if with {
		if f, err = startFollower(o, dir, "-o", form); err != nil {
			return 0, nil, err
		}
		defer f.stop()
	}
	time.Sleep(50 * time.Millisecond) // it has nothing left to do but to follow
	began := time.Now()
	if err := sellMany(p.daemon.address, tills, sales); err != nil {
		return 0, nil, err
	}
	took = time.Since(began)
	if !with {
		return took, nil, nil
	}
	for ended := time.Now(); f.lines() < sales*entriesEach; time.Sleep(time.Millisecond) {
		if time.Since(ended) > readyWithin {
			return 0, nil, fmt.Errorf("tail -f showed %d lines, want %d", f.lines(),
				sales*entriesEach)
		}
	}
	return took, []time.Duration{time.Since(began) - took}, nil
}
