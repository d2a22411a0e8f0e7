package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// control is something that must break. If it holds, the judge is blind, and so is the proof.
type control struct {
	name  string
	write []string // what storm does, but for the folder
	judge []string
}

func controlRuns() []control {
	steady := []string{"write", "-steps", "open,append:20,close"}
	return []control{
		{
			"bbolt with NoSync",
			[]string{"plain", "-careless", "-commits", "60"},
			[]string{"-plain", "-chance", "300", "-states", "400"},
		},
		{
			"bbolt made under its final name",
			[]string{"plain", "-commits", "2"},
			[]string{"-plain", "-strict=false", "-states", "1500"},
		},
		{"our own journal, its syncs ignored", steady, []string{"-no-syncs", "-states", "400"}},
	}
}

// controls run every time.
func (g *ground) controls(ctx context.Context) error {
	if err := g.mountable(); err != nil {
		return err
	}
	for _, c := range controlRuns() {
		j, err := g.control(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		g.controlled(c.name, j)
	}
	// And what the judge must not fault: the same database, synced, where a judge's own mistake
	// would show.
	good := control{
		"", []string{"write", "-steps", "open,append:6,close"}, []string{"-states", "400"},
	}
	j, err := g.control(ctx, good)
	if err == nil && j.AllBad > 0 {
		err = fmt.Errorf("a good journal is faulted: %s", counted(j.Bad))
	}
	if err != nil {
		return err
	}
	return g.noBarriers(ctx)
}

// controlled says how a control went.
func (g *ground) controlled(name string, j judged) {
	g.say("control   %s: %d of %d states are bad: %s", name, j.AllBad, j.All, counted(j.Bad))
	if j.AllBad == 0 {
		g.fail("the control %q did not fail: what passes beside it proves nothing", name)
	}
}

func (g *ground) control(ctx context.Context, c control) (j judged, err error) {
	d, err := g.mount(0)
	if err != nil {
		return j, err
	}
	log, err := func() (string, error) {
		defer d.unmount()
		args := append([]string{g.program("storm")}, c.write...)
		if err := ask(ctx, nil, append(args, "-dir", d.dir)...); err != nil {
			return "", err
		}
		return g.dump(d)
	}()
	if err != nil {
		return j, err
	}
	defer func() { _ = os.RemoveAll(filepath.Dir(log)) }()
	return g.judge(ctx, log, append(c.judge, "-seed", number(g.seed))...)
}
