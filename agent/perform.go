package agent

import (
	"context"
	"log/slog"

	"reversald/agent/link"
	"reversald/agent/payment"
	"reversald/iso"
)

// perform does what was decided, in order. Its records are durable: losing any of this to a power
// cut is harmless.
func (a *Agent) perform() {
	todos := a.after
	a.after = nil
	for _, t := range todos {
		if t.tell != nil {
			t.tell()
			continue
		}
		switch effect := t.effect.(type) {
		case payment.SendRequest:
			a.sendRequest(t.p)
		case payment.SendReversal:
			a.sendReversal(t.p, effect.N)
		case payment.TellApp:
			a.tellApp(t.p, effect.Outcome)
		case payment.TellReversed:
			a.tellReverser(t.p, effect.Code)
		case payment.TellStuck:
			a.tellReverser(t.p, a.profile.Codes().Unknown)
		case payment.TellConfirmed:
			// The door that takes confirms answers from the phase.
		}
	}
}

// bring lets an event happen in the next pass of this round.
func (a *Agent) bring(p *held, e payment.Event) {
	a.again = append(a.again, happening{p, e})
}

// sendRequest hands the app's own bytes to the line, once, and lets go of them: track data and PIN
// block live no longer than that.
func (a *Agent) sendRequest(p *held) {
	body := p.request
	p.request = nil
	if body == nil || p.state.Phase != payment.Asked {
		return // the line was lost before this frame's turn: it is doubted, and stays here
	}
	tag := link.Tag{ID: uint64(p.id)}
	if p.ours && a.notary.mac.Sends(iso.ClassPayment) {
		a.haveSigned(p, tag, body)
		return
	}
	if err := a.line.Send(tag, body); err != nil {
		a.log.Warn("request not sent", slog.Uint64("id", uint64(p.id)), slog.Any("error", err))
		a.bring(p, payment.NeverLeft{})
	}
	clear(body)
}

// haveSigned has a request of our own wording signed. It goes out when it comes back, if nobody has
// doubted it by then: sent behind its own reversal it would leave a debit.
func (a *Agent) haveSigned(p *held, tag link.Tag, body []byte) {
	err := a.notary.do(func(ctx context.Context) {
		signed, err := a.notary.sign(ctx, body)
		clear(body)
		a.post(requestSigned{tag: tag, body: signed, err: err})
	})
	if err != nil {
		clear(body)
		a.log.Warn("request not sent", slog.Uint64("id", uint64(p.id)), slog.Any("error", err))
		a.bring(p, payment.NeverLeft{})
	}
}

// signed sends a request that has its MAC.
func (a *Agent) signed(m requestSigned) error {
	defer clear(m.body)
	p := a.books.byID[payment.ID(m.tag.ID)]
	if p == nil || p.state.Phase != payment.Asked {
		return nil
	}
	err := m.err
	if err == nil {
		err = a.line.Send(m.tag, m.body)
	}
	if err == nil {
		return nil
	}
	a.log.Warn("request not sent", slog.Uint64("id", m.tag.ID), slog.Any("error", err))
	return a.happen(p, payment.NeverLeft{})
}

// sendReversal builds attempt n from what is on file and hands it to the line.
func (a *Agent) sendReversal(p *held, n int) {
	if p.state.Phase != payment.Doubted || p.state.Attempts != n {
		return
	}
	body, err := a.reversalOf(p, n)
	if err != nil {
		a.bring(p, payment.ReversalRefused{Cause: "the reversal can not be built: " + err.Error()})
		return
	}
	tag := link.Tag{ID: uint64(p.id), Reversal: true}
	if err := a.sendOurs(tag, iso.ClassReversal, body); err != nil {
		a.log.Warn("reversal not sent", slog.Uint64("id", uint64(p.id)), slog.Any("error", err))
		a.bring(p, payment.ReversalNeverLeft{})
	}
}

// reversalOf builds attempt n from what is on file, and remembers what its answer is matched by.
func (a *Agent) reversalOf(p *held, n int) ([]byte, error) {
	body, err := a.profile.Reversal(p.original, p.kept, iso.Attempt{
		N: n, Reason: isoReason(p.state.Reason), STAN: p.reversalSTAN, Time: a.clock.Wall(),
		Refused: p.state.Answered,
	})
	if err != nil {
		return nil, err
	}
	if g, err := a.profile.Glance(body); err == nil {
		a.books.answersTo(p, g.Key)
	}
	return body, nil
}

// tellApp gives the app its answer: the host's own bytes, or ours with the profile's code.
func (a *Agent) tellApp(p *held, outcome payment.Outcome) {
	app := p.asker
	decided := p.state.Phase == payment.Approved || p.state.Phase == payment.Declined
	if outcome == payment.HostAnswer && !decided {
		// Doubted in the same round as it was approved: a customer must not hear of a yes that is
		// being taken back.
		outcome = payment.Unknown
	}
	a.tellCounters(p)
	if app == nil && p.state.ConfirmBy == payment.ByApp {
		return // nobody else waits, and only a confirm confirms
	}
	if outcome != payment.HostAnswer {
		p.asker = nil
		if app != nil {
			a.answerLocally(app, a.questionOf(p), a.localCode(outcome))
		}
		p.question = nil
		return
	}
	body := p.answer
	if p.state.Phase != payment.Approved {
		p.asker, p.question, p.answer = nil, nil, nil
		if app != nil {
			app.Tell(0, body)
		}
		return
	}
	if app == nil {
		a.bring(p, payment.Undeliverable{})
		return
	}
	a.ticket++
	switch app.Tell(a.ticket, body) {
	case TellDelivered:
		a.delivered(p)
	case TellWaits: // the door calls Told
		a.underway[a.ticket] = delivery{p, app}
	case TellGone:
		if !a.onItsWay(p) {
			a.bring(p, payment.Undeliverable{})
		}
	}
}

// onItsWay: some connection is still taking the answer, though another may be gone. Reversing the
// sale now would take back what the app is about to hear.
func (a *Agent) onItsWay(p *held) bool {
	for _, d := range a.underway {
		if d.p == p {
			return true
		}
	}
	return false
}

// delivered: the host's answer is with the app in full.
func (a *Agent) delivered(p *held) {
	p.asker, p.question, p.answer = nil, nil, nil
	a.bring(p, payment.Delivered{})
}

func (a *Agent) localCode(outcome payment.Outcome) string {
	if outcome == payment.NotSent {
		return a.profile.Codes().NotSent
	}
	return a.profile.Codes().Unknown
}

// answerLocally tells an app what we know, in the host's language, once this round is durable.
// With no code to say it, or no way to build it, the connection is closed: never a guess.
func (a *Agent) answerLocally(app App, question []byte, code string) {
	a.later(func() {
		if code == "" {
			app.Hang("no code to answer with")
			return
		}
		body, err := a.profile.LocalAnswer(question, code)
		if err != nil {
			app.Hang("can not be answered")
			return
		}
		a.tellOurs(app, body)
	})
}

// later does something outside once this round is durable.
func (a *Agent) later(tell func()) { a.after = append(a.after, todo{tell: tell}) }

// questionOf is what a local answer is built from: the question as it was asked again, or one
// composed from what is on file.
func (a *Agent) questionOf(p *held) []byte {
	if p.question != nil {
		return p.question
	}
	body, err := a.profile.Question(p.original)
	if err != nil {
		a.log.Error("question can not be composed",
			slog.Uint64("id", uint64(p.id)), slog.Any("error", err))
	}
	return body
}

// tellReverser answers the app's own reversal once the payment is reversed, or stuck.
func (a *Agent) tellReverser(p *held, code string) {
	app, body := p.reverser, p.taking
	p.reverser, p.taking = nil, nil
	if app != nil {
		a.answerLocally(app, body, code)
	}
}

// isoReason is the profile's name for why a payment is doubted.
func isoReason(r payment.Reason) iso.Reason {
	switch r {
	case payment.NoAnswerInTime, payment.LateApproval:
		return iso.ReasonTimeout
	case payment.LinkDropped:
		return iso.ReasonLinkLost
	case payment.PowerCut:
		return iso.ReasonPowerCut
	case payment.AppGone, payment.NotConfirmed:
		return iso.ReasonAppGone
	case payment.Cancelled:
		return iso.ReasonCancelled
	case payment.Unclear:
		return iso.ReasonAmbiguous
	case payment.BadAnswer:
		return iso.ReasonBadAnswer
	case payment.MACWrong:
		return iso.ReasonMACWrong
	}
	return iso.ReasonTimeout
}
