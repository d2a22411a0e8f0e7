package link

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"reversald/hal"
)

// backlogMax is how many frames wait for a line that takes no bytes: more than a shop has tills.
const backlogMax = 64

// steadyAfter is how long a line must last before the next redial starts from the shortest wait
// again: a host that accepts and hangs up at once is not redialled in a tight loop.
const steadyAfter = 5 * time.Second

// Report is what the supervisor tells the agent, in the order it happened.
//
//sumtype:decl
type Report interface{ report() }

type (
	// LineUp means that the host takes payments. Address is the one that was called: on a detour
	// not the one whose turn it was.
	LineUp struct{ Address string }
	// LineLost means that the line is gone. Every NeverLeft of that line came before it.
	LineLost struct{ Err error }
	// DialFailed means that an address did not answer; another try follows after Wait.
	DialFailed struct {
		Address string
		Err     error
		Wait    time.Duration
	}
	// Arrived is one frame from the host, without its length.
	Arrived struct{ Body []byte }
	// NeverLeft means that provably no byte left of the frame that was sent under Tag.
	NeverLeft struct{ Tag Tag }
)

func (LineUp) report()     {}
func (LineLost) report()   {}
func (DialFailed) report() {}
func (Arrived) report()    {}
func (NeverLeft) report()  {}

// Framing cuts a line into frames and back; iso.Profile is one.
type Framing interface {
	// Reader returns a function that reads one frame body at a time; an empty body is a
	// keepalive, any error ends the line.
	Reader(r io.Reader) func() ([]byte, error)
	// AppendFrame appends a body with its length to dst.
	AppendFrame(dst, body []byte) ([]byte, error)
}

// Options say which line to keep and how.
type Options struct {
	Dialer       hal.Dialer
	Addresses    []string // tried in turn, the first one first; at least one
	Framing      Framing
	DialTimeout  time.Duration // for one address
	WriteTimeout time.Duration // for one frame on a line that takes no bytes
	RedialMin    time.Duration // the first wait after a failure
	RedialMax    time.Duration // the longest
}

// Supervisor keeps one line up. Run owns the line; Send, Kick and State may be called by anybody.
type Supervisor struct {
	options Options
	report  func(Report)
	kick    chan struct{}

	mu    sync.Mutex // guards all below: Send is called from outside Run, see Writer
	state State
	line  *Writer
	local string // our end of the line that is up
	why   error  // why we gave the line up
	fresh bool   // the next dial begins anew, see Renew
	abort func() // of the dial under way
}

// New returns a supervisor that reports by calling report from its own goroutine. The call may
// block (a full inbox); it must return when the context of Run ends.
func New(o Options, report func(Report)) *Supervisor {
	return &Supervisor{options: o, report: report, kick: make(chan struct{}, 1), state: Down}
}

// State is where the line is now.
func (s *Supervisor) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Kick makes a redial happen now: a customer waits, or the network is back.
func (s *Supervisor) Kick() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// Renew makes a dial happen now, as if it were the first: the network is back. A dial under way is
// given up, because its packets went nowhere and the next would wait for seconds.
func (s *Supervisor) Renew() {
	s.mu.Lock()
	s.fresh = true
	abort := s.abort
	s.mu.Unlock()
	if abort != nil {
		abort()
	}
	s.Kick()
}

// Local is our end of the line that is up, empty if none is.
func (s *Supervisor) Local() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.local
}

// Send hands a frame body to the line. An error means that provably no byte left. Otherwise bytes
// may have left, unless a NeverLeft with the tag follows.
func (s *Supervisor) Send(tag Tag, body []byte) error {
	wire, err := s.options.Framing.AppendFrame(make([]byte, 0, len(body)+8), body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	line := s.line
	s.mu.Unlock()
	if line == nil {
		return ErrDown
	}
	_, err = line.Send(tag, wire)
	return err
}

// Drop ends the line that is up: it leads nowhere, as the agent has found out. A redial follows.
func (s *Supervisor) Drop() { s.DropFor(nil) }

// DropFor is Drop with a reason, which LineLost then has.
func (s *Supervisor) DropFor(why error) {
	s.mu.Lock()
	line := s.line
	s.why = why
	s.mu.Unlock()
	if line != nil {
		line.Break()
	}
}

// quickDials are how long the first dials may take after the network is back. The first packets are
// often lost, because a switch or the other side is not ready yet, and TCP says them again after a
// second only. A host that needs longer answers the dial that follows.
var quickDials = [...]time.Duration{50 * time.Millisecond, 200 * time.Millisecond}

// Run keeps the line up until ctx ends. It joins everything it started before it returns.
func (s *Supervisor) Run(ctx context.Context) {
	defer s.move(Stop)
	wait := s.newWait()
	quick := len(quickDials) // of them, those that are over
	for turn := 0; ctx.Err() == nil; turn++ {
		address, limit := s.options.Addresses[turn%len(s.options.Addresses)], s.options.DialTimeout
		if quick < len(quickDials) {
			limit = min(limit, quickDials[quick])
		}
		s.move(Dial)
		begun := time.Now()
		line, err := s.dial(ctx, address, limit)
		address = called(address, line, err)
		if err == nil {
			begun = time.Now()
			s.keep(ctx, line, address)
			if time.Since(begun) >= steadyAfter {
				wait.Reset()
				turn = -1 // the first address is the preferred one
			}
		}
		s.move(Lost)
		if ctx.Err() != nil {
			return
		}
		if s.renewed() {
			wait.Reset()
			turn, quick = -1, 0
			continue
		}
		if quick < len(quickDials) {
			quick++
			if err != nil && time.Since(begun) >= limit {
				turn-- // the same address again, and at once
				continue
			}
		}
		pause := min(wait.NextBackOff(), s.options.RedialMax) // its jitter exceeds the cap
		if err != nil {
			s.report(DialFailed{Address: address, Err: err, Wait: pause})
		}
		s.sleep(ctx, pause)
		if s.renewed() {
			wait.Reset()
			turn, quick = -1, 0
		}
	}
}

// renewed tells once that Renew was called since it was last asked.
func (s *Supervisor) renewed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.fresh
	s.fresh = false
	if was {
		select { // the kick that came with it
		case <-s.kick:
		default:
		}
	}
	return was
}

// newWait is the curve between redials: it never ends (the default of the library gives up after
// 15 minutes).
func (s *Supervisor) newWait() *backoff.ExponentialBackOff {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval = s.options.RedialMin
	wait.MaxInterval = s.options.RedialMax
	wait.Multiplier = 2
	wait.RandomizationFactor = 0.2
	wait.MaxElapsedTime = 0
	wait.Reset()
	return wait
}

func (s *Supervisor) dial(
	ctx context.Context, address string, limit time.Duration,
) (hal.Link, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s.mu.Lock()
	s.abort = cancel
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.abort = nil
		s.mu.Unlock()
	}()
	return s.options.Dialer.Dial(ctx, address)
}

// called is the host that a dial was for, when a detour has decided otherwise.
func called(address string, line hal.Link, err error) string {
	var failed *DialError
	if errors.As(err, &failed) {
		return failed.Address
	}
	if other, ok := line.(Called); ok {
		return other.Address
	}
	return address
}

// keep serves one line until it ends: it reads here, and writes what did not go at once beside.
func (s *Supervisor) keep(ctx context.Context, line hal.Link, address string) {
	s.move(Connected)
	writer := NewWriter(line, s.options.WriteTimeout, backlogMax, func(tag Tag, fate Fate) {
		if fate == NothingLeft {
			s.report(NeverLeft{Tag: tag})
		}
	})
	s.mu.Lock()
	s.line, s.state = writer, Next(s.state, SignedOn)
	s.local, s.why, s.fresh = line.Local(), nil, false
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { _ = line.Close() })
	defer stop()
	s.report(LineUp{Address: address})
	err := s.read(line)
	// From here on nothing more is sent; the writer says what never left; then the line is lost.
	s.mu.Lock()
	s.line, s.local = nil, ""
	if s.why != nil {
		err = s.why
	}
	s.mu.Unlock()
	writer.Close()
	s.report(LineLost{Err: err})
}

func (s *Supervisor) read(line hal.Link) error {
	next := s.options.Framing.Reader(line)
	for {
		body, err := next()
		if err != nil {
			return err
		}
		if len(body) > 0 {
			s.report(Arrived{Body: body})
		}
	}
}

func (s *Supervisor) move(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = Next(s.state, e)
}

func (s *Supervisor) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.kick:
	case <-timer.C:
	}
}
