package faultsim

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"reversald/agent"
	"reversald/agent/link"
	"reversald/hal"
	"reversald/store"
)

// shipped is the product's agent, with its store on real files, stepped by hand.
type shipped struct {
	w       *world
	wire    *wire
	limits  agent.Limits
	keys    *hal.SoftKeys // the terminal's; nil: no MACs
	wall    wallClock
	disk    *medium
	base    string
	lives   int
	small   bool // the journal has little room
	full    bool // something else takes the room at the next start
	journal *store.Journal
	agent   *agent.Stepper
	apps    [2]*app
	stall   [2]instant // the newest span in which nothing was settled
	heldBy  instant    // frames were handed over and not settled yet; 0: none
	log     *leakLog

	offers   [2]offer          // sales that their app confirms, and waits for
	ids      map[uint32]uint64 // of such sales, as their apps were told
	confirms []unconfirmed
}

func newReal(w *world) (machine, error) {
	x, err := newWire(w.oneIn(2))
	if err != nil {
		return nil, err
	}
	config := agent.DefaultConfig()
	config.Host = []string{"host:1"}
	r := &shipped{
		w: w, wire: x, limits: config.Limits(x.profile), base: w.o.Dir,
		small: w.rates[DiskFull] > 0, log: &leakLog{}, ids: map[uint32]uint64{},
	}
	r.wall.start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	r.wall.now = func() instant { return w.now }
	if w.macs = x.union; x.union {
		r.limits.Terminal, r.limits.Merchant = terminalName(0), merchant
		if r.keys, err = hal.ParseSoftKeys([]byte(firstKeys)); err != nil {
			return nil, err
		}
	}
	r.disk, err = r.folder()
	return r, err
}

// folder is where the next life's files are.
func (r *shipped) folder() (*medium, error) {
	r.lives++
	dir := filepath.Join(r.base, fmt.Sprintf("life-%d", r.lives))
	return &medium{w: r.w, dir: dir}, os.MkdirAll(dir, 0o700)
}

// journalBytes is the room of a journal on a disk that fills up: as little as there may be.
const journalBytes = 2 << 20

func (r *shipped) start() error {
	o := r.disk.options(store.Options{Boot: r.wall.boot(r.lives)})
	o.SizeMax = 2 * journalBytes
	if r.small {
		o.SizeMax = journalBytes
	}
	var err error
	r.disk.opening = true
	if r.journal, err = store.OpenOn(o, r.disk.medium()); err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	r.disk.opening = false
	if r.full {
		if err := r.fill(); err != nil {
			return err
		}
	}
	r.heldBy = 0
	r.apps, r.offers, r.confirms = [2]*app{}, [2]offer{}, nil
	parts := agent.Parts{
		Profile: r.wire.profile, Journal: r.journal, Clock: &r.wall, Log: slog.New(r.log),
	}
	if r.keys != nil {
		parts.Signer = r.keys
	}
	r.agent = agent.NewStepper(parts, r.limits, stepLine{r}, r.wall.now)
	return r.died(r.agent.Start())
}

// fill takes the room of the journal away, all but the reserve.
func (r *shipped) fill() error {
	r.full = false
	for r.journal.Facts().Size < journalBytes-(300<<10) {
		ds := make([]store.Draft, 10)
		for i := range ds {
			ds[i] = store.Draft{Mark: store.MarkKeep, Kind: 15, Payload: make([]byte, 3000)}
			for j := range ds[i].Payload {
				ds[i].Payload[j] = ' '
			}
			copy(ds[i].Payload, `{"why":"filler"}`)
		}
		_, err := r.journal.Append(ds...)
		if errors.Is(err, store.ErrFull) {
			break
		}
		if err != nil {
			return r.died(err)
		}
	}
	return nil
}

// died ends the life if the disk has ended it, and otherwise gives the error back.
func (r *shipped) died(err error) error {
	if err != nil && r.disk.died != nil {
		panic(*r.disk.died)
	}
	return err
}

// settle lets the agent settle what was handed over, now or, now and then, in a while.
func (r *shipped) settle() {
	if r.heldBy == 0 && !r.w.calm && r.w.oneIn(12) {
		r.heldBy = r.w.now + r.w.between(time.Millisecond, 300*time.Millisecond)
		r.stall = [2]instant{r.w.now, r.heldBy}
		return
	}
	if r.heldBy <= r.w.now {
		r.step()
	}
}

func (r *shipped) step() {
	r.heldBy = 0
	if err := r.died(r.agent.Step()); err != nil {
		r.w.audit.fail("the agent ends: %v", err)
		panic(death{cause: Kill})
	}
	r.tellOffers()
	r.tellConfirms()
}

// crash makes the files of the next life out of those of this one.
func (r *shipped) crash(how death) {
	next, err := r.folder()
	if err == nil {
		err = r.disk.moveTo(next.dir, how)
	}
	if r.journal != nil {
		r.journal.Close()
	}
	r.journal = nil
	if err == nil {
		err = r.checkDisk()
	}
	if err != nil {
		r.w.audit.fail("the simulator's own disk: %v", err)
	}
	os.RemoveAll(r.disk.dir)
	r.disk = next
}

// checkDisk looks for card data in what this life has written.
func (r *shipped) checkDisk() error {
	if r.w.o.Plant == ClearCard {
		path := filepath.Join(r.disk.dir, "journal.db.debug")
		if err := os.WriteFile(path, []byte("card "+pan), 0o600); err != nil {
			return err
		}
	}
	where, err := r.disk.leaks()
	if where != "" {
		r.w.audit.fail("card data in the clear: %s", where)
	}
	if r.log.leak != "" {
		r.w.audit.fail("card data in the log: %s", r.log.leak)
	}
	return err
}

func (r *shipped) close() {
	if r.journal != nil {
		r.journal.Close()
	}
	if err := r.checkDisk(); err != nil {
		r.w.audit.fail("the simulator's own disk: %v", err)
	}
	os.RemoveAll(r.disk.dir)
}

func (r *shipped) suffers(f Fault) {
	switch f { //nolint:exhaustive // the others do not concern a clock
	case ClockJump:
		r.wall.shift += r.w.between(0, 800*time.Hour) - 400*time.Hour
	case Clock1970:
		r.wall.shift = time.Unix(0, 0).Sub(r.wall.start) - r.w.now
	case DiskFull:
		r.full = r.small
	case KeyChanged:
		if err := r.wire.changeKey(); err != nil {
			r.w.audit.fail("the bank's keys: %v", err)
		}
	}
}

// ask brings a till's bytes; the connection is made with the first of them.
func (r *shipped) ask(n uint8, m *Message) {
	body, err := r.wire.question(m)
	if err != nil {
		r.w.audit.fail("the till's question: %v", err)
		return
	}
	if m.Confirms {
		r.offers[n] = offer{r.agent.Sell(r.apiSale(n, m, body)), m}
		r.settle()
		return
	}
	if r.apps[n] == nil {
		r.apps[n] = &app{r: r, till: n}
	}
	r.agent.Frame(r.apps[n], body)
	r.settle()
}

func (r *shipped) gone(n uint8) {
	if o := r.offers[n]; o.Offer != nil {
		r.offers[n] = offer{}
		r.agent.Forsake(o.Offer)
		r.settle()
	}
	if a := r.apps[n]; a != nil {
		r.apps[n] = nil
		r.agent.Gone(a)
		r.settle()
	}
}

func (r *shipped) told(ticket uint64, ok bool) {
	r.agent.Told(ticket, ok)
	r.settle()
}

func (r *shipped) stalled() (from, to instant) { return r.stall[0], r.stall[1] }
func (r *shipped) lineUp()                     { r.report(link.LineUp{Address: "host:1"}) }
func (r *shipped) lineLost()                   { r.report(link.LineLost{Err: errDown}) }
func (r *shipped) wake() (instant, bool)       { return r.nextWake(), true }

func (r *shipped) nextWake() instant {
	next := r.w.now + r.agent.Wake()
	if r.heldBy != 0 {
		next = min(next, r.heldBy)
	}
	return next
}

func (r *shipped) tick() { r.step() }

func (r *shipped) report(report link.Report) {
	r.agent.Report(report)
	r.settle()
}

func (r *shipped) never(m *Message) {
	id, _ := r.find(m.Sale)
	r.report(link.NeverLeft{Tag: link.Tag{ID: id, Reversal: m.Kind == Reversal}})
}

func (r *shipped) arrived(m *Message) {
	body, err := r.wire.answer(m)
	if err != nil {
		r.w.audit.fail("the bank's answer: %v", err)
		return
	}
	r.report(link.Arrived{Body: body})
}

func (r *shipped) find(sale uint32) (uint64, bool) {
	for _, p := range r.agent.Open() {
		if uint32(p.Amount) == sale {
			return p.ID, true
		}
	}
	return 0, false
}

func (r *shipped) replay(sale uint32) {
	if id, ok := r.find(sale); ok {
		r.agent.Replay(id, "person", "looks right")
		r.step()
	}
}

func (r *shipped) resolve(sale uint32) {
	if id, ok := r.find(sale); ok {
		r.agent.Resolve(id, "person", "agreed with the bank")
		r.step()
	}
}

func (r *shipped) open() []opened {
	if !r.w.on {
		return nil
	}
	var list []opened
	for _, p := range r.agent.Open() {
		list = append(list, opened{sale: uint32(p.Amount), stuck: p.Phase == "stuck"})
	}
	return list
}

// stepLine is the agent's line.
type stepLine struct{ r *shipped }

// Send reads what the agent sends, as the bank will, and hands it to the world.
func (l stepLine) Send(_ link.Tag, body []byte) error {
	m, err := l.r.wire.read(body)
	if err != nil {
		l.r.w.audit.fail("nobody can read what the agent sends: %v", err)
		return nil
	}
	if m.Kind == Reversal && l.r.wire.union {
		m.BadMAC = !l.r.wire.proven(body)
	}
	if err := l.r.w.send(m); err != nil {
		return fmt.Errorf("not sent: %w", err)
	}
	if l.r.w.o.Plant == DoubleLine && m.Kind == Sale && l.r.w.oneIn(10) {
		return l.r.w.send(m)
	}
	return nil
}

// Kick and Drop are the agent's wishes about the line.
func (l stepLine) Kick() { l.r.w.kick() }

// Drop ends it.
func (l stepLine) Drop() { l.r.w.drop() }

// app is one connection of a till.
type app struct {
	r    *shipped
	till uint8
}

// Tell implements agent.App.
func (a *app) Tell(ticket uint64, body []byte) agent.TellResult {
	if a.r.apps[a.till] != a {
		return agent.TellGone
	}
	m, err := a.r.wire.read(body)
	if err != nil {
		a.r.w.audit.fail("the till can not read its answer: %v", err)
		return agent.TellGone
	}
	switch a.r.w.tell(a.till, ticket, m) {
	case delivered:
		return agent.TellDelivered
	case waits:
		return agent.TellWaits
	case gone:
	}
	return agent.TellGone
}

// Hang implements agent.App.
func (a *app) Hang(string) {
	t := &a.r.w.tills[a.till]
	a.r.w.later(time.Millisecond, event{what: appLeaves, till: a.till, tag: t.epoch})
}

// Name implements agent.App.
func (a *app) Name() string { return fmt.Sprintf("till %d", a.till+1) }
