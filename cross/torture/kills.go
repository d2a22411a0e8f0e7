package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// killsAShop is how often the daemon of one shop is killed before its books are compared: a few
// hundred sales, so that a fault is found near its cause.
const killsAShop = 100

// manner is one way to be killed, and how often of a hundred.
type manner struct {
	name  string
	share int
	die   func(*shop) error
}

// manners are where in its life a daemon is killed. Instants are drawn evenly.
func manners() []manner {
	return []manner{
		{"selling", 58, func(s *shop) error { return s.live(40*time.Millisecond, true) }},
		{"selling, alone", 8, func(s *shop) error { return s.live(40*time.Millisecond, false) }},
		{"starting", 16, func(s *shop) error { return s.startAndDie(20 * time.Millisecond) }},
		{"salvaging", 6, func(s *shop) error {
			if err := os.WriteFile(s.journal+".suspect", []byte("a drill\n"), 0o600); err != nil {
				return err
			}
			return s.startAndDie(40 * time.Millisecond)
		}},
		{"damaged", 4, func(s *shop) error {
			if err := s.damage(); err != nil {
				return err
			}
			return s.startAndDie(60 * time.Millisecond)
		}},
		{"compacting", 4, func(s *shop) error { return s.tool(30*time.Millisecond, "compact") }},
		{"changing the key", 4, func(s *shop) error {
			return s.tool(40*time.Millisecond, "key", "rotate")
		}},
	}
}

// live waits until the daemon sells, and kills it within a time.
func (s *shop) live(within time.Duration, all bool) error {
	if err := s.startDaemon(); err != nil {
		return err
	}
	if err := s.daemon.waitFor("listening on "); err != nil {
		return err
	}
	s.wait(within)
	return s.die(all)
}

// startAndDie kills the daemon within a time from its very first instruction.
func (s *shop) startAndDie(within time.Duration) error {
	if err := s.startDaemon(); err != nil {
		return err
	}
	s.wait(within)
	return s.die(true)
}

// tool runs a command on the journal that nobody has open, and kills that.
func (s *shop) tool(within time.Duration, name ...string) error {
	argv := append([]string{s.g.program("reversald"), "-c", s.path("pos.yaml")}, name...)
	p, err := launch(nil, argv...)
	if err != nil {
		return err
	}
	s.wait(within)
	p.kill(true)
	code := exitCode(p.err)
	if code == damagedJournal && s.damaged {
		return nil // a tool refuses what the next start mends
	}
	if code > 0 && code != noJournalYet {
		return fmt.Errorf("%v ended with %d: %s", name, code, p.words())
	}
	return nil
}

// damagedJournal is the exit code of a tool that meets damage.
const damagedJournal = 65

// noJournalYet is the exit code of a tool before the first start has come far enough.
const noJournalYet = 66

func (s *shop) wait(within time.Duration) {
	time.Sleep(time.Duration(s.random.Int64N(int64(within))))
}

// damage destroys one block of 4 KiB of one of the two files, in a shop always of the same: what
// was done to it may not have been mended when the next comes, and the promise is for either.
func (s *shop) damage() error {
	const block = 4096
	path := s.journal + s.victim
	blocks := sizeOf(path) / block
	if blocks < 2 || sizeOf(s.journal+".key") == 0 {
		return nil // still being made: nothing was promised
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	junk := make([]byte, block)
	for i := range junk {
		junk[i] = byte(s.random.Uint32())
	}
	s.damaged, s.fresh = true, true
	_, err = f.WriteAt(junk, s.random.Int64N(min(blocks, 24))*block)
	return err
}

// killStorm lets shops of all dialects in turn be killed over and over.
func (g *ground) killStorm(ctx context.Context) error {
	each := min(killsAShop, max(1, g.kills/len(dialects()))) // even a small run speaks them all
	rounds := max(1, (g.kills+each-1)/each)
	var mu sync.Mutex
	var sum tally
	by := map[string]int{}
	kills := 0
	began := time.Now()
	next := make(chan int)
	var wait sync.WaitGroup
	for range max(2, runtime.NumCPU()) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for n := range next {
				d := dialects()[n%len(dialects())]
				seed := g.seed + uint64(n)
				t, counts, err := g.killShop(ctx, d, n, seed, each)
				mu.Lock()
				sum.add(t)
				for name, c := range counts {
					by[name] += c
					kills += c
				}
				mu.Unlock()
				if err != nil && ctx.Err() == nil {
					g.fail("shop %d, %s, seed %d: %v", n, d.name, seed, err)
				}
				for _, f := range t.faults {
					g.fail("shop %d, %s, seed %d: %s", n, d.name, seed, f)
				}
			}
		}()
	}
	for n := range rounds {
		if ctx.Err() != nil {
			break
		}
		next <- n
	}
	close(next)
	wait.Wait()
	took := time.Since(began)
	g.say("kills     %d in %d shops of %d dialects, %.0f a minute: %s", kills, rounds,
		min(rounds, len(dialects())), float64(kills)/took.Minutes(), counted(by))
	g.say("kills     %s", &sum)
	if sum.approved == 0 || sum.reversed == 0 {
		return errors.New("nothing was sold or nothing was reversed: this proves nothing")
	}
	return ctx.Err()
}

// forgetful is the configuration of a daemon that forgets closed payments as it goes, in a small
// file.
const forgetful = "retain_payments: 60\njournal_bytes_max: 2097152\n"

// killShop is one shop, killed so often, and its books.
func (g *ground) killShop(
	ctx context.Context, d dialect, n int, seed uint64, kills int,
) (t tally, by map[string]int, err error) {
	by = map[string]int{}
	more := ""
	if n%3 == 2 { // every third forgets as it goes, in a small file
		more = forgetful
	}
	s, err := openShop(g, d, seed, "", more)
	if err != nil {
		return t, by, err
	}
	defer s.end()
	s.retains = more != ""
	if err := s.openTills(); err != nil {
		return t, by, err
	}
	for range kills {
		if ctx.Err() != nil {
			return t, by, ctx.Err()
		}
		m := pick(s.random)
		if err := m.die(s); err != nil {
			return t, by, fmt.Errorf("%s: %w", m.name, err)
		}
		by[m.name]++
	}
	t, err = s.settle(ctx)
	t.stops = s.stops
	return t, by, err
}

func pick(random *rand.Rand) manner {
	at := random.IntN(100)
	all := manners()
	for _, m := range all {
		if at -= m.share; at < 0 {
			return m
		}
	}
	return all[0]
}

// counted is "3 this, 4 that", in the order of the names.
func counted(by map[string]int) string {
	var words []string
	for _, name := range sortedKeys(by) {
		words = append(words, fmt.Sprintf("%d %s", by[name], name))
	}
	return strings.Join(words, ", ")
}
