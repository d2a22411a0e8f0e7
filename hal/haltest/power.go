package haltest

import (
	"context"
	"sync"

	"reversald/hal"
)

// Power is a hal.Power whose capacitor the test empties.
type Power struct {
	Fail error // Watch returns it at once: nobody watches

	mu     sync.Mutex
	now    hal.PowerState
	report func(hal.PowerState)
}

var _ hal.Power = (*Power)(nil)

// Watch implements hal.Power.
func (p *Power) Watch(ctx context.Context, report func(hal.PowerState)) error {
	if p.Fail != nil {
		return p.Fail
	}
	p.mu.Lock()
	p.report = report
	report(p.now)
	p.mu.Unlock()
	<-ctx.Done()
	p.mu.Lock()
	p.report = nil
	p.mu.Unlock()
	return ctx.Err()
}

// Fails begins the end of the power.
func (p *Power) Fails() { p.set(hal.PowerState{Failing: true, Why: "the lamp is on"}) }

// Returns ends it.
func (p *Power) Returns() { p.set(hal.PowerState{Why: "the lamp is off"}) }

func (p *Power) set(s hal.PowerState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = s
	if p.report != nil {
		p.report(s)
	}
}
