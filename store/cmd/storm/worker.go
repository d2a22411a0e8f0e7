package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// trial is one run over a log: which of its states are made, and how they are judged. All workers
// of a run have the same, and so number the states alike.
type trial struct {
	Log     string
	Seed    uint64
	Chance  int    // random subsets of an interval
	States  int    // at most about so many, spread over the log; 0: all
	Total   int    // how many there are, when States is less
	Strict  bool   // a file's sync does not make its name durable
	NoSyncs bool   // as if the writer had never synced: must fail
	Damage  bool   // 8 to 64 KiB around the write are destroyed as well
	Hurt    bool   // the writer destroyed parts of a file by itself: storm write -steps hurt
	Plain   bool   // the log is one of storm plain
	Block   string // the log is that of a disk with a file system: mount it with these options
	Only    int    // judge this state alone, and keep its folder; -1: all
	Part    int    // this worker's, of
	Parts   int
	After   int // the states up to this one were judged; -1: none
	Dir     string
	Marks   string // progress, 8 bytes a part
}

func (tr *trial) flags(stderr io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet("storm judge", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&tr.Log, "log", "", "what the recorder has recorded")
	f.Uint64Var(&tr.Seed, "seed", 1, "of all chance")
	f.IntVar(&tr.Chance, "chance", 24, "random subsets of each interval between two syncs")
	f.IntVar(&tr.States, "states", 0, "judge about so many, spread over the log; 0: all")
	f.IntVar(&tr.Total, "total", 0, "how many there are")
	f.BoolVar(&tr.Strict, "strict", true, "a file's sync does not make its name durable")
	f.BoolVar(&tr.NoSyncs, "no-syncs", false, "as if nobody had synced: must fail")
	f.BoolVar(&tr.Damage, "damage", false, "destroy 8 to 64 KiB around the write as well")
	f.BoolVar(&tr.Hurt, "hurt", false, "the log is of a writer that took the step hurt")
	f.BoolVar(&tr.Plain, "plain", false, "the log is one of storm plain")
	f.StringVar(&tr.Block, "block", "", "the log is that of a disk with ext4; mount options")
	f.IntVar(&tr.Only, "only", -1, "this state alone; its files stay in -dir")
	f.IntVar(&tr.Part, "part", 0, "")
	f.IntVar(&tr.Parts, "parts", runtime.NumCPU(), "so many judges at once")
	f.IntVar(&tr.After, "after", -1, "")
	f.StringVar(&tr.Dir, "dir", "", "where to stage the states; default: in memory")
	f.StringVar(&tr.Marks, "progress", "", "")
	return f
}

// args are the command line of a worker.
func (tr *trial) args(part, after int) []string {
	return []string{
		"worker", "-log", tr.Log, fmt.Sprint("-seed=", tr.Seed), fmt.Sprint("-chance=", tr.Chance),
		fmt.Sprint("-states=", tr.States), fmt.Sprint("-total=", tr.Total),
		fmt.Sprint("-strict=", tr.Strict), fmt.Sprint("-no-syncs=", tr.NoSyncs),
		fmt.Sprint("-damage=", tr.Damage), fmt.Sprint("-hurt=", tr.Hurt),
		fmt.Sprint("-plain=", tr.Plain),
		fmt.Sprint("-block=", tr.Block), fmt.Sprint("-only=", tr.Only),
		fmt.Sprint("-part=", part), fmt.Sprint("-parts=", tr.Parts), fmt.Sprint("-after=", after),
		"-dir", tr.Dir, "-progress", tr.Marks,
	}
}

// replay is what a person types to see one state again.
func (tr *trial) replay(n int) string {
	words := []string{fmt.Sprintf("storm judge -log %s -seed %d -chance %d -only %d", tr.Log,
		tr.Seed, tr.Chance, n)}
	for name, on := range map[string]bool{
		" -strict=false": !tr.Strict, " -no-syncs": tr.NoSyncs, " -damage": tr.Damage,
		" -hurt":  tr.Hurt,
		" -plain": tr.Plain, " -block '" + tr.Block + "'": tr.Block != "",
	} {
		if on {
			words = append(words, name)
		}
	}
	return strings.Join(words, "")
}

// state is one crash state: what is durable, and what of the rest survives.
type state struct {
	n       int
	kind    string
	durable *image
	pending []op
	us      []unit
	fates   []fate
	truth   *truth
	random  *rand.Rand // of this state alone
}

// each calls fn with every state of the log, in order. What a state points to changes afterwards.
func (tr *trial) each(log []op, fn func(*state) error) error {
	s := &state{durable: newImage(), truth: newTruth(), n: -1}
	began := false
	for i := range log {
		o := &log[i]
		switch o.Kind {
		case opMark:
			began = true
			if err := s.truth.hear(o.Data); err != nil {
				return err
			}
			continue
		case opSync, opSyncDir, opForget:
			if tr.NoSyncs {
				// What nobody syncs reaches the disk late and in any order: half of it by now.
				if len(s.pending) < noSyncsPending {
					continue
				}
			}
			if began {
				if err := tr.interval(s, i, fn); err != nil {
					return err
				}
			}
			tr.settle(s, o, i)
		case opWrite, opTrunc, opCreate, opLink, opRename, opUnlink:
			s.pending = append(s.pending, *o)
		}
	}
	return tr.interval(s, len(log), fn)
}

// noSyncsPending is how many writes a page cache holds that nobody syncs.
const noSyncsPending = 64

// settle makes durable what a sync covers.
func (tr *trial) settle(s *state, o *op, at int) {
	random := rand.New(rand.NewPCG(tr.Seed, uint64(at)))
	s.pending = slices.DeleteFunc(s.pending, func(p op) bool {
		covered := false
		switch {
		case tr.NoSyncs:
			covered = random.IntN(2) == 0
		case o.Kind == opSync:
			covered = p.File == o.File && (p.content() || (p.Kind == opCreate && !tr.Strict))
		case o.Kind == opSyncDir:
			covered = p.naming()
		case o.Kind == opForget:
			return p.File == o.File && p.content()
		}
		if covered {
			s.durable.apply(&p)
		}
		return covered
	})
	s.durable.drop(s.pending)
}

// interval makes the states before the sync at a place of the log.
func (tr *trial) interval(s *state, at int, fn func(*state) error) error {
	s.us = unitsOf(s.pending)
	if len(s.us) == 0 {
		return nil
	}
	seen := map[uint64]bool{}
	random := rand.New(rand.NewPCG(tr.Seed, uint64(at)+1<<32))
	var err error
	ways(s.pending, s.us, tr.Chance, random, func(kind string, fates []fate) bool {
		h := hashOf(fates)
		if kind != "garbage" && seen[h] {
			return true
		}
		seen[h] = true
		s.n++
		s.kind, s.fates = kind, fates
		s.random = rand.New(rand.NewPCG(tr.Seed+uint64(s.n), 7))
		err = fn(s)
		return err == nil
	})
	return err
}

// wanted says whether a worker judges a state.
func (tr *trial) wanted(n int) bool {
	if tr.Only >= 0 {
		return n == tr.Only
	}
	if n <= tr.After || n%tr.Parts != tr.Part {
		return false
	}
	if tr.States > 0 && tr.Total > tr.States {
		return rand.New(rand.NewPCG(tr.Seed, uint64(n))).IntN(tr.Total) < tr.States
	}
	return true
}

// stateTime is how long a state may take: a hundred times what the slowest needs.
const stateTime = 30 * time.Second

// dataBytesMax is what a judge may allocate, many times what a good state needs. What allocates
// without end is ended, and is a finding.
const dataBytesMax = 2 << 30

func limitMemory() error {
	limit := unix.Rlimit{Cur: dataBytesMax, Max: dataBytesMax}
	return unix.Setrlimit(unix.RLIMIT_DATA, &limit)
}

// report is what a worker says now and then: what came since it said so last.
type report struct {
	States  map[string]int `json:"states"`
	Rebuilt int            `json:"rebuilt,omitempty"`
	Gone    int            `json:"gone,omitempty"` // states in which old closed entries were lost
	Bad     []bad          `json:"bad,omitempty"`
}

// bad is a state in which a promise was broken.
type bad struct {
	N     int    `json:"n"`
	Kind  string `json:"kind"`  // of state
	Which string `json:"which"` // LOST, refused and so on
	Text  string `json:"text"`
}

// work judges this worker's part. Whatever a state does to this process, who started it goes on
// with the next: the number of the state is written down before it is opened.
func work(args []string, stdout, stderr io.Writer) error {
	var tr trial
	if err := tr.flags(stderr).Parse(args); err != nil {
		return exitError{exitUsage, err}
	}
	debug.SetGCPercent(400)
	if err := limitMemory(); err != nil {
		return err
	}
	log, err := readLog(tr.Log)
	if err != nil {
		return err
	}
	progress, err := os.OpenFile(tr.Marks, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer progress.Close()
	court, err := tr.court()
	if err != nil {
		return err
	}
	defer court.close()
	out, enc := report{States: map[string]int{}}, json.NewEncoder(stdout)
	judged := 0
	err = tr.each(log, func(s *state) error {
		if !tr.wanted(s.n) {
			return nil
		}
		var at [8]byte
		binary.LittleEndian.PutUint64(at[:], uint64(s.n)+1)
		if _, err := progress.WriteAt(at[:], int64(tr.Part)*8); err != nil {
			return err
		}
		hung := time.AfterFunc(stateTime, func() {
			fmt.Fprintln(stderr, "HUNG: not done after", stateTime)
			os.Exit(exitHung) //nolint:revive // the goroutine that could return does not
		})
		kind, v, err := court.judge(s)
		hung.Stop()
		out.States[kind]++
		if v.rebuilt {
			out.Rebuilt++
		}
		if v.gone > 0 {
			out.Gone++
		}
		var f *finding
		switch {
		case errors.As(err, &f):
			out.Bad = append(out.Bad, bad{s.n, kind, f.kind, f.text})
		case err != nil:
			return fmt.Errorf("state %d: %w", s.n, err)
		}
		if judged++; judged%128 == 0 {
			err := enc.Encode(out)
			out = report{States: map[string]int{}}
			return err
		}
		return nil
	})
	return errors.Join(err, enc.Encode(out))
}

// court is where a worker stages states and judges them.
type court struct {
	tr    *trial
	dir   string
	image *image
	block *blockCourt
	eyes  examiner
}

func (tr *trial) court() (*court, error) {
	c := &court{tr: tr, dir: fmt.Sprintf("%s/judge-%d", tr.Dir, tr.Part), image: newImage()}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, err
	}
	if tr.Block == "" {
		return c, nil
	}
	var err error
	c.block, err = openBlockCourt(c.dir, tr.Block)
	return c, err
}

func (c *court) close() {
	c.eyes.end()
	if c.block != nil {
		c.block.close()
	}
}

func (c *court) judge(s *state) (kind string, v verdict, err error) {
	kind = s.kind
	c.image.become(s.durable)
	c.image.suffer(s.pending, s.us, s.fates, s.random)
	if c.tr.Damage {
		kind = c.image.damage(s)
	}
	if c.block != nil {
		v, err = c.block.judge(c.image, s, c.eyes.look)
		return kind, v, err
	}
	if err := c.image.lay(c.dir); err != nil {
		return kind, v, err
	}
	if c.tr.Plain {
		return kind, v, judgePlain(c.dir, s.truth)
	}
	v, err = judgeJournal(c.dir, s.truth, lenience{
		damaged: c.tr.Damage, checked: c.tr.Damage || c.tr.Hurt, look: c.eyes.look,
	}, s.n%16 == 0)
	return kind, v, err
}

// damage destroys 8 to 64 KiB around a write that was not synced, in one file, and returns what
// kind of state that is.
func (m *image) damage(s *state) string {
	var writes []unit
	for _, u := range s.us {
		if u.to > 0 {
			writes = append(writes, u)
		}
	}
	if len(writes) == 0 {
		return s.kind
	}
	u := writes[s.random.IntN(len(writes))]
	o := &s.pending[u.op]
	width := int64(8<<10) << s.random.IntN(4)
	from := (o.Off + int64(u.from)) / width * width
	content := m.files[o.File]
	filler := byte(0xff)
	if s.random.IntN(2) == 0 {
		filler = 0
	}
	for i := from; i < min(from+width, int64(len(content))); i++ {
		content[i] = filler
	}
	return fmt.Sprintf("damage of %d KiB", width>>10)
}

func linksOf(info os.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Nlink)
	}
	return 1
}
