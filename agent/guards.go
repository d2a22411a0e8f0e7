package agent

import (
	"log/slog"
	"slices"
	"time"

	"reversald/agent/guard"
	"reversald/agent/payment"
	"reversald/iso"
)

// Cautious is an App that can hear more than a response code: what the guard rails found. It is
// called before the app is told anything else about the payment.
type Cautious interface {
	Caution(found []guard.Finding)
}

// guarded looks at a sale before anything of it is sent, and turns it away where the integrator
// wants that.
func (a *Agent) guarded(app App, g iso.Glance, card iso.Card, body []byte) bool {
	rails := a.limits.Guard
	if !rails.Any() {
		return false
	}
	wall := a.clock.Wall()
	found := rails.Judge(guard.Sale{
		Terminal: g.Terminal, Currency: g.Currency, Amount: g.AmountMinor, Card: card,
		Reversible: g.Reversible, At: wall,
	}, a.recentSales(rails), a.clock.Trusted(time.Time{}))
	if len(found) == 0 {
		return false
	}
	if cautious, ok := app.(Cautious); ok {
		cautious.Caution(found)
	}
	for _, f := range found {
		a.counts.Guarded++
		a.log.Warn("guard rail", slog.String("rail", f.Rail.String()),
			slog.String("level", f.Level.String()), slog.String("why", f.Why),
			slog.String("terminal", g.Terminal), slog.String("stan", g.STAN))
	}
	i := slices.IndexFunc(found, func(f guard.Finding) bool { return f.Level == guard.Refuse })
	if i < 0 {
		return false
	}
	a.counts.Refused++
	a.turnDown(app, body, Refusal{
		Kind: RefusedGuard, Rail: found[i].Rail.String(), Why: found[i].Why,
		Code: a.railCode(found[i].Rail), Field: railField(found[i].Rail),
	})
	return true
}

// railField is the field of the message that a rail looks at, as ISO 8583 counts.
func railField(r guard.Rail) int {
	switch r {
	case guard.Irreversible:
		return fieldProcessing
	case guard.CheckDigit:
		return fieldPAN
	case guard.Expiry:
		return fieldExpiry
	case guard.Amount, guard.Zero:
		return fieldAmount
	case guard.Repeat: // of nothing in particular: there is nothing to mend
	}
	return 0
}

const (
	fieldPAN        = 2
	fieldProcessing = 3
	fieldAmount     = 4
	fieldExpiry     = 14
)

// Warning is what a guard rail that warns has found.
type Warning struct {
	Rail string `json:"rail"` // as the configuration has it behind guard_
	Text string `json:"text"` // for people; no card data
}

// recentSales are the approved sales in memory, newest first: the last start brought them back.
func (a *Agent) recentSales(rails guard.Rails) []guard.Sale {
	if rails.Zero == guard.Off && rails.Repeat == guard.Off {
		return nil
	}
	var sales []guard.Sale
	add := func(p *held) {
		if p.state.Phase == payment.Approved || p.state.Phase == payment.Confirmed {
			sales = append(sales, guard.Sale{
				Terminal: p.terminal, Currency: p.currency, Amount: p.amount,
				Card: p.original.Card, Reversible: true, At: p.since,
			})
		}
	}
	for _, p := range slices.Backward(a.books.open) {
		add(p)
	}
	for _, id := range slices.Backward(a.books.recent) {
		add(a.books.byID[id])
	}
	return sales
}

// railCode is what the app hears when a rail refuses.
func (a *Agent) railCode(r guard.Rail) string {
	codes := a.profile.Codes()
	switch r {
	case guard.Irreversible:
		return codes.Irreversible
	case guard.CheckDigit:
		return codes.Card
	case guard.Expiry:
		return codes.Expired
	case guard.Amount, guard.Zero:
		return codes.Amount
	case guard.Repeat:
		return codes.Repeated
	}
	return codes.Refused
}
