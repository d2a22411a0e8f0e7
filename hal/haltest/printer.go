package haltest

import (
	"context"
	"errors"
	"sync"

	"reversald/hal"
)

// Printer is a hal.Printer whose roll the test takes out.
type Printer struct {
	mu      sync.Mutex
	slips   [][]byte
	paper   hal.Paper
	full    bool
	gone    bool
	closed  bool
	answers bool
}

var _ hal.Printer = (*Printer)(nil)

// NewPrinter makes one with paper.
func NewPrinter() *Printer { return &Printer{paper: hal.PaperThere, answers: true} }

// Print implements hal.Printer.
func (p *Printer) Print(job []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.gone || p.closed:
		return gone("print", errors.New("unplugged"))
	case p.full:
		return hal.ErrPrinterBusy
	case len(job) == 0:
		return hal.ErrPrinterJob
	}
	p.slips = append(p.slips, append([]byte(nil), job...))
	return nil
}

// Paper implements hal.Printer.
func (p *Printer) Paper(context.Context) (hal.Paper, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.gone || p.closed:
		return 0, gone("ask for paper", errors.New("unplugged"))
	case !p.answers:
		return 0, hal.ErrPrinterMute
	}
	return p.paper, nil
}

// Close implements hal.Printer.
func (p *Printer) Close(context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return nil
}

// Slips are what was printed, oldest first.
func (p *Printer) Slips() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([][]byte(nil), p.slips...)
}

// Has puts another roll in, or none.
func (p *Printer) Has(paper hal.Paper) { p.set(func() { p.paper = paper }) }

// Jams makes it take no more jobs, until it is told otherwise.
func (p *Printer) Jams(yes bool) { p.set(func() { p.full = yes }) }

// Mutes makes it answer nothing, until it is told otherwise.
func (p *Printer) Mutes(yes bool) { p.set(func() { p.answers = !yes }) }

// Unplug takes its cable out, for good.
func (p *Printer) Unplug() { p.set(func() { p.gone = true }) }

func (p *Printer) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}
