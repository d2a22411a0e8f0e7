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
// journal's or after them. In trade without a pause the confirm of a sale rides with the next one's
// commit; linger is raised so that a busy machine's hiccups are no pauses. A sale that stands alone
// has a commit more, for nobody to wait for.
func syncs(o options, dir string) error {
	o.linger = 200 * time.Millisecond
	const sales = 400
	busy, err := countSyncs(o, filepath.Join(dir, "busy"), sales, 0)
	if err != nil {
		return err
	}
	reportExact("journal_syncs_per_sale", float64(busy.journal)/sales, "syncs", 4)
	reportExact("ring_syncs_per_sale", float64(busy.ring)/sales, "syncs", 2)
	report("growth_syncs_per_sale", float64(busy.growth)/sales, "syncs", 0.02)
	notBeside := 1 - float64(busy.beside)/float64(max(busy.ring, 1))
	report("ring_syncs_not_beside", notBeside, "share", 0.05)
	o.linger = time.Millisecond
	const alone = 20
	lone, err := countSyncs(o, filepath.Join(dir, "alone"), alone, 30*time.Millisecond)
	if err != nil {
		return err
	}
	report("journal_syncs_of_a_lone_sale", float64(lone.journal)/alone, "syncs", 0)
	report("ring_syncs_of_a_lone_sale", float64(lone.ring)/alone, "syncs", 0)
	return nil
}

// tally is what was counted while some sales were made.
type tally struct{ journal, ring, beside, growth int }

// countSyncs sells with a pause after each sale, under strace.
func countSyncs(o options, dir string, sales int, pause time.Duration) (tally, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return tally{}, errors.New("strace is needed to count syncs: install it, or use -short")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return tally{}, err
	}
	trace := filepath.Join(dir, "syncs.out")
	p, err := startPair(o, dir, strace, "-f", "--seccomp-bpf", "-qq", "-y", "-ttt", "-T",
		"-e", "trace=fdatasync,fsync", "-o", trace)
	if err != nil {
		return tally{}, err
	}
	defer p.stop()
	t, err := openTill(p.daemon.address, "SYNCS001")
	if err != nil {
		return tally{}, err
	}
	defer t.conn.Close()
	if _, err := t.approve(warmUp); err != nil {
		return tally{}, err
	}
	time.Sleep(settle) // the last confirm of the warm-up has nothing to ride with: let it go
	from := epoch()
	for range sales {
		if _, err := t.approve(1); err != nil {
			return tally{}, err
		}
		time.Sleep(pause)
	}
	to := epoch()
	time.Sleep(settle)
	all, err := readSyncs(trace)
	if err != nil {
		return tally{}, err
	}
	counted := slices.DeleteFunc(all, func(c syncCall) bool {
		return c.begin < from || c.begin > to
	})
	return sum(counted), nil
}

// sum sorts calls by what they are for.
func sum(counted []syncCall) tally {
	var n tally
	for _, c := range counted {
		switch {
		case c.growth:
			n.growth++
		case !c.ring:
			n.journal++
		default:
			n.ring++
			if overlaps(c, counted) {
				n.beside++
			}
		}
	}
	return n
}

// settle is longer than a noted record lingers, and than strace takes to write its lines.
const settle = 400 * time.Millisecond

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
