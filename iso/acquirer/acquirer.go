package acquirer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"reversald/iso"
)

// Limits, all our choice: a rehearsal has a handful of terminals, and nothing may grow without end.
const (
	connectionsMax = 64               // open at once; one more is closed at once
	lateAnswersMax = 1024             // waiting at once; one more is not sent
	writeTimeout   = 10 * time.Second // a peer that reads nothing for so long is cut
)

// Options say how an acquirer is set up. The zero value of all but Profile will do.
type Options struct {
	Listen  string       // TCP address; default 127.0.0.1:0, any free port
	Serial  string       // a serial device instead, with STX, packed length, ETX and LRC
	TLS     *tls.Config  // nil: in the clear
	Profile *iso.Profile // the dialect
	Books   string       // file of the books; empty: in memory only
	Control string       // path of the control socket; empty: none
	Manners *Manners     // nil: behaves
	Keys    *Vault       // nil: looks at no authentication codes and makes none
	Log     io.Writer    // one line a message, masked; nil: none
	Clock   Clock        // default WallClock
}

// Acquirer is a bank at a TCP address.
//
//	New (books open, listening) -> Run (serves) -> context ends -> Run returns -> Close
//
// Away and Back take it off the network and put it back on the same port, its books open.
type Acquirer struct {
	*Bank
	options Options
	address string
	tally   *tally
	log     lineLog
	control net.Listener

	mu       sync.Mutex
	listener net.Listener // nil while away
	conns    map[*conn]struct{}
	stopped  bool
	numbered int // connections so far
	turn     chan struct{}
	failed   chan error // the fault that ends Run
	tasks    sync.WaitGroup
}

// New opens the books and listens.
func New(ctx context.Context, o Options) (*Acquirer, error) {
	if o.Profile == nil {
		return nil, errors.New("an acquirer needs a profile")
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Clock == nil {
		o.Clock = WallClock{}
	}
	ledger, err := OpenLedger(o.Books)
	if err != nil {
		return nil, err
	}
	a := &Acquirer{
		Bank:    NewBank(o.Profile, ledger, o.Manners),
		options: o,
		tally:   newTally(o.Clock.Now()),
		log:     lineLog{w: o.Log},
		conns:   make(map[*conn]struct{}),
		turn:    make(chan struct{}, 1),
		failed:  make(chan error, 1),
	}
	a.Guard(o.Keys)
	listener, err := a.open(ctx, o.Listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen: %w", err), ledger.Close())
	}
	a.listener, a.address = listener, listener.Addr().String()
	if o.Control != "" {
		if a.control, err = listenControl(ctx, o.Control); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	return a, nil
}

func listen(ctx context.Context, network, address string) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, network, address)
}

// open listens in the way that was asked for.
func (a *Acquirer) open(ctx context.Context, address string) (net.Listener, error) {
	if a.options.Serial != "" {
		listener := listenSerial(a.options.Serial)
		if listener == nil {
			return nil, errors.New("serial lines are for Linux")
		}
		return listener, nil
	}
	listener, err := listen(ctx, "tcp", address)
	if err == nil && a.options.TLS != nil {
		listener = tls.NewListener(listener, a.options.TLS)
	}
	return listener, err
}

// Address is host and port it listens on, and will listen on again after Back.
func (a *Acquirer) Address() string { return a.address }

// Ledger is the books.
func (a *Acquirer) Ledger() *Ledger { return a.ledger }

// Stats are the counters.
func (a *Acquirer) Stats() Stats {
	s := a.tally.snapshot()
	s.Address = a.address
	s.Manners = a.Manners().Uses()
	a.mu.Lock()
	defer a.mu.Unlock()
	s.Away = a.listener == nil
	s.Connections.Open = len(a.conns)
	return s
}

// Run serves until the context ends or the books fail. When it returns, nothing it started is
// running, no connection is open, and late answers that were still waiting are dropped.
func (a *Acquirer) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if a.control != nil {
		a.tasks.Add(1)
		go func() {
			defer a.tasks.Done()
			a.serveControl(ctx)
		}()
	}
	a.tasks.Add(1)
	go func() {
		defer a.tasks.Done()
		a.acceptAll(ctx)
	}()
	var err error
	select {
	case <-ctx.Done():
	case err = <-a.failed:
		a.log.event(a.options.Clock.Now(), 0, "stopped: "+err.Error())
	}
	stop()
	a.finish()
	if a.control != nil {
		_ = a.control.Close()
	}
	a.tasks.Wait()
	return err
}

// Close closes the books, and the listeners if Run was never called.
func (a *Acquirer) Close() error {
	a.leave()
	if a.control != nil {
		_ = a.control.Close()
	}
	return a.ledger.Close()
}

// Away closes every connection and stops listening, as a host that is down.
func (a *Acquirer) Away() {
	a.leave()
	a.log.event(a.options.Clock.Now(), 0, "away: not listening")
}

// Back listens again on the same port; it does nothing when not away.
func (a *Acquirer) Back(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.stopped:
		return errors.New("the acquirer has stopped")
	case a.listener != nil:
		return nil
	}
	listener, err := a.open(ctx, a.address)
	if err != nil {
		return fmt.Errorf("listen again: %w", err)
	}
	a.listener = listener
	select {
	case a.turn <- struct{}{}:
	default:
	}
	a.log.event(a.options.Clock.Now(), 0, "back: listening on "+a.address)
	return nil
}

// finish lets every connection finish the answer it is writing, and no more.
func (a *Acquirer) finish() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = true
	if a.listener != nil {
		_ = a.listener.Close()
		a.listener = nil
	}
	for c := range a.conns {
		_ = c.net.SetReadDeadline(time.Unix(1, 0))
	}
}

// fail ends Run with a fault.
func (a *Acquirer) fail(err error) {
	select {
	case a.failed <- err:
	default: // one reason is enough
	}
}

func (a *Acquirer) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.listener != nil {
		_ = a.listener.Close()
		a.listener = nil
	}
	for c := range a.conns {
		c.close()
	}
}

// awayFor goes away and comes back after d; 0 is until told.
func (a *Acquirer) awayFor(ctx context.Context, d time.Duration) {
	a.Away()
	if d == 0 {
		return
	}
	a.start(func() {
		if a.pause(ctx, d) != nil {
			return
		}
		if err := a.Back(ctx); err != nil {
			a.log.event(a.options.Clock.Now(), 0, err.Error())
		}
	})
}

// start runs f beside the rest, and Run waits for it; false after the stop, when nothing starts.
func (a *Acquirer) start(f func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return false
	}
	a.tasks.Add(1)
	go func() {
		defer a.tasks.Done()
		f()
	}()
	return true
}

// acceptAll accepts from whichever listener is the current one, until the context ends.
func (a *Acquirer) acceptAll(ctx context.Context) {
	for ctx.Err() == nil {
		a.mu.Lock()
		listener := a.listener
		a.mu.Unlock()
		if listener == nil {
			select {
			case <-a.turn:
			case <-ctx.Done():
			}
			continue
		}
		nc, err := listener.Accept()
		if err == nil {
			a.admit(ctx, nc)
			continue
		}
		if !errors.Is(err, net.ErrClosed) { // out of descriptors, say: it passes
			_ = a.pause(ctx, 10*time.Millisecond)
		}
	}
}

// admit starts serving a connection, or turns it away.
func (a *Acquirer) admit(ctx context.Context, nc net.Conn) {
	a.mu.Lock()
	full := len(a.conns) >= connectionsMax
	if full || a.listener == nil {
		a.mu.Unlock()
		_ = nc.Close()
		if full {
			a.tally.change(func(s *Stats) { s.Connections.TurnedAway++ })
			a.log.event(a.options.Clock.Now(), 0, "turned a connection away: too many")
		}
		return
	}
	a.numbered++
	c := newConn(ctx, a, nc, a.numbered)
	a.conns[c] = struct{}{}
	a.mu.Unlock()
	a.tally.change(func(s *Stats) { s.Connections.Accepted++ })
	started := a.start(func() {
		c.serve(ctx)
		a.mu.Lock()
		delete(a.conns, c)
		a.mu.Unlock()
	})
	if !started {
		c.close()
	}
}

// pause waits for d.
func (a *Acquirer) pause(ctx context.Context, d time.Duration) error {
	clock := a.options.Clock
	return clock.Wait(ctx, clock.Now().Add(d))
}
