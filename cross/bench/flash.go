package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// flash measures what the daemon writes for an approved sale of one app that sells without a pause:
// what the kernel made dirty for it, and what it passed to write calls, counted by strace.
func flash(o options, dir string) error {
	const sales = 400
	o.linger = 200 * time.Millisecond // a busy machine's hiccups are no pauses
	p, err := startPair(o, dir)
	if err != nil {
		return err
	}
	defer p.stop()
	t, err := openTill(p.daemon.address, "FLASH001")
	if err != nil {
		return err
	}
	defer t.conn.Close()
	if _, err := t.approve(warmUp); err != nil {
		return err
	}
	pid := p.daemon.cmd.Process.Pid
	before, err := madeDirty(pid)
	if err != nil {
		return err
	}
	if _, err := t.approve(sales); err != nil {
		return err
	}
	after, err := madeDirty(pid)
	if err != nil {
		return err
	}
	report("daemon_written_per_sale", float64(after-before)/1000/sales, "KB", 55)
	calls, err := countWrites(o, filepath.Join(dir, "calls"), sales)
	if err != nil {
		return err
	}
	report("daemon_written_per_sale_by_calls", calls/1000, "KB", 55)
	return nil
}

// madeDirty is write_bytes of a process: what it caused to be sent to the storage layer.
func madeDirty(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			return strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
		}
	}
	return 0, fmt.Errorf("no write_bytes for %d", pid)
}

// writeLine is a finished write to a file of the journal, as strace -y shows it.
var writeLine = regexp.MustCompile(`pwrite64\(\d+<[^>]*/journal[^>]*>.* = (\d+)$`)

// countWrites sells under strace, and adds up what a sale writes to journal, ring and mark.
func countWrites(o options, dir string, sales int) (perSale float64, err error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return 0, errors.New("strace is needed to count writes: install it, or use -short")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	trace := filepath.Join(dir, "writes.out")
	p, err := startPair(o, dir, strace, "-f", "--seccomp-bpf", "-qq", "-y", "-s", "1",
		"-e", "trace=pwrite64", "-o", trace)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	t, err := openTill(p.daemon.address, "CALLS001")
	if err != nil {
		return 0, err
	}
	defer t.conn.Close()
	var seen [2]int64
	for i, n := range []int{warmUp, sales} {
		if _, err := t.approve(n); err != nil {
			return 0, err
		}
		time.Sleep(settle)
		if seen[i], err = sumWrites(trace); err != nil {
			return 0, err
		}
	}
	return float64(seen[1]-seen[0]) / float64(sales), nil
}

// sumWrites adds up a trace. A call that another thread's line has cut in two is put together.
func sumWrites(trace string) (sum int64, err error) {
	text, err := os.ReadFile(trace)
	if err != nil {
		return 0, err
	}
	begun := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		thread, rest, _ := strings.Cut(line, " ")
		if head, cut := strings.CutSuffix(rest, "<unfinished ...>"); cut {
			begun[thread] = head
			continue
		}
		if _, tail, resumed := strings.Cut(rest, "resumed>"); resumed {
			rest = begun[thread] + tail
		}
		if m := writeLine.FindStringSubmatch(rest); m != nil {
			n, err := strconv.ParseInt(m[1], 10, 64)
			if err != nil {
				return 0, err
			}
			sum += n
		}
	}
	return sum, nil
}
