package hal

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// serialLink is a serial line to a host, with envelopes and, where wanted, the dialogue. Whoever
// reads it keeps the dialogue going: an ACK is seen by Read, and a Write waits for it.
type serialLink struct {
	host SerialHost
	port Link

	writing sync.Mutex // held for the whole of a Write
	replies chan byte  // ACK or NAK, from Read to Write
	closed  chan struct{}
	once    sync.Once

	mu       sync.Mutex
	deadline time.Time

	// Owned by whoever reads.
	envelope envelope
	last     time.Time // when something came
	began    time.Time // when the frame in the envelope began
	in       []byte    // of a frame, not read yet
	buf      [512]byte
	answered bool // an ACK has come while nobody waited: see knock
}

// serialGap is how long the bytes of one frame may be apart; what comes later is another frame.
// Our choice: a thousand characters at 9600 baud.
const serialGap = time.Second

// Errors of a dialogue, wrapped beside ErrLinkGone.
var (
	errNobody   = errors.New("nobody answers ENQ")
	errNotTaken = errors.New("the other side did not take the frame (NAK)")
	errNoACK    = errors.New("the other side did not say that it took the frame (no ACK)")
	errNoFrame  = errors.New("not a frame with a packed length: the profile's framing must be bcd2")
)

func newSerialLink(h SerialHost, port Link) *serialLink {
	return &serialLink{
		host: h, port: port, replies: make(chan byte, 1), closed: make(chan struct{}),
	}
}

// Read gives the frames without their envelopes. A frame that is broken is asked for again where
// there is a dialogue, and otherwise lost: it is as good as one that never came.
func (l *serialLink) Read(p []byte) (int, error) {
	for len(l.in) == 0 {
		if len(p) == 0 {
			return 0, nil
		}
		if err := l.hear(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.in)
	clear(l.in[:n])
	l.in = l.in[n:]
	return n, nil
}

// hear reads once, and does what the dialogue wants.
func (l *serialLink) hear() error {
	n, err := l.port.Read(l.buf[:])
	if err != nil {
		return err
	}
	now := time.Now()
	if l.envelope.open && (now.Sub(l.last) > serialGap ||
		l.host.FrameTime > 0 && now.Sub(l.began) > l.host.FrameTime) {
		l.envelope.close(letter{})
	}
	l.last = now
	for _, c := range l.buf[:n] {
		inside := l.envelope.open
		letter, whole := l.envelope.take(c)
		if !inside {
			l.began = now
		}
		if !whole {
			continue
		}
		if err := l.got(letter); err != nil {
			return err
		}
	}
	clear(l.buf[:n])
	return nil
}

func (l *serialLink) got(x letter) error {
	switch x.kind {
	case letterFrame:
		l.in = append(l.in, x.frame...)
		if l.host.ACK {
			return l.reply(charACK)
		}
	case letterBroken:
		if l.host.ACK {
			return l.reply(charNAK)
		}
	case letterENQ:
		if l.host.ENQ {
			return l.reply(charACK)
		}
	case letterACK:
		l.answered = true
		l.replied(charACK)
	case letterNAK:
		l.replied(charNAK)
	}
	return nil
}

func (l *serialLink) reply(c byte) error {
	_, err := l.port.Write([]byte{c})
	return err
}

// replied hands an ACK or a NAK to the Write that waits for it; the newest counts.
func (l *serialLink) replied(c byte) {
	for {
		select {
		case l.replies <- c:
			return
		case <-l.replies:
		}
	}
}

// Write sends one frame. With a dialogue it waits for what the host says of it.
func (l *serialLink) Write(b []byte) (int, error) {
	if !isFrame(b) {
		return 0, gone("write", errNoFrame)
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.isOpen(); err != nil {
		return 0, err
	}
	if l.host.ENQ && !l.host.Called && !l.asks() {
		return 0, gone("write", errNobody)
	}
	wire := wrap(b)
	defer clear(wire)
	for sent := 0; ; sent++ {
		l.forgetReplies()
		n, err := l.port.Write(wire)
		if err != nil && sent == 0 {
			return min(n, len(b)), err // of STX alone the host can make nothing, but it is a byte
		}
		if err != nil {
			return len(b), err
		}
		if !l.host.ACK {
			return len(b), nil
		}
		cause := errNotTaken
		switch l.waits(l.host.Patience) {
		case charACK:
			return len(b), nil
		case 0:
			if !l.host.Called {
				// The host may have taken it: the answer will tell, or the timeout.
				return len(b), nil
			}
			cause = errNoACK
		}
		if sent >= l.host.Resend {
			return len(b), gone("write", cause)
		}
	}
}

// asks tells whether the host answers ENQ.
func (l *serialLink) asks() bool {
	for range serialAsks {
		l.forgetReplies()
		if l.reply(charENQ) != nil {
			return false
		}
		if l.waits(min(serialKnock, l.host.Patience)) == charACK {
			return true
		}
		if l.isOpen() != nil {
			return false
		}
	}
	return false
}

func (l *serialLink) forgetReplies() {
	select {
	case <-l.replies:
	default:
	}
}

// waits is the host's ACK or NAK, or 0.
func (l *serialLink) waits(wait time.Duration) byte {
	l.mu.Lock()
	if !l.deadline.IsZero() {
		wait = min(wait, time.Until(l.deadline))
	}
	l.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case c := <-l.replies:
		return c
	case <-timer.C:
	case <-l.closed:
	}
	return 0
}

// knock waits until somebody answers ENQ. It reads by itself: nobody else does yet.
func (l *serialLink) knock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.host.Patience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = l.port.Close() })
	defer stop()
	if err := l.reply(charENQ); err != nil {
		return err
	}
	for !l.answered {
		if err := l.hear(); err != nil {
			if ctx.Err() != nil {
				return errNobody
			}
			return err
		}
	}
	l.forgetReplies()
	if !stop() {
		return errNobody
	}
	return nil
}

// TryWrite takes nothing: a serial line is slow, and a dialogue takes time.
func (l *serialLink) TryWrite([]byte) (int, error) { return 0, l.isOpen() }

func (l *serialLink) isOpen() error {
	select {
	case <-l.closed:
		return gone("write", net.ErrClosed)
	default:
		return nil
	}
}

// SetWriteDeadline implements Link.
func (l *serialLink) SetWriteDeadline(t time.Time) error {
	l.mu.Lock()
	l.deadline = t
	l.mu.Unlock()
	return l.port.SetWriteDeadline(t)
}

// Close implements Link.
func (l *serialLink) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.port.Close()
}

// Remote implements Link.
func (l *serialLink) Remote() string { return l.port.Remote() }

// Local implements Link.
func (l *serialLink) Local() string { return l.port.Local() }
