package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// syncCall is one fdatasync or fsync as strace saw it, in seconds since the epoch.
type syncCall struct {
	ring       bool
	growth     bool // fsync: the journal grows by a step of zeros, off the commit
	begin, end float64
}

// syncs counts the syncs of an approved sale by file, and looks whether the ring's run beside the
// journal's or after them.
func syncs(o options, dir string) error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return errors.New("strace is needed to count syncs: install it, or use -short")
	}
	trace := filepath.Join(dir, "syncs.out")
	p, err := startPair(o, dir, strace, "-f", "--seccomp-bpf", "-qq", "-y", "-ttt", "-T",
		"-e", "trace=fdatasync,fsync", "-o", trace)
	if err != nil {
		return err
	}
	defer p.stop()
	t, err := openTill(p.daemon.address, "SYNCS001")
	if err != nil {
		return err
	}
	defer t.conn.Close()
	if _, err := t.approve(warmUp); err != nil {
		return err
	}
	time.Sleep(settle) // the last confirm of the warm-up has nothing to ride with: let it go
	const sales = 400
	from := epoch()
	if _, err := t.approve(sales); err != nil {
		return err
	}
	to := epoch()
	time.Sleep(settle)
	all, err := readSyncs(trace)
	if err != nil {
		return err
	}
	counted := slices.DeleteFunc(all, func(c syncCall) bool {
		return c.begin < from || c.begin > to
	})
	var bolt, ring, beside, growth int
	for _, c := range counted {
		switch {
		case c.growth:
			growth++
		case !c.ring:
			bolt++
		default:
			ring++
			if overlaps(c, counted) {
				beside++
			}
		}
	}
	reportExact("journal_syncs_per_sale", float64(bolt)/sales, "syncs", 4)
	reportExact("ring_syncs_per_sale", float64(ring)/sales, "syncs", 2)
	report("growth_syncs_per_sale", float64(growth)/sales, "syncs", 0.02)
	report("ring_syncs_not_beside", 1-float64(beside)/float64(max(ring, 1)), "share", 0.05)
	return nil
}

// settle is longer than a noted record lingers, and than strace takes to write its lines.
const settle = 200 * time.Millisecond

// epoch is now as strace writes it.
func epoch() float64 { return float64(time.Now().UnixNano()) / 1e9 }

// overlaps says whether a ring's sync ran at the same time as one of the journal's.
func overlaps(ring syncCall, all []syncCall) bool {
	for _, c := range all {
		if !c.ring && c.begin < ring.end && ring.begin < c.end {
			return true
		}
	}
	return false
}

var syncLine = regexp.MustCompile(`^(\d+) +(\d+\.\d+) (?:<\.\.\. )?(fdatasync|fsync)(.*)$`)

// readSyncs reads strace's output; calls that were interrupted by another thread's line are put
// together again.
func readSyncs(path string) ([]syncCall, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	begun := map[string]syncCall{}
	var all []syncCall
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		m := syncLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		at, _ := strconv.ParseFloat(m[2], 64)
		c := syncCall{
			ring: strings.Contains(m[4], ".ring"), growth: m[3] == "fsync", begin: at,
		}
		switch {
		case strings.Contains(m[4], "unfinished"):
			begun[m[1]] = c
		case strings.Contains(m[4], "resumed"):
			c = begun[m[1]]
			delete(begun, m[1])
			c.end = at
			all = append(all, c)
		default:
			c.end = at + tookSeconds(m[4])
			all = append(all, c)
		}
	}
	return all, lines.Err()
}

// tookSeconds reads the <0.000123> that strace -T puts at the end of a line.
func tookSeconds(rest string) float64 {
	i := strings.LastIndexByte(rest, '<')
	if i < 0 {
		return 0
	}
	s, _ := strconv.ParseFloat(strings.TrimSuffix(rest[i+1:], ">"), 64)
	return s
}
