// Package spool brings customers' slips to a printer that may be away, out of paper, or slow, so
// that nobody who sells ever waits for it. A slip is a courtesy: when the printer can not take it,
// it is counted and forgotten, and its text can still be had from the API.
package spool

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"reversald/agent"
	"reversald/agent/slip"
	"reversald/hal"
)

const (
	// queueMax is how many slips wait here: the printer itself keeps as many again.
	queueMax = 16
	// slipAge is how long a slip waits for its printer: after that the customer has left. Our
	// choice.
	slipAge = 10 * time.Minute
	// retryMin and retryMax are the waits before a printer in trouble is asked again.
	retryMin = time.Second
	retryMax = 30 * time.Second
	// closeTime is how long what is being printed may take when we stop.
	closeTime = time.Second
)

// errPaper: it said so itself.
var errPaper = errors.New("no paper")

// Spool is a queue before a printer. Make one with New, and give it a goroutine with Run.
type Spool struct {
	open   func(ctx context.Context) (hal.Printer, error)
	encode func(slip.Slip) []byte
	log    *slog.Logger
	queue  chan job

	mu    sync.Mutex
	facts agent.Printing
}

type job struct {
	slip  slip.Slip
	since time.Time
}

// New makes a spool for the printer that open finds. encode turns a slip into its language.
func New(
	open func(ctx context.Context) (hal.Printer, error), encode func(slip.Slip) []byte,
	log *slog.Logger,
) *Spool {
	return &Spool{open: open, encode: encode, log: log, queue: make(chan job, queueMax)}
}

// Take takes a slip and never waits: one too many is counted and forgotten.
func (s *Spool) Take(one slip.Slip) {
	select {
	case s.queue <- job{one, time.Now()}:
	default:
		s.lose(1, "more slips wait than may")
	}
}

// Printing is how the printer does.
func (s *Spool) Printing() agent.Printing {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.facts
	f.Waiting = len(s.queue)
	return f
}

// Run prints until ctx ends.
func (s *Spool) Run(ctx context.Context) {
	p := press{spool: s}
	defer func() { p.close(context.WithoutCancel(ctx)) }()
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-s.queue:
			s.print(ctx, &p, j)
		}
	}
}

// print tries for as long as the slip is of use to anybody.
func (s *Spool) print(ctx context.Context, p *press, j job) {
	for wait := retryMin; ; wait = min(2*wait, retryMax) {
		err := p.try(ctx, s.encode(j.slip))
		if err == nil {
			s.well()
			return
		}
		if ctx.Err() != nil {
			return
		}
		s.trouble(err)
		if errors.Is(err, hal.ErrPrinterJob) || time.Since(j.since)+wait > slipAge {
			s.lose(1, "a slip was not printed")
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// well notes a slip that the printer has taken.
func (s *Spool) well() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts.Printed++
	if s.facts.Trouble != "" {
		s.facts.Trouble = ""
		s.log.Info("printer prints again")
	}
}

// trouble notes what is wrong. Of a run of it the first is logged.
func (s *Spool) trouble(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.facts.Trouble == "" {
		s.log.Warn("printer in trouble, slips wait", slog.Any("error", err))
	}
	s.facts.Trouble = err.Error()
}

// lose counts slips that nobody gets. Of a run of them the first is logged.
func (s *Spool) lose(n int, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.facts.Lost == 0 || s.facts.Trouble == "" {
		s.log.Warn("slip lost", slog.String("why", why))
	}
	s.facts.Lost += uint64(n)
}

// press is the printer while it is open.
type press struct {
	spool   *Spool
	printer hal.Printer
	mute    bool // it does not say how its paper is
	busy    int  // times in a row that it took nothing
}

// busyMax is how often a printer may take nothing before its line is opened anew.
const busyMax = 4

// try hands a slip to the printer.
func (p *press) try(ctx context.Context, bytes []byte) error {
	if p.printer == nil {
		printer, err := p.spool.open(ctx)
		if err != nil {
			return err
		}
		p.printer, p.mute, p.busy = printer, false, 0
	}
	if !p.mute {
		switch paper, err := p.printer.Paper(ctx); {
		case errors.Is(err, hal.ErrPrinterMute): // asked once: each question may wait behind a slip
			p.mute = true
		case err != nil:
			p.close(ctx)
			return err
		case paper == hal.PaperOut:
			return errPaper
		}
	}
	err := p.printer.Print(bytes)
	switch {
	case err == nil:
		p.busy = 0
	case errors.Is(err, hal.ErrPrinterBusy):
		if p.busy++; p.busy >= busyMax {
			p.close(ctx)
		}
	case !errors.Is(err, hal.ErrPrinterJob):
		p.close(ctx)
	}
	return err
}

// close counts what the printer took and did not print.
func (p *press) close(ctx context.Context) {
	if p.printer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	_ = p.printer.Close(ctx) // what is wrong with it is known
	if held, ok := p.printer.(interface{ Unprinted() int }); ok {
		if n := held.Unprinted(); n > 0 {
			p.spool.lose(n, "the printer took slips and went away")
		}
	}
	p.printer = nil
}
