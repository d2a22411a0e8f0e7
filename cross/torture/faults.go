package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// exitDead is how storm, and reversald, end when nobody knows what is on the disk.
const exitDead = 75

// syncFaults lets writes and syncs fail, having landed or not. The process must stop; the next
// start finds out, on the same page cache that shows what the disk may not have; and every state
// that a power cut could have left in between is judged like any other.
func (g *ground) syncFaults(ctx context.Context) error {
	if err := g.mountable(); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(g.seed, 5))
	var sum judged
	by := map[string]int{}
	const times = 3
	for n := range 3 * times {
		kind := []string{"sync landed", "sync forgotten", "write"}[n%3]
		order := fmt.Sprintf([]string{
			"fail-sync %d land", "fail-sync %d forget", "fail-write %d",
		}[n%3], 1+random.IntN(40))
		j, err := g.syncFault(ctx, order, g.seed+uint64(n))
		if err != nil {
			return fmt.Errorf("%s, seed %d: %w", order, g.seed+uint64(n), err)
		}
		by[kind]++
		sum.add(j)
	}
	g.say("faults    %s: every one ended the writer with %d, and every start after it found out",
		counted(by), exitDead)
	g.say("faults    %d crash states around them, bad %d", sum.All, sum.AllBad)
	if sum.AllBad > 0 {
		g.fail("around failed writes: %s\n%s", counted(sum.Bad), strings.Join(sum.First, "\n"))
	}
	return g.daemonFaults(ctx)
}

func (g *ground) syncFault(ctx context.Context, order string, seed uint64) (j judged, err error) {
	d, err := g.mount(100)
	if err != nil {
		return j, err
	}
	log, err := func() (string, error) {
		defer d.unmount()
		life := func(steps string) (int, error) {
			w, err := launch(nil, g.program("storm"), "write", "-dir", d.dir, "-seed",
				number(seed), "-steps", steps)
			if err != nil {
				return 0, err
			}
			<-w.ended
			code := exitCode(w.err)
			if code != 0 && code != exitDead {
				return code, fmt.Errorf("storm write -steps %s: %w: %s", steps, w.err, w.words())
			}
			return code, nil
		}
		if _, err := life("open,append:6,close"); err != nil {
			return "", err
		}
		if err := d.order("%s", order); err != nil {
			return "", err
		}
		code, err := life("open,append:60")
		if err != nil {
			return "", err
		}
		if code != exitDead {
			return "", fmt.Errorf("the writer went on after %s", order)
		}
		if err := d.order("heal"); err != nil {
			return "", err
		}
		if code, err := life("open,append:4,reopen,append:2,close"); err != nil || code != 0 {
			return "", fmt.Errorf("the start after %s: exit %d: %w", order, code, err)
		}
		return g.dump(d)
	}()
	if err != nil {
		return j, err
	}
	defer func() { _ = os.RemoveAll(filepath.Dir(log)) }()
	return g.judge(ctx, log, "-seed", number(seed), "-states", "400")
}

// daemonFaults lets syncs fail under a selling daemon, over and over.
func (g *ground) daemonFaults(ctx context.Context) error {
	const times = 12
	d := dialects()[int(g.seed%2)]
	disk, err := g.mount(0)
	if err != nil {
		return err
	}
	defer disk.unmount()
	s, err := openShop(g, d, g.seed, disk.dir, "")
	if err != nil {
		return err
	}
	defer s.end()
	if err := s.openTills(); err != nil {
		return err
	}
	for n := range times {
		if err := s.startDaemon(); err != nil {
			return err
		}
		if err := s.daemon.waitFor("listening on "); err != nil {
			return fmt.Errorf("the start after %d failed syncs: %w", n, err)
		}
		how := []string{"land", "forget"}[n%2]
		if err := disk.order("fail-sync %d %s", 1+s.random.IntN(60), how); err != nil {
			return err
		}
		if err := s.stopsByItself(ctx); err != nil {
			return err
		}
		if err := disk.order("heal"); err != nil {
			return err
		}
	}
	t, err := s.settle(ctx)
	if err != nil {
		return err
	}
	for _, f := range t.faults {
		g.fail("failed syncs, %s: %s", d.name, f)
	}
	g.say("faults    %d syncs failed under a selling daemon, each ended it with %d", times,
		exitDead)
	g.say("faults    %s", &t)
	return nil
}

// stopsByItself waits for a daemon whose disk has failed, and wants it to say so.
func (s *shop) stopsByItself(ctx context.Context) error {
	select {
	case <-s.daemon.ended:
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(patience):
		return errors.New("the daemon goes on, though its disk has failed")
	}
	s.mu.Lock()
	s.kills = append(s.kills, time.Now())
	s.mu.Unlock()
	if code := exitCode(s.daemon.err); code != exitDead {
		return fmt.Errorf("the daemon ended with %d, want %d: %s", code, exitDead, s.daemon.words())
	}
	return nil
}
