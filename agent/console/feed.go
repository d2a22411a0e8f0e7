package console

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"reversald/hal"
)

// Port is what the console needs of a serial port; a [hal.Port] is one.
type Port interface {
	io.ReadWriteCloser
	// Modem reads the control lines; false: there are none.
	Modem() (hal.Modem, bool, error)
}

// Why a session ends, apart from the port's own errors.
var (
	errIdle   = errors.New("nobody typed for too long")
	errHungUp = errors.New("the other side hung up")
	errEcho   = errors.New("the line echoes")
	errLogout = errors.New("logged out")
)

const (
	// chunkBytes is what is read at once, chunksMax how many such wait: a page of pasted text.
	chunkBytes = 256
	chunksMax  = 16
	// modemEvery is how often the control lines are looked at; a hang-up gives no sign by itself
	// (the library sets CLOCAL).
	modemEvery = time.Second
)

// feed is what comes from a port. Its goroutine reads until the port fails; everybody else waits
// with a limit.
type feed struct {
	port   Port
	chunks chan []byte
	gone   chan struct{} // closed when the port has failed
	err    error         // why; read it after gone

	rest    []byte // of the chunk last taken
	looked  time.Time
	carrier bool // DSR or DCD has been seen
}

func newFeed(port Port, stop <-chan struct{}) *feed {
	f := &feed{port: port, chunks: make(chan []byte, chunksMax), gone: make(chan struct{})}
	go f.read(stop)
	return f
}

func (f *feed) read(stop <-chan struct{}) {
	defer close(f.gone)
	for {
		chunk := make([]byte, chunkBytes)
		n, err := f.port.Read(chunk)
		if n > 0 {
			select {
			case f.chunks <- chunk[:n]:
			case <-stop:
				return
			}
		}
		if err != nil {
			f.err = err
			return
		}
	}
}

// Next is the next byte, within so long; else os.ErrDeadlineExceeded. It implements ymodem.Line.
func (f *feed) Next(wait time.Duration) (byte, error) {
	for end := time.Now().Add(wait); len(f.rest) == 0; {
		left := time.Until(end)
		chunk, err := f.chunk(max(0, min(left, modemEvery)))
		switch {
		case err == nil:
			f.rest = chunk
		case !errors.Is(err, os.ErrDeadlineExceeded), left <= 0:
			return 0, err
		}
		if err := f.look(); err != nil {
			return 0, err
		}
	}
	b := f.rest[0]
	f.rest = f.rest[1:]
	return b, nil
}

// chunk waits for what the port gives at once.
func (f *feed) chunk(wait time.Duration) ([]byte, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case chunk := <-f.chunks:
		return chunk, nil
	default:
	}
	select {
	case chunk := <-f.chunks:
		return chunk, nil
	case <-f.gone:
		return nil, f.end()
	case <-timer.C:
		return nil, os.ErrDeadlineExceeded
	}
}

func (f *feed) end() error {
	if f.err == nil {
		return errLogout // the daemon is stopping
	}
	return f.err
}

// look notices a hang-up: a carrier that was there and is no more. Cables without the line never
// show one, and then nothing can be lost.
func (f *feed) look() error {
	if time.Since(f.looked) < modemEvery {
		return nil
	}
	f.looked = time.Now()
	m, ok, err := f.port.Modem()
	if err != nil || !ok {
		return err
	}
	now := m.DSR || m.DCD
	if f.carrier && !now {
		f.carrier = false
		return errHungUp
	}
	f.carrier = now
	return nil
}

// drop throws away what has come, until nothing comes for so long; at most limit altogether.
func (f *feed) drop(quiet, limit time.Duration) error {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		f.rest = nil
		_, err := f.Next(quiet)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	f.rest = nil
	return nil
}

// tap lends the port to somebody who reads and writes it themselves, such as a relay, until stop.
type tap struct {
	feed *feed
	out  io.Writer
	stop chan struct{}
	mu   sync.Mutex // held while reading
}

func newTap(f *feed, out io.Writer) *tap {
	return &tap{feed: f, out: out, stop: make(chan struct{})}
}

// Read gives what comes, as it is.
func (t *tap) Read(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.stop:
		return 0, io.EOF
	default:
	}
	if len(t.feed.rest) == 0 {
		select {
		case t.feed.rest = <-t.feed.chunks:
		case <-t.feed.gone:
			return 0, t.feed.end()
		case <-t.stop:
			return 0, io.EOF
		}
	}
	n := copy(p, t.feed.rest)
	t.feed.rest = t.feed.rest[n:]
	return n, nil
}

func (t *tap) Write(p []byte) (int, error) { return t.out.Write(p) }

// giveBack ends the loan: nobody reads any more when it returns.
func (t *tap) giveBack() {
	close(t.stop)
	t.mu.Lock()
	defer t.mu.Unlock()
}
