package iso

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"reversald/hal"
	protocol "reversald/iso"
)

// Cable is a serial line with a payment app at its other end: a PIN pad, or an ECR on RS-232.
type Cable struct {
	Dialer  hal.Dialer // opens the port, which is then ours alone
	Device  string
	Profile *protocol.Profile // as frames are on this line; nil: as on the door's others
}

// How long the door waits before it opens a port again. Our choice: an adapter that is plugged in
// again is found within seconds, and one that is away costs nothing.
const (
	reopenMin = 500 * time.Millisecond
	reopenMax = 10 * time.Second
)

// quiet is how long a cable is silent between two frames, for whoever has lost count: as long as
// the bytes of one frame may be apart. Our choice, as hal's between envelopes.
const quiet = time.Second

// ServeCable talks to the app at the end of a cable until ctx ends. A port that is not there, or
// goes away, is opened again.
func (d *Door) ServeCable(ctx context.Context, c Cable) {
	if c.Profile == nil {
		c.Profile = d.profile
	}
	wait, told := reopenMin, false
	for ctx.Err() == nil {
		line, err := c.Dialer.Dial(ctx, c.Device)
		began := time.Now()
		switch {
		case err == nil:
			told = false
			d.log.Info("cable open", slog.String("app", c.Device))
			d.converse(ctx, c, line)
		case !told && ctx.Err() == nil:
			told = true // once, however long it is away
			d.log.Warn("cable not opened", slog.String("app", c.Device), slog.Any("error", err))
		}
		if time.Since(began) > reopenMax { // it was good for a while
			wait = reopenMin
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, reopenMax)
	}
}

// converse is one session over a cable.
func (d *Door) converse(ctx context.Context, c Cable, line hal.Link) {
	listener := &listener{line: line, limit: d.limits.FrameTimeout, chunks: make(chan []byte)}
	listening := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(listening)
		listener.listen(ended)
	}()
	s := &session{door: d, conn: line, name: c.Device, profile: c.Profile}
	d.run(ctx, s, line, func() error { return listener.read(s) })
	close(ended)
	<-listening
}

// listener takes frames off a cable. There is no way to hang up on whoever is at its other end, so
// what can not be a frame is dropped, and the line goes on with what comes after a silence: noise
// costs the frame it hits, and nothing else.
type listener struct {
	line   hal.Link
	limit  time.Duration
	frames *protocol.FrameReader
	chunks chan []byte // closed when the line has ended
	err    error       // of that end

	rest  []byte    // of a chunk
	began time.Time // when the first byte of the current frame was there
	said  bool      // that a frame was dropped, since the last good one
}

// listen reads the line, which knows no deadline, until it ends.
func (l *listener) listen(ended <-chan struct{}) {
	defer close(l.chunks)
	buf := make([]byte, 512)
	for {
		n, err := l.line.Read(buf)
		if n > 0 {
			select {
			case l.chunks <- append([]byte(nil), buf[:n]...):
				clear(buf[:n])
			case <-ended:
				return
			}
		}
		if err != nil {
			l.err = err
			return
		}
	}
}

// Read waits for the first byte of a frame for as long as it takes, but not for the others.
func (l *listener) Read(b []byte) (int, error) {
	if len(l.rest) == 0 {
		var late <-chan time.Time
		if l.frames.Buffered() > 0 {
			if l.began.IsZero() {
				l.began = time.Now()
			}
			timer := time.NewTimer(time.Until(l.began.Add(l.limit)))
			defer timer.Stop()
			late = timer.C
		}
		select {
		case chunk, more := <-l.chunks:
			if !more {
				return 0, l.err
			}
			l.rest = chunk
		case <-late:
			return 0, os.ErrDeadlineExceeded
		}
	}
	n := copy(b, l.rest)
	clear(l.rest[:n])
	l.rest = l.rest[n:]
	return n, nil
}

// read hands the frames of a session to the agent until the line ends.
func (l *listener) read(s *session) error {
	l.frames = s.profile.NewFrameReader(l)
	for {
		l.began = time.Time{}
		body, err := l.frames.Next()
		var wrong *protocol.FrameError
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			l.drop(s, errSlow)
		case errors.As(err, &wrong):
			l.drop(s, err)
			l.hush()
		case err != nil:
			return err
		case len(body) > 0:
			l.said = false
			s.door.agent.Frame(s, body)
		}
	}
}

// drop forgets what has come of a frame. Of a run of them the first is logged.
func (l *listener) drop(s *session, why error) {
	if !l.said {
		l.said = true
		s.door.log.Warn("frame dropped", slog.String("app", s.name), slog.Any("error", why))
	}
	l.frames = s.profile.NewFrameReader(l)
}

// hush drops what comes until the line has been silent, after which the next frame begins.
func (l *listener) hush() {
	clear(l.rest)
	l.rest = nil
	for {
		timer := time.NewTimer(min(quiet, l.limit))
		select {
		case chunk, more := <-l.chunks:
			timer.Stop()
			clear(chunk)
			if !more {
				return
			}
		case <-timer.C:
			return
		}
	}
}
