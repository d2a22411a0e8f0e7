package agent

import (
	"log/slog"
	"slices"

	"reversald/agent/link"
	"reversald/agent/payment"
)

// take turns one message into what happens to the payments it concerns.
func (a *Agent) take(m message) error {
	switch m := m.(type) {
	case fromApp:
		return a.fromApp(m.app, m.body)
	case appGone:
		return a.appGone(m.app)
	case appTold:
		return a.appTold(m.ticket, m.delivered)
	case fromLink:
		return a.fromLink(m.report, m.mac)
	case notSent:
		return a.unsigned(m)
	case requestSigned:
		return a.signed(m)
	case forsaken:
		a.forsake(m.c)
		return nil
	case keysLoaded:
		a.loaded(m.err)
		return nil
	case fromClock:
		return nil // what is due is settled in every round
	case fromNetwork:
		a.networkChanged(m.change)
		return nil
	case fromPower:
		a.powerChanged(m.state)
		return nil
	case fromJump:
		a.clockJumped()
		return nil
	case fromNobody:
		a.unheardOf(m)
		return nil
	case question:
		answer, err := m.ask(a)
		a.replies = append(a.replies, reply{to: m.answer, answer: answer})
		return err
	}
	return nil
}

// fromLink: the line is up, lost, or has brought something.
func (a *Agent) fromLink(r link.Report, mac error) error {
	now := a.now()
	switch r := r.(type) {
	case link.LineUp:
		a.host, a.lineNote, a.lineSince = r.Address, "", a.clock.Wall()
		a.lineUp(now)
		a.log.Info("link up", slog.String("host", r.Address), slog.Int("owed", a.queue.Len()))
	case link.LineLost:
		a.log.Warn("link lost", slog.String("host", a.host), slog.Any("error", r.Err))
		a.host, a.lineNote, a.lineSince = "", r.Err.Error(), a.clock.Wall()
		a.queue.LineDown(now)
		a.lineDown()
		a.losePassed()
		return a.loseAsked()
	case link.DialFailed:
		if a.lineNote != r.Err.Error() { // once, not at every redial of a long night
			a.log.Warn("host not reached", slog.String("host", r.Address), slog.Any("error", r.Err))
		}
		a.lineNote = r.Err.Error()
	case link.Arrived:
		return a.fromHost(r.Body, mac)
	case link.NeverLeft:
		p := a.books.byID[payment.ID(r.Tag.ID)]
		if p == nil {
			return nil
		}
		if r.Tag.Reversal {
			return a.happen(p, payment.ReversalNeverLeft{})
		}
		return a.happen(p, payment.NeverLeft{})
	}
	return nil
}

// loseAsked: the answers to whatever was asked over the lost line will not come.
func (a *Agent) loseAsked() error {
	for _, p := range a.books.listOpen() {
		if p.state.Phase != payment.Asked {
			continue
		}
		if err := a.happen(p, payment.LinkLost{}); err != nil {
			return err
		}
	}
	return nil
}

// appGone: an app's connection has ended. Whoever waits in the room leaves it, nothing was sent.
// What was asked goes on: the host may yet decline it. What was approved is doubted.
func (a *Agent) appGone(app App) error {
	a.leaveRoom(app)
	a.forgetPassed(app)
	var cutOff []*held
	for ticket, d := range a.underway {
		if d.app == app {
			delete(a.underway, ticket)
			cutOff = append(cutOff, d.p)
		}
	}
	for _, p := range a.books.listOpen() {
		if p.reverser == app {
			p.reverser, p.taking = nil, nil
		}
		if p.asker != app && !slices.Contains(cutOff, p) {
			continue
		}
		if p.asker == app {
			p.asker, p.question = nil, nil
		}
		if p.state.Phase == payment.Approved && !a.onItsWay(p) {
			if err := a.happen(p, payment.Undeliverable{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// appTold: an answer that had to wait is with the app, or never will be.
func (a *Agent) appTold(ticket uint64, delivered bool) error {
	p := a.underway[ticket].p
	delete(a.underway, ticket)
	if p == nil || p.state.Phase != payment.Approved {
		return nil
	}
	if !delivered {
		if a.onItsWay(p) {
			return nil
		}
		p.asker, p.question = nil, nil
		return a.happen(p, payment.Undeliverable{})
	}
	p.asker, p.question, p.answer = nil, nil, nil
	return a.happen(p, payment.Delivered{})
}
