package agent

import (
	"errors"
	"log/slog"

	"reversald/agent/payment"
	"reversald/iso"
)

// fromApp takes one message from a payment app. What can not be understood is not sent.
func (a *Agent) fromApp(app App, body []byte) error {
	g, err := a.profile.Glance(body)
	if err != nil {
		a.counts.Refused++
		a.log.Warn("app's message refused",
			slog.String("app", app.Name()), slog.Any("error", err))
		a.answerLocally(app, body, a.profile.Codes().Refused)
		return nil
	}
	switch g.Class {
	case iso.ClassPayment:
		if !g.Reversible { // an inquiry, a refund, an advice: nothing of ours to undo
			if a.heard.failing {
				a.turnAwayUnpowered(waiter{app: app, body: body, glance: g})
				return nil
			}
			if !a.guarded(app, g, iso.Card{}, body) {
				a.pass(app, g, body)
			}
			return nil
		}
		return a.payment(app, g, body)
	case iso.ClassReversal:
		return a.appReverses(app, g, body)
	case iso.ClassSettlement:
		if !a.profile.HoldsSettlement() {
			a.pass(app, g, body)
			return nil
		}
		return a.enter(waiter{app: app, body: body, glance: g})
	case iso.ClassOther:
		a.errand(app, g, body)
	case iso.ClassPaymentAnswer, iso.ClassReversalAnswer, iso.ClassSettlementAnswer,
		iso.ClassOtherAnswer:
		if err := a.line.Send(passTag, body); err != nil {
			a.log.Warn("app's answer not sent",
				slog.String("app", app.Name()), slog.Any("error", err))
		}
	}
	return nil
}

// errand is an app's message that is about no money: a sign-on or an echo, say, which
// the terminal answers truthfully where it makes those itself.
func (a *Agent) errand(app App, g iso.Glance, body []byte) {
	switch code := a.profile.AppAnswer(body); {
	case code == "":
		a.pass(app, g, body)
	case a.ready():
		a.answerLocally(app, body, code)
	default:
		a.line.Kick()
		a.answerLocally(app, body, a.profile.Codes().NotSent)
	}
}

// payment is a request for money: new, or asked again.
func (a *Agent) payment(app App, g iso.Glance, body []byte) error {
	o, err := a.profile.Original(body)
	if err == nil && !keepable(o.Fields) {
		err = errTooLong
	}
	if err != nil {
		a.counts.Refused++
		a.log.Warn("payment can not be reversed, so it is not sent",
			slog.String("app", app.Name()), slog.String("stan", g.STAN), slog.Any("error", err))
		a.answerLocally(app, body, a.profile.Codes().Refused)
		return nil
	}
	w := waiter{app: app, body: body, glance: g, original: o}
	if a.known(w) || a.waitsAlready(w) || a.guarded(app, g, o.Card, body) {
		return nil
	}
	return a.enter(w)
}

// errTooLong: what a reversal would need is more than an entry of the journal holds.
var errTooLong = errors.New("its fields fit no journal entry")

// known answers a request that is on file already, or whose trace number is taken. It is asked
// when the request comes and again when it may go out: another may have gone before it.
func (a *Agent) known(w waiter) bool {
	if c, ok := w.app.(*counter); ok {
		return a.traceTaken(c, w)
	}
	p := a.books.byKey[w.glance.Key]
	switch {
	case p == nil:
		return false
	case same(p.original, w.original) && p.state.Phase != payment.Unsent:
		a.askedAgain(p, w.app, w.body)
		return true
	case p.state.Phase.Open():
		a.counts.Refused++
		a.log.Warn("another payment with this trace number is open",
			slog.String("stan", w.glance.STAN), slog.Uint64("id", uint64(p.id)))
		a.answerLocally(w.app, w.body, a.profile.Codes().Refused)
		return true
	}
	return false
}

// askedAgain gives an app that repeats its question the outcome on file. Nothing is sent twice.
func (a *Agent) askedAgain(p *held, app App, body []byte) {
	a.log.Info("asked again", slog.Uint64("id", uint64(p.id)),
		slog.String("phase", p.state.Phase.String()))
	switch p.state.Phase {
	case payment.Asked:
		p.asker, p.question = app, a.withoutSecrets(body)
	case payment.Approved:
		p.asker, p.question = app, a.withoutSecrets(body)
		a.after = append(a.after, todo{
			p: p, effect: payment.TellApp{Outcome: payment.HostAnswer},
		})
	case payment.Confirmed, payment.Declined:
		a.answerFromFile(p, app, body)
	case payment.Doubted, payment.Stuck:
		a.answerLocally(app, body, a.profile.Codes().Unknown)
	case payment.Reversed, payment.Resolved:
		a.answerLocally(app, body, a.profile.Codes().Reversed)
	case payment.Unsent:
	}
}

// answerFromFile builds the host's answer again from what is kept of it.
func (a *Agent) answerFromFile(p *held, app App, question []byte) {
	kept := iso.Kept{Code: p.state.Code}
	if p.kept != nil {
		kept = *p.kept
	}
	body, err := a.profile.AnswerFrom(question, kept)
	if err != nil {
		a.log.Error("answer on file can not be built",
			slog.Uint64("id", uint64(p.id)), slog.Any("error", err))
		app.Hang("can not be answered from file")
		return
	}
	a.later(func() { a.tellOurs(app, body) })
}

// start makes a payment of a request, and asks.
func (a *Agent) start(w waiter) error {
	if len(a.books.open) >= openMax {
		a.counts.Refused++
		a.turnDown(w.app, w.body, Refusal{Kind: RefusedBusy})
		return nil
	}
	p := &held{
		id: a.nextID, original: w.original, key: w.glance.Key, terminal: w.glance.Terminal,
		stan: w.glance.STAN, amount: w.glance.AmountMinor, currency: w.glance.Currency,
		appName: w.app.Name(), host: a.host, since: a.clock.Wall(),
		request: w.body, asker: w.app,
	}
	confirm := payment.ByDelivery
	if c, ok := w.app.(*counter); ok {
		confirm, p.asker = payment.ByApp, nil
		p.confirms = confirms{
			idem: c.sale.Key, reference: c.sale.Reference, digest: c.sale.Digest,
			raw: c.sale.Frame != nil, ours: c.sale.Frame == nil, counters: []*counter{c},
		}
	}
	a.nextID++
	a.keeping.values = iso.ValuesOf(p.original)
	a.books.add(p)
	return a.happen(p, payment.Ask{ConfirmBy: confirm})
}

// appReverses adopts a reversal of the app's own: it is the same payment, one reversal goes to the
// host, and the app gets its answer when the host has given one.
func (a *Agent) appReverses(app App, g iso.Glance, body []byte) error {
	p := a.books.byKey[g.OriginalKey]
	if a.takeBack(g.OriginalKey) || p == nil {
		a.pass(app, g, body) // nothing of ours: the host decides
		return nil
	}
	if p.state.Held { // nobody knows when it will be
		a.answerLocally(app, body, a.profile.Codes().Unknown)
		return nil
	}
	switch p.state.Phase {
	case payment.Reversed:
		a.answerLocally(app, body, p.state.Code)
		return nil
	case payment.Stuck:
		a.answerLocally(app, body, a.profile.Codes().Unknown)
		return nil
	case payment.Unsent, payment.Declined, payment.Resolved:
		a.pass(app, g, body)
		return nil
	case payment.Asked, payment.Approved, payment.Confirmed, payment.Doubted:
	}
	if !p.state.Phase.Open() && !a.roomToReopen() {
		a.answerLocally(app, body, a.profile.Codes().Busy)
		return nil
	}
	if p.asker == app { // it has given its question up
		p.asker, p.question = nil, nil
	}
	p.reverser, p.taking = app, body
	a.queue.Hurry(p.terminal, a.now())
	return a.happen(p, payment.Cancel{})
}
