package agent

import (
	"errors"
	"log/slog"
	"maps"
	"regexp"
	"slices"

	"reversald/agent/guard"
	"reversald/agent/payment"
	"reversald/iso"
)

// counter is where callers of Sell wait for one payment: an App that confirms, and is told facts
// instead of frames. What has no comment about Run may be used by anybody once done is closed.
type counter struct {
	sale    Sale
	waits   int             // callers; owned by Run
	found   []guard.Finding // by the rails that warn; owned by Run
	settled bool
	done    chan struct{} // closed when settled
	result  Payment
	refusal *Refusal
}

func newCounter(s Sale) *counter { return &counter{sale: s, waits: 1, done: make(chan struct{})} }

// Tell implements App: the facts come by see.
func (*counter) Tell(uint64, []byte) TellResult { return TellDelivered }

// Hang implements App: there is no connection to end.
func (*counter) Hang(string) {}

// Name implements App.
func (c *counter) Name() string { return c.sale.App }

// Caution implements Cautious. What refuses is told as a refusal.
func (c *counter) Caution(found []guard.Finding) { c.found = found }

var _ Cautious = (*counter)(nil)

func (c *counter) refuse(r Refusal) {
	if !c.settled {
		c.settled, c.refusal = true, &r
		close(c.done)
	}
}

func (c *counter) see(p Payment) {
	if !c.settled {
		c.settled, c.result = true, p
		close(c.done)
	}
}

// sell begins a payment of an app that confirms, or finds the one that its key names. seen is the
// entry up to which the journal has been searched for the key, in vain; nil is that it has grown
// too much since, and must be searched again.
func (a *Agent) sell(s Sale, seen uint64) (*counter, error) {
	if c := a.onCounter(s); c != nil {
		return c, nil
	}
	if a.journal.Next() > seen+recentMax/2 {
		return nil, nil //nolint:nilnil // see above
	}
	c := newCounter(s)
	w, refusal := a.word(c)
	if refusal != nil {
		a.refused(s.App, s.Request.STAN, refusal)
		c.refuse(*refusal)
		return c, nil
	}
	if a.known(w) || a.guarded(c, w.glance, w.original.Card, w.body) {
		return c, nil
	}
	return c, a.enter(w)
}

// onCounter is where to wait for the payment that a key names, if it is in memory.
func (a *Agent) onCounter(s Sale) *counter {
	for _, w := range a.waiting {
		c, ok := w.app.(*counter)
		if !ok || c.sale.name() != s.name() {
			continue
		}
		if c.sale.Digest != s.Digest {
			return refusedCounter(s, Refusal{Kind: RefusedKey})
		}
		c.waits++
		return c
	}
	p := a.books.byIdem[s.name()]
	if p == nil {
		return nil
	}
	if p.digest != s.Digest {
		return refusedCounter(s, Refusal{Kind: RefusedKey, ID: uint64(p.id)})
	}
	c := newCounter(s)
	c.result.Replayed = true
	if p.state.Phase == payment.Asked {
		p.counters = append(p.counters, c)
		return c
	}
	v := a.view(p)
	v.Replayed = true
	a.later(func() { c.see(v) })
	return c
}

func refusedCounter(s Sale, r Refusal) *counter {
	c := newCounter(s)
	c.refuse(r)
	return c
}

// word makes of a sale what waits to go out.
func (a *Agent) word(c *counter) (waiter, *Refusal) {
	s := &c.sale
	body := s.Frame
	if body == nil {
		if s.Request.STAN == "" {
			s.Request.STAN = a.nextSaleSTAN(s.Request.Terminal)
		}
		s.Request.Time = a.clock.Wall().Local()
		var err error
		if body, err = a.profile.Word(s.Request); err != nil {
			return waiter{}, unworded(err)
		}
	}
	g, err := a.profile.Glance(body)
	if err != nil {
		return waiter{}, unworded(err)
	}
	if g.Class != iso.ClassPayment || !g.Reversible {
		return waiter{}, &Refusal{Kind: RefusedKind, Why: g.MTI +
			" with this processing code is no payment that is taken back by a reversal"}
	}
	o, err := a.profile.Original(body)
	if err != nil {
		return waiter{}, unworded(err)
	}
	kept := maps.Clone(o.Fields)
	kept[0], kept[1] = s.Key, s.Reference // on file beside them
	if !keepable(kept) {
		return waiter{}, unworded(errTooLong)
	}
	if showsCard(s.Reference) || showsCard(s.Key) ||
		o.Card.PAN.In(s.Reference) || o.Card.PAN.In(s.Key) {
		return waiter{}, &Refusal{
			Kind: RefusedMessage,
			Why:  "the key or the reference holds a card number, which must not be kept there",
		}
	}
	return waiter{app: c, body: body, glance: g, original: o}, nil
}

// cardRun is a run of digits that begins as the numbers of the schemes do. Times of day and seconds
// since 1970, which apps like to make keys of, do not.
var cardRun = regexp.MustCompile(`(^|[^0-9])(([3-6]|2[2-7]|8[12])[0-9]{11,18})($|[^0-9])`)

// showsCard: there is a number in a text that can be a card's.
func showsCard(text string) bool {
	for _, found := range cardRun.FindAllStringSubmatch(text, -1) {
		if run := iso.PAN(found[2]); len(run) >= 13 && run.CheckDigit() {
			return true
		}
	}
	return false
}

// unworded is the refusal of what can not be made or read as a message.
func unworded(err error) *Refusal {
	r := &Refusal{Kind: RefusedMessage, Why: err.Error()}
	var bad *iso.FieldError
	if errors.As(err, &bad) {
		r.Field = bad.Field
	}
	return r
}

// nextSaleSTAN is a trace number for a payment that its app leaves to us: none that any payment in
// memory, or any that waits, has on this terminal.
func (a *Agent) nextSaleSTAN(terminal string) string {
	next, stan, ok := iso.NextSTAN(a.stan, func(stan string) bool {
		for _, p := range a.books.byID {
			if p.terminal == terminal && (p.stan == stan || p.reversalSTAN == stan) {
				return true
			}
		}
		for _, w := range a.waiting {
			if w.glance.Terminal == terminal && w.glance.STAN == stan {
				return true
			}
		}
		return false
	})
	if !ok { // cannot happen: far fewer than a million payments are in memory
		return iso.FormatSTAN(1)
	}
	a.stan = next
	return stan
}

// traceTaken refuses a payment whose trace number is that of another. A key names one payment, so
// the same question under another key is not answered from file, as the ISO door would do.
func (a *Agent) traceTaken(c *counter, w waiter) bool {
	p := a.books.byKey[w.glance.Key]
	if p == nil || !p.state.Phase.Open() &&
		(!same(p.original, w.original) || p.state.Phase == payment.Unsent) {
		return false
	}
	r := Refusal{Kind: RefusedTrace, ID: uint64(p.id)}
	a.refused(c.sale.App, w.glance.STAN, &r)
	a.later(func() { c.refuse(r) })
	return true
}

// forsake takes a caller away who is gone. A payment that has not left, and that nobody waits for
// any more, never leaves.
func (a *Agent) forsake(c *counter) {
	if c.waits--; c.waits > 0 {
		return
	}
	if p := a.books.byIdem[c.sale.name()]; p != nil {
		p.counters = slices.DeleteFunc(p.counters, func(o *counter) bool { return o == c })
	}
	n := len(a.waiting)
	a.leaveRoom(c)
	if len(a.waiting) < n {
		a.log.Info("app gone before its payment left, nothing was sent",
			slog.String("app", c.sale.App))
		c.refuse(Refusal{Kind: RefusedTakenBack})
	}
}

// tellCounters tells the callers of Sell how it went.
func (a *Agent) tellCounters(p *held) {
	if len(p.counters) == 0 {
		return
	}
	v := a.view(p)
	for i, c := range p.counters {
		told := a.withAnswer(p, v, i > 0 || c.result.Replayed)
		for _, f := range c.found {
			told.Warnings = append(told.Warnings, Warning{Rail: f.Rail.String(), Text: f.Why})
		}
		c.see(told)
	}
	p.counters = nil
}

// withAnswer adds what only the moment of the answer knows: it is not kept on file.
func (a *Agent) withAnswer(p *held, v Payment, replayed bool) Payment {
	v.Replayed = replayed
	if p.answer == nil || p.state.Phase != payment.Approved && p.state.Phase != payment.Declined {
		return v
	}
	v.Chip = a.profile.ChipAnswer(p.answer)
	if p.raw && a.profile.Shareable(p.answer) {
		v.Answer = p.answer
	}
	return v
}
