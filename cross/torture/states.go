package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// plan is a life of a journal of which every way to end is judged. %d in its steps are numbers of
// commits, drawn anew each time.
type plan struct {
	name   string
	steps  string
	sample string // a journal of an older format to begin with
	share  int    // of the states, in percent
	judge  string // how it is judged, beside the rule
}

func plans() []plan {
	return []plan{
		{name: "creation", steps: "open,append:2,close", share: 14},
		{name: "appends", steps: "open,append:%d,note:3,append:%d,close", share: 24},
		{
			name: "kill with notes", steps: "open,append:%d,note:3,kill;open,append:3,close",
			share: 8,
		},
		{name: "retention", steps: "open,append:60,forget:8,append:4,forget:2,append:%d", share: 8},
		{name: "compaction", steps: "open,append:%d,compact,append:3,close", share: 8},
		{name: "salvage", steps: "open,append:%d,salvage,append:2,suspect,append:2", share: 8},
		{
			name: "salvage of damage", steps: "open,append:%d,hurt,append:2,hurt,append:1",
			judge: "-hurt", share: 6,
		},
		{name: "change of key", steps: "open,append:%d,rotate,append:3,rotate,close", share: 8},
		{name: "migration", steps: "open,append:3,reopen,append:%d", sample: "format-1", share: 8},
		{name: "damage", steps: "open,append:%d,note:2,append:%d", judge: "-damage", share: 8},
	}
}

// judged is what `storm judge` says.
type judged struct {
	States  map[string]int `json:"states"`
	All     int            `json:"all"`
	Bad     map[string]int `json:"bad"`
	AllBad  int            `json:"all_bad"`
	Died    int            `json:"died"`
	Rebuilt int            `json:"rebuilt"`
	First   []string       `json:"first"`
}

func (j *judged) add(o judged) {
	if j.States == nil {
		j.States, j.Bad = map[string]int{}, map[string]int{}
	}
	for kind, n := range o.States {
		j.States[kind] += n
	}
	for kind, n := range o.Bad {
		j.Bad[kind] += n
	}
	j.All += o.All
	j.AllBad += o.AllBad
	j.Died += o.Died
	j.Rebuilt += o.Rebuilt
	j.First = append(j.First, o.First...)
}

// judge has a log judged. Bad states are no error here: a control wants them.
func (g *ground) judge(ctx context.Context, log string, args ...string) (j judged, err error) {
	cmd := exec.CommandContext(ctx, g.program("storm"), append([]string{"judge", "-log", log},
		args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if jerr := json.Unmarshal(out, &j); jerr != nil {
		return j, fmt.Errorf("storm judge: %w: %s", errors.Join(err, jerr), said.Bytes())
	}
	return j, nil
}

// record lets a writer live on a recorder, and gives the log of it. Several lives are separated by
// semicolons; each but the last may end by its own hand.
func (g *ground) record(
	ctx context.Context, p plan, seed uint64,
) (log string, err error) {
	random := rand.New(rand.NewPCG(seed, 4))
	steps := p.steps
	for strings.Contains(steps, "%d") {
		steps = strings.Replace(steps, "%d", strconv.Itoa(8+random.IntN(24)), 1)
	}
	d, err := g.mount(300)
	if err != nil {
		return "", err
	}
	defer d.unmount()
	if p.sample != "" {
		if err := g.unpackSample(ctx, p.sample, d.dir); err != nil {
			return "", err
		}
		if err := d.order("settle"); err != nil {
			return "", err
		}
	}
	lives := strings.Split(steps, ";")
	for n, life := range lives {
		w, err := launch(nil, g.program("storm"), "write", "-dir", d.dir, "-seed", number(seed),
			"-steps", life)
		if err != nil {
			return "", err
		}
		<-w.ended
		if w.err != nil && (n == len(lives)-1 || !killed(w.err)) {
			return "", fmt.Errorf("storm write -steps %s: %w: %s", life, w.err, w.words())
		}
	}
	return g.dump(d)
}

func (g *ground) dump(d *disk) (string, error) {
	dir, err := g.folder("log-")
	if err != nil {
		return "", err
	}
	log := filepath.Join(dir, "disk.log")
	return log, d.order("dump %s", log)
}

// unpackSample asks storm for a journal as an older version has left it.
func (g *ground) unpackSample(ctx context.Context, name, dir string) error {
	return ask(ctx, nil, g.program("storm"), "sample", "-name", name, "-dir", dir)
}

// crashStates judges every plan, over and over until there are as many states as were wanted.
func (g *ground) crashStates(ctx context.Context) error {
	if err := g.mountable(); err != nil {
		return err
	}
	const statesARun = 60000 // of all plans together: new seeds find more than more of the same
	var sum judged
	byPlan := map[string]int{}
	began := time.Now()
	for n := uint64(0); sum.All < g.states && ctx.Err() == nil; n++ {
		before := sum.All
		for _, p := range plans() {
			j, err := g.judgePlan(ctx, p, g.seed+n, min(statesARun, g.states)*p.share/100)
			if err != nil {
				return fmt.Errorf("%s, seed %d: %w", p.name, g.seed+n, err)
			}
			byPlan[p.name] += j.All
			sum.add(j)
			if ctx.Err() != nil {
				break
			}
		}
		if sum.All == before {
			return errors.New("no states")
		}
	}
	took := time.Since(began)
	g.say("states    %d, %.0f a minute, bad %d; by what the writer did: %s", sum.All,
		float64(sum.All)/took.Minutes(), sum.AllBad, counted(byPlan))
	g.say("states    by what was left: %s", counted(sum.States))
	g.say("states    copied into new files before the first payment %d, ended their judge %d",
		sum.Rebuilt, sum.Died)
	return ctx.Err()
}

func (g *ground) judgePlan(ctx context.Context, p plan, seed uint64, states int) (judged, error) {
	log, err := g.record(ctx, p, seed)
	if err != nil {
		return judged{}, err
	}
	defer func() { _ = os.RemoveAll(filepath.Dir(log)) }()
	args := []string{"-seed", number(seed), "-states", strconv.Itoa(max(states, 1))}
	if p.judge != "" {
		args = append(args, p.judge)
	}
	j, err := g.judge(ctx, log, args...)
	if err == nil && j.AllBad > 0 {
		g.fail("%s, seed %d: %d of %d states are bad: %s\n%s%s", p.name, seed, j.AllBad, j.All,
			counted(j.Bad), strings.Join(j.First, "\n"), g.keepLog(log, p.name, seed))
	}
	return j, err
}

// keepLog puts the log of a failed run aside, if that was asked for, and says where.
func (g *ground) keepLog(log, name string, seed uint64) string {
	if g.keep == "" {
		return "\n(-keep DIR keeps such logs)"
	}
	if err := os.MkdirAll(g.keep, 0o700); err != nil {
		return "\n" + err.Error()
	}
	to := filepath.Join(g.keep, fmt.Sprintf("%s-%d.log", strings.ReplaceAll(name, " ", "-"), seed))
	if err := copyFile(log, to); err != nil {
		return "\n" + err.Error()
	}
	return "\nkept as " + to
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
