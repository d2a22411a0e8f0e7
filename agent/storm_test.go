package agent_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"reversald/agent"
	"reversald/hal/haltest"
	"reversald/iso"
)

// TestStorm is the whole agent with its goroutines, in fake time, in weather that a seed makes up:
// two terminals, a line that is cut, swallows and lags, a bank that is silent, late, double, wrong
// and unwilling, apps that vanish, and KILL. In the end, receipt if and only if money moved.
func TestStorm(t *testing.T) {
	fixed, fresh := uint64(20), uint64(20)
	if testing.Short() {
		fixed, fresh = 4, 4
	}
	first := uint64(time.Now().UnixNano())
	t.Logf("seeds 1 to %d, and %d to %d", fixed, first, first+fresh-1)
	for n := range fixed {
		t.Run(fmt.Sprintf("seed %d", n+1), func(t *testing.T) { storm(t, n+1) })
	}
	for n := range fresh {
		t.Run(fmt.Sprintf("seed %d", first+n), func(t *testing.T) { storm(t, first+n) })
	}
}

func storm(t *testing.T, seed uint64) {
	story(t, func(s *shop) {
		g := &gale{
			s: s, dice: rand.New(rand.NewPCG(seed, 1)), bank: map[string]*deposit{},
			receipts: map[string]bool{}, voided: map[string]bool{},
		}
		for range 250 {
			g.step()
		}
		g.calms()
		g.closesTheBooks()
	})
}

// deposit is what the bank's books say of a sale, which it knows by its amount.
type deposit struct {
	debit, reversed bool
	code            string
	requests        int
}

type gale struct {
	s        *shop
	dice     *rand.Rand
	tills    [2]*stormTill
	last     [2]map[int]string // the sale a till asked for last
	sales    int
	bank     map[string]*deposit
	receipts map[string]bool
	voided   map[string]bool
	said     []lateWord
	calm     bool
}

// lateWord is an answer that the bank gives later, over the line its question came on.
type lateWord struct {
	at   time.Time
	h    *host
	body []byte
}

// stormTill is one connection of a payment app.
type stormTill struct {
	g      *gale
	takes  agent.TellResult
	awaits map[uint64]string // amounts by ticket
}

// Tell implements agent.App.
func (p *stormTill) Tell(ticket uint64, body []byte) agent.TellResult {
	m, err := p.g.s.profile.Decode(body)
	if err != nil {
		p.g.s.t.Errorf("the till can not read %x: %v", body, err)
		return agent.TellGone
	}
	switch {
	case p.takes == agent.TellGone:
		return agent.TellGone
	case m.MTI != "0210" || m.Fields[39] != "00":
		return agent.TellDelivered
	case p.takes == agent.TellWaits && ticket != 0:
		p.awaits[ticket] = m.Fields[4]
		return agent.TellWaits
	}
	p.g.prints(m.Fields[4])
	return agent.TellDelivered
}

// Hang implements agent.App.
func (p *stormTill) Hang(string) { p.takes = agent.TellGone }

// Name implements agent.App.
func (*stormTill) Name() string { return "till in a storm" }

func (g *gale) prints(amount string) {
	if d := g.bank[amount]; d == nil || (!d.debit || d.reversed) && !g.voided[amount] {
		g.s.t.Errorf("a receipt over %s, and no money moved", amount)
	}
	g.receipts[amount] = true
}

func (g *gale) oneIn(n int) bool { return !g.calm && g.dice.IntN(n) == 0 }

// step is one thing that happens, and what the bank makes of it.
func (g *gale) step() {
	switch n := g.dice.IntN(40); {
	case n < 18:
		g.asks(n % 2)
	case n < 20:
		g.asksAgain(n % 2)
	case n < 22:
		g.reverses(n % 2)
	case n < 24:
		g.vanishes(n % 2)
	case n < 26:
		g.hears(n % 2)
	case n == 26:
		g.s.restarts()
		g.tills = [2]*stormTill{}
	case n == 27 && len(g.s.hosts) > 0:
		g.s.hosts[len(g.s.hosts)-1].cut()
	case n == 28:
		g.s.dialer.pulled.Store(true)
		g.s.passes(time.Duration(g.dice.IntN(100)) * time.Second)
		g.s.dialer.pulled.Store(false)
	case n == 29:
		g.s.dialer.Add(g.badLine())
	case n == 30:
		g.s.clock.Jump(time.Duration(g.dice.IntN(400)-200) * time.Hour)
	case n == 31:
		g.s.clock.Reset1970()
	case n == 32:
		g.replaysAll()
	}
	g.banking()
	g.s.passes(time.Duration(g.dice.IntN(5000)) * time.Millisecond)
	if g.oneIn(12) {
		g.s.passes(time.Duration(g.dice.IntN(90)) * time.Second)
	}
	g.banking()
}

// badLine is what a line does wrong from its beginning.
func (g *gale) badLine() haltest.Faults {
	some := haltest.After(g.dice.IntN(1500))
	return []haltest.Faults{
		{CutToHost: some},
		{CutToHost: some, CutUnseen: true},
		{CutToTerminal: some},
		{SwallowToHost: some},
		{SwallowToTerminal: some},
		{HalfOpen: some},
		{DelayToTerminal: 20 * time.Second},
		{DelayToHost: 20 * time.Second},
		{Pieces: 3},
	}[g.dice.IntN(9)]
}

func (g *gale) till(n int) *stormTill {
	if g.tills[n] == nil {
		g.tills[n] = &stormTill{g: g, takes: agent.TellDelivered, awaits: map[uint64]string{}}
		if g.oneIn(6) {
			g.tills[n].takes = agent.TellWaits
		}
	}
	return g.tills[n]
}

func (g *gale) sends(n int, mti string, fields map[int]string) {
	body, err := g.s.profile.Compose(mti, fields)
	if err != nil {
		g.s.t.Fatal(err)
	}
	g.s.agent.Frame(g.till(n), body)
	if !g.oneIn(4) { // otherwise together with whatever comes next
		synctest.Wait()
	}
}

func (g *gale) asks(n int) {
	g.sales++
	fields := sale(fmt.Sprintf("TERM%04d", n+1), fmt.Sprintf("%06d", g.sales))
	fields[4] = fmt.Sprintf("%012d", 1000+g.sales)
	g.last[n] = fields
	g.sends(n, "0200", fields)
}

func (g *gale) asksAgain(n int) {
	// An app that has taken a sale back and asks for it again wants both: whatever it hears then,
	// nobody could call right.
	if f := g.last[n]; f != nil && !g.receipts[f[4]] && !g.voided[f[4]] {
		g.sends(n, "0200", f)
	}
}

// reverses takes back what a till asked for last, by a message of its own; a receipt is torn up.
func (g *gale) reverses(n int) {
	if g.last[n] == nil {
		return
	}
	fields := map[int]string{}
	for k, v := range g.last[n] {
		if k != 35 && k != 48 && k != 52 {
			fields[k] = v
		}
	}
	fields[39] = "17"
	fields[90] = "0200" + fields[11] + fields[7] + strings.Repeat("0", 22)
	g.voided[fields[4]] = true
	g.sends(n, "0400", fields)
	synctest.Wait()
}

func (g *gale) vanishes(n int) {
	if p := g.tills[n]; p != nil {
		p.takes, g.tills[n] = agent.TellGone, nil
		g.s.agent.Gone(p)
	}
}

// hears settles what a slow app was told.
func (g *gale) hears(n int) {
	synctest.Wait()
	p := g.tills[n]
	if p == nil {
		return
	}
	for ticket, amount := range p.awaits {
		ok := g.calm || g.dice.IntN(3) > 0
		if ok {
			g.prints(amount)
		}
		delete(p.awaits, ticket)
		g.s.agent.Told(ticket, ok)
	}
}

// banking lets the bank take what has come, and say what it has to say.
func (g *gale) banking() {
	synctest.Wait()
	for _, h := range g.s.hosts {
		for _, m := range h.all() {
			g.takes(h, m)
		}
	}
	kept := g.said[:0]
	for _, w := range g.said {
		if w.at.After(time.Now()) {
			kept = append(kept, w)
			continue
		}
		if wire, err := g.s.profile.AppendFrame(nil, w.body); err == nil {
			_, _ = w.h.line.Host.Write(wire) // nobody may be there any more
		}
	}
	g.said = kept
	synctest.Wait()
	if n := len(g.s.hosts); n == 0 || g.over(g.s.hosts[n-1]) {
		g.s.lineComesUp()
	}
}

func (g *gale) over(h *host) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.over
}

// takes is a question at the bank.
func (g *gale) takes(h *host, m iso.Message) {
	d := g.bank[m.Fields[4]]
	if d == nil {
		d = &deposit{}
		g.bank[m.Fields[4]] = d
	}
	code := "00"
	switch m.MTI {
	case "0200":
		code = g.sells(d, m)
	case "0400", "0401":
		if g.oneIn(6) {
			code = []string{"96", "91", "58", "30", "ZZ", "68"}[g.dice.IntN(6)]
			break
		}
		if d.reversed = true; !d.debit {
			code = "25"
		}
	}
	if g.oneIn(10) {
		return // silent
	}
	fields := answer(m, code)
	mti := g.s.profile.AnswerMTI(m.MTI)
	if g.oneIn(20) { // wrong, with or without the right one after it
		wrong := answer(m, code)
		for n, v := range map[int]string{11: "999999", 41: "TERM0099", 4: "000000999999"} {
			if g.dice.IntN(3) == 0 {
				wrong[n] = v
			}
		}
		if wrong[4]+wrong[11]+wrong[41] != fields[4]+fields[11]+fields[41] {
			g.says(h, mti, wrong, 0)
		}
		if g.oneIn(2) {
			return
		}
	}
	delay := time.Duration(0)
	if g.oneIn(8) {
		delay = time.Duration(g.dice.IntN(60)) * time.Second
	}
	g.says(h, mti, fields, delay)
	if g.oneIn(8) {
		g.says(h, mti, fields, delay+time.Duration(g.dice.IntN(40))*time.Second)
	}
}

func (g *gale) sells(d *deposit, m iso.Message) string {
	if d.requests++; d.requests > 1 {
		g.s.t.Errorf("the request of trace %s is sent twice", m.Fields[11])
	}
	switch {
	case d.reversed:
		d.code = "12"
	case g.oneIn(10):
		d.code = "51"
	case g.oneIn(12):
		d.code, d.debit = "68", g.oneIn(2)
	default:
		d.code, d.debit = "00", true
	}
	return d.code
}

func (g *gale) says(h *host, mti string, fields map[int]string, delay time.Duration) {
	body, err := g.s.profile.Compose(mti, fields)
	if err != nil {
		g.s.t.Fatal(err)
	}
	g.said = append(g.said, lateWord{time.Now().Add(delay), h, body})
}

func (g *gale) replaysAll() {
	open, err := g.s.agent.Open(context.Background())
	if err != nil {
		g.s.t.Fatal(err)
	}
	for _, p := range open {
		if p.Phase == "stuck" {
			if _, err := g.s.agent.Replay(context.Background(), p.ID, "Li", "again"); err != nil {
				g.s.t.Error(err)
			}
		}
	}
}

// calms lets everything work until nothing is open any more.
func (g *gale) calms() {
	g.calm = true
	g.banking()
	g.s.hosts[len(g.s.hosts)-1].cut() // it may lead nowhere
	for range 500 {
		g.hears(0)
		g.hears(1)
		g.banking()
		g.s.passes(20 * time.Second)
		g.replaysAll()
		if st := g.s.status(); st.Open == 0 && st.Waiting == 0 && len(g.said) == 0 {
			return
		}
		if g.dice.IntN(20) == 0 { // as that one, if it was made in the storm
			g.s.hosts[len(g.s.hosts)-1].cut()
		}
	}
	g.s.t.Errorf("not settled: %+v", g.s.status())
}

// closesTheBooks: receipt if and only if money moved.
func (g *gale) closesTheBooks() {
	receipts, reversed := 0, 0
	for amount, d := range g.bank {
		debit, receipt := d.debit && !d.reversed, g.receipts[amount] && !g.voided[amount]
		if debit && !receipt {
			g.s.t.Errorf("%s is debited, and nobody has a receipt", amount)
		}
		if receipt && !debit {
			g.s.t.Errorf("a receipt over %s, and no money moved", amount)
		}
		if receipt {
			receipts++
		}
		if d.reversed {
			reversed++
		}
	}
	g.s.t.Logf("%d sales, %d receipts, %d reversed", g.sales, receipts, reversed)
	if g.sales < 50 || receipts == 0 || reversed == 0 {
		g.s.t.Error("that was no storm")
	}
}
