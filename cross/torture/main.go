// Command torture breaks reversald in every way we know, and compares afterwards what the tills
// were told, what the journal says and what the host's books say.
//
// Think of a proving ground: on one lane real daemons sell over real TCP and are killed without
// warning, thousands of times; on another a journal is kept on a disk that remembers every write,
// and every state that a power cut could have left is opened; on a third the cut happens below a
// real file system. Beside each lane stands something that must break: if it does not, the ground
// proves nothing, and torture fails.
//
//	torture -bin DIR [-seed N] [-kills N] [-states N] [PART ...]
//
// The parts are kills, cuts, states, block, faults, full and controls; none means all. It prints a
// line a figure, and exits 1 when a promise was broken or a control held. What needs root or
// /dev/fuse is passed over, in words, where they are not to be had.
//
// It imports nothing of reversald: it starts the programs, and asks what any user could ask.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// ground is where everything happens.
type ground struct {
	bin    string // folder of the binaries
	dir    string // temporary
	seed   uint64
	kills  int
	cuts   int
	states int
	blocks int
	keep   string // where the logs of failed runs go

	mu  sync.Mutex // the report and what follows
	out io.Writer
	bad []string
}

// part is one lane.
type part struct {
	name string
	run  func(*ground, context.Context) error
}

func parts() []part {
	return []part{
		{"kills", (*ground).killStorm},
		{"cuts", (*ground).liveCuts},
		{"states", (*ground).crashStates},
		{"block", (*ground).blockLevel},
		{"faults", (*ground).syncFaults},
		{"full", (*ground).fullDisk},
		{"controls", (*ground).controls},
	}
}

// errSkipped is for what cannot be had on this machine.
var errSkipped = errors.New("passed over")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	g := &ground{out: stdout}
	flags := flag.NewFlagSet("torture", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&g.bin, "bin", "bin", "folder of reversald, acquirerd, storm and recorder")
	flags.Uint64Var(&g.seed, "seed", 0, "of all chance; 0: another one each time")
	flags.IntVar(&g.kills, "kills", 500, "how often a selling daemon is killed")
	flags.IntVar(&g.cuts, "cuts", 60, "how often the power is cut under a selling daemon")
	flags.IntVar(&g.states, "states", 60000, "crash states of the journal's files, about")
	flags.IntVar(&g.blocks, "blocks", 800, "crash states of a disk with ext4, about")
	flags.StringVar(&g.dir, "dir", "/dev/shm", "where the journals of the kills lie; in memory "+
		"a start is quick, on a disk its syncs are real")
	flags.StringVar(&g.keep, "keep", "", "folder for the logs of what failed")
	if err := flags.Parse(args); err != nil {
		return 64
	}
	wanted := flags.Args()
	if g.seed == 0 {
		g.seed = uint64(time.Now().UnixNano())
	}
	if err := g.open(); err != nil {
		fmt.Fprintln(stderr, "torture:", err)
		return 1
	}
	defer os.RemoveAll(g.dir)
	g.say("torture: seed %d", g.seed)
	for _, p := range parts() {
		if len(wanted) > 0 && !slices.Contains(wanted, p.name) {
			continue
		}
		began := time.Now()
		err := p.run(g, ctx)
		switch {
		case errors.Is(err, errSkipped):
			g.say("%-9s %v", p.name, err)
		case err != nil:
			g.fail("%s: %v", p.name, err)
		default:
			g.say("%-9s done in %.1f s", p.name, time.Since(began).Seconds())
		}
	}
	if len(g.bad) > 0 {
		g.say("\nBROKEN, %d times; again with: make torture SEED=%d", len(g.bad), g.seed)
		return 1
	}
	g.say("nothing broke that must hold, and everything broke that must")
	return 0
}

func (g *ground) open() error {
	var err error
	if g.bin, err = filepath.Abs(g.bin); err != nil {
		return err
	}
	for _, name := range []string{"reversald", "acquirerd", "storm"} {
		if _, err := os.Stat(g.program(name)); err != nil {
			return fmt.Errorf("%w (make torture builds it)", err)
		}
	}
	parent := g.dir
	if _, err := os.Stat(parent); err != nil {
		parent = "" // wherever temporary files go
	}
	g.dir, err = os.MkdirTemp(parent, "torture-")
	return err
}

func (g *ground) program(name string) string { return filepath.Join(g.bin, name) }

// say prints one line of the report.
func (g *ground) say(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fmt.Fprintf(g.out, format+"\n", args...)
}

// fail prints what broke, and remembers that something did.
func (g *ground) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	g.say("BROKEN    %s", strings.ReplaceAll(text, "\n", "\n          "))
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bad = append(g.bad, text)
}

// folder makes one for a run.
func (g *ground) folder(pattern string) (string, error) { return os.MkdirTemp(g.dir, pattern) }
