package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// dialect is a built-in profile, and what a shop that speaks it needs.
type dialect struct {
	name    string
	tills   int
	proven  bool   // its messages carry codes: the daemon keeps one terminal's keys
	manners string // what the host does now and then
}

// dialects are the built-in ones. A host is mostly good: what it does to a sale must not hide what
// a kill does to it.
func dialects() []dialect {
	const sale87 = "p=0.02,0200:late=30ms;p=0.01,0200:cut-booked;p=0.01,0200:cut-middle;" +
		"p=0.02,0200:decline=51;p=0.05,04xx:cut-booked"
	sale93 := strings.NewReplacer("0200", "1200", "04xx", "14xx", "=51", "=116").Replace(sale87)
	return []dialect{
		{name: "iso87-ascii", tills: 3, manners: sale87},
		{name: "iso87-bcd", tills: 3, manners: sale87},
		{name: "unionpay", tills: 1, proven: true, manners: sale87},
		{name: "iso93", tills: 3, manners: sale93},
		{name: "as2805", tills: 1, proven: true, manners: sale87},
	}
}

// masterKey is for rehearsals: of the terminals, in hexadecimal.
const masterKey = "30313233343536373839616263646566"

// shop is a host with books, a daemon on a journal of its own, and tills that sell without end.
type shop struct {
	g       *ground
	d       dialect
	dir     string // of all but the journal
	journal string // path
	app     string // where the daemon listens
	random  *rand.Rand
	more    string // configuration
	victim  string // the file that damage strikes: "" the journal, ".ring" its second copy
	damaged bool   // a part of one of its files was destroyed
	fresh   bool   // and nobody has stopped for it yet
	stops   int    // how often somebody did
	retains bool   // closed payments are forgotten: not every story is on file

	host   *process
	daemon *process
	tills  *process
	close1 func() // ends the tills

	mu    sync.Mutex
	tolds []told
	heard []time.Time // when, of each of them
	kills []time.Time
}

// openShop starts the host. The journal lies where it is said to.
func openShop(g *ground, d dialect, seed uint64, journalDir, more string) (*shop, error) {
	dir, err := g.folder("shop-")
	if err != nil {
		return nil, err
	}
	if journalDir == "" {
		journalDir = dir
	}
	s := &shop{
		g: g, d: d, dir: dir, journal: filepath.Join(journalDir, "journal.db"), more: more,
		random: rand.New(rand.NewPCG(seed, 3)),
	}
	if s.random.IntN(2) == 0 {
		s.victim = ".ring"
	}
	if s.app, err = freeAddress(); err != nil {
		return nil, err
	}
	s.host, err = launch(nil, g.program("acquirerd"), "serve", "--listen", "127.0.0.1:0",
		"--profile", d.name, "--tmk", masterKey, "--books", "none",
		"--control", s.path("host.sock"),
		"--manners", fmt.Sprintf("seed=%d;%s", seed%1_000_000, d.manners))
	if err == nil {
		err = s.host.waitFor("listening on ")
	}
	if err != nil {
		return nil, fmt.Errorf("host: %w", err)
	}
	return s, s.configure()
}

func (s *shop) path(name string) string { return filepath.Join(s.dir, name) }

func (s *shop) configure() error {
	signer := "none"
	if s.d.proven {
		signer = "soft:" + s.path("keys.json")
		keys := `{"keys": {"tmk": {"cipher": "des", "value": "` + masterKey + `"}}}`
		if err := os.WriteFile(s.path("keys.json"), []byte(keys), 0o600); err != nil {
			return err
		}
	}
	_, address, _ := strings.Cut(strings.TrimSpace(s.host.first), "listening on ")
	config := fmt.Sprintf(`profile: %s
signer: %q
terminal: TILL0000
merchant: MERCHANT0000001
host: %q
listen: %q
journal: %q
socket: %q
host_timeout: 500ms
entry_wait: 2s
redial_min: 10ms
redial_max: 20ms
reversal_wait_min: 1s
any_filesystem: true
log_level: warn
%s`, s.d.name, signer, address, s.app, s.journal, s.path("pos.sock"), s.more)
	return os.WriteFile(s.path("pos.yaml"), []byte(config), 0o600)
}

// startDaemon does not wait for it.
func (s *shop) startDaemon() (err error) {
	s.daemon, err = launch(nil, s.g.program("reversald"), "run", "-c", s.path("pos.yaml"))
	return err
}

// openTills lets the tills sell until closeTills.
func (s *shop) openTills() error {
	args := []string{
		s.g.program("acquirerd"), "tills", "--to", s.app, "--profile", s.d.name,
		"--tid", "TILL0000", "--count", strconv.Itoa(s.d.tills), "--stan", "1",
		"--timeout", "3s", "--json",
	}
	if s.d.proven {
		args = append(args, "--tmk", masterKey)
	}
	// The tills end when their standard input does: a pipe that we hold.
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	s.tills, err = launchWith(r, s.hear, args...)
	s.close1 = func() { _ = w.Close() }
	return err
}

func (s *shop) hear(line []byte) {
	var t told
	if json.Unmarshal(line, &t) == nil {
		s.mu.Lock()
		s.tolds = append(s.tolds, t)
		s.heard = append(s.heard, time.Now())
		s.mu.Unlock()
	}
}

func (s *shop) closeTills() error {
	s.close1()
	select {
	case <-s.tills.ended:
		if code := exitCode(s.tills.err); code != 0 {
			return fmt.Errorf("the tills ended with %d: %s", code, s.tills.words())
		}
		return nil
	case <-time.After(patience):
		return errors.New("the tills do not end")
	}
}

// status is what `reversald status --json` says.
type status struct {
	Link    string `json:"link"`
	Open    int    `json:"open"`
	Owed    int    `json:"owed"`
	Stuck   int    `json:"stuck"`
	Checked int    `json:"checked"`
}

func (s *shop) status(ctx context.Context) (st status, err error) {
	err = ask(ctx, &st, s.g.program("reversald"), "status", "--json", "--socket",
		s.path("pos.sock"))
	return st, err
}

// drain waits until nothing is owed or open.
func (s *shop) drain(ctx context.Context) error {
	return until(ctx, "the reversals to be answered", func() error {
		if s.daemon.over() && s.fresh && exitCode(s.daemon.err) == exitDead {
			s.fresh = false // who meets damage may stop once, so that the next start mends it
			s.stops++
			return errors.Join(s.startDaemon(), errors.New("it has just started again"))
		}
		if s.daemon.over() {
			return fmt.Errorf("the daemon ended: %w: %s", s.daemon.err, s.daemon.words())
		}
		st, err := s.status(ctx)
		if err == nil && (st.Link != "up" || st.Open+st.Owed+st.Stuck > 0) {
			err = fmt.Errorf("%+v", st)
		}
		return err
	})
}

// settle ends the selling, lets the daemon finish what is open, and compares.
func (s *shop) settle(ctx context.Context) (tally, error) {
	if s.daemon == nil || s.daemon.over() {
		if err := s.startDaemon(); err != nil {
			return tally{}, err
		}
	}
	if err := s.daemon.waitFor("listening on "); err != nil {
		return tally{}, fmt.Errorf("the last start: %w", err)
	}
	time.Sleep(50 * time.Millisecond) // a few sales of an undisturbed daemon
	if err := s.closeTills(); err != nil {
		return tally{}, err
	}
	if err := s.drain(ctx); err != nil {
		return tally{}, err
	}
	if s.damaged {
		if err := s.mend(ctx); err != nil {
			return tally{}, err
		}
	}
	lines, err := s.filed(ctx)
	for range 10 { // nobody waits for the commit of a confirmation, so it may follow
		if err != nil || !unfinished(lines) {
			break
		}
		time.Sleep(200 * time.Millisecond)
		lines, err = s.filed(ctx)
	}
	if err != nil {
		return tally{}, err
	}
	s.daemon.stop()
	if code := exitCode(s.daemon.err); code != 0 {
		return tally{}, fmt.Errorf("the daemon ended with %d: %s", code, s.daemon.words())
	}
	var books struct {
		Entries []booked `json:"entries"`
	}
	err = ask(ctx, &books, s.g.program("acquirerd"), "books", "--json", "--control",
		s.path("host.sock"))
	if err != nil {
		return tally{}, err
	}
	var proof struct {
		Lost []any `json:"lost"`
	}
	err = ask(ctx, &proof, s.g.program("reversald"), "verify", "--json", s.journal)
	if err != nil {
		return tally{}, fmt.Errorf("the journal does not prove itself: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.markNear()
	return compare(s.tolds, books.Entries, lines, lenience{
		forgets: s.retains, damaged: len(proof.Lost) > 0,
	}), nil
}

// moments is how long after a kill a till may print what it was told just before.
const moments = 40 * time.Millisecond

// markNear notes which sales were told about when the daemon was killed.
func (s *shop) markNear() {
	at := 0
	for i, heard := range s.heard {
		for at < len(s.kills) && s.kills[at].Before(heard.Add(-moments)) {
			at++
		}
		s.tolds[i].near = at < len(s.kills) && s.kills[at].Before(heard.Add(moments))
	}
}

// mend lets the check in the background come to its end and, because what it finds is mended by
// the next start, starts once more.
func (s *shop) mend(ctx context.Context) error {
	err := until(ctx, "the check in the background", func() error {
		st, err := s.status(ctx)
		if err == nil && st.Checked == 0 {
			err = errors.New("it goes on")
		}
		return err
	})
	if err != nil {
		return err
	}
	s.daemon.stop()
	if err := s.startDaemon(); err != nil {
		return err
	}
	if err := s.daemon.waitFor("listening on "); err != nil {
		return fmt.Errorf("the start after the check: %w", err)
	}
	return s.drain(ctx)
}

// filed is everything that is on file.
func (s *shop) filed(ctx context.Context) ([]filed, error) {
	var lines []filed
	p, err := launch(func(line []byte) {
		var l filed
		if json.Unmarshal(line, &l) == nil {
			lines = append(lines, l)
		}
	}, s.g.program("reversald"), "tail", "--json", "-n", "1000000", "--socket", s.path("pos.sock"))
	if err != nil {
		return nil, err
	}
	select {
	case <-p.ended:
	case <-ctx.Done():
		p.kill(true)
	}
	if p.err != nil {
		return nil, fmt.Errorf("tail: %w: %s", p.err, p.words())
	}
	return lines, nil
}

// end ends whatever runs, and removes what it wrote unless it is to be kept.
func (s *shop) end() {
	for _, p := range []*process{s.tills, s.daemon, s.host} {
		if p != nil && !p.over() {
			p.kill(true)
		}
	}
	if s.close1 != nil {
		s.close1()
	}
	_ = os.RemoveAll(s.dir)
}

// die is a KILL at whatever instant this is.
func (s *shop) die(all bool) error {
	if s.daemon.over() && !killed(s.daemon.err) {
		// Who meets damage may stop once, so that the next start mends it.
		if exitCode(s.daemon.err) != exitDead || !s.fresh {
			return fmt.Errorf("the daemon ended by itself: %w: %s", s.daemon.err, s.daemon.words())
		}
		s.fresh = false
		s.stops++
	}
	s.mu.Lock()
	s.kills = append(s.kills, time.Now())
	s.mu.Unlock()
	s.daemon.kill(all)
	return nil
}

func killed(err error) bool {
	return err != nil && strings.Contains(err.Error(), syscall.SIGKILL.String())
}
