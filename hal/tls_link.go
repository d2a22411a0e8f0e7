package hal

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// tlsLink is a line, TCP or another Carrier, with TLS on it.
//
// What counts as "left" is the wire's business and not the library's: tls.Conn returns 0 for a
// record of which half is gone. So the library never writes to the socket by itself. It encrypts
// into the wire's buffer, and the wire knows how many bytes of it the kernel has taken. Not one:
// then nothing left. One or more: then all of the frame may have.
//
// Once encrypted, a record must go out or the line must end, as records are numbered. So what the
// kernel does not take in a TryWrite counts as taken, and is written by a goroutine of its own; if
// it can not be, the line is closed.
type tlsLink struct {
	wire *tlsWire
	conn *tls.Conn

	// writing is held for the whole of a Write, and while a rest is written; see tcpLink.
	writing sync.Mutex

	early []byte // read while it was dialled; owned by whoever reads

	mu       sync.Mutex
	deadline time.Time
	failed   error // a record was lost: nothing can follow it
}

// restTimeout bounds the writing of what TryWrite could not hand over. Our choice: the same as a
// Write has by default.
const restTimeout = 10 * time.Second

func newTLSLink(raw Carrier, config *tls.Config) *tlsLink {
	l := &tlsLink{early: make([]byte, 0, 1)}
	l.wire = &tlsWire{Carrier: raw, urge: l.urge}
	l.conn = tls.Client(l.wire, config)
	return l
}

func (l *tlsLink) Read(p []byte) (int, error) {
	if len(l.early) > 0 && len(p) > 0 {
		n := copy(p, l.early)
		l.early = l.early[n:]
		return n, nil
	}
	n, err := l.conn.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = gone("read", err)
	}
	return n, err
}

func (l *tlsLink) Write(b []byte) (int, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := l.setDeadline(); err != nil {
		return 0, err
	}
	if _, err := l.wire.flush(); err != nil { // what the library had to say in between
		return 0, l.fail(err)
	}
	if err := l.encrypt(b); err != nil {
		return 0, err
	}
	n, err := l.wire.flush()
	if err == nil {
		return len(b), nil
	}
	if n == 0 {
		return 0, l.fail(err)
	}
	return len(b), l.fail(err)
}

func (l *tlsLink) TryWrite(b []byte) (int, error) {
	if len(b) == 0 || !l.writing.TryLock() {
		return 0, nil
	}
	busy := false
	defer func() {
		if !busy {
			l.writing.Unlock()
		}
	}()
	if err := l.broken(); err != nil {
		return 0, err
	}
	if l.wire.waiting() > 0 {
		if _, err := l.wire.flushNow(); err != nil {
			return 0, l.fail(err)
		}
	}
	if l.wire.waiting() > 0 || !l.wire.Room() {
		return 0, nil
	}
	if err := l.encrypt(b); err != nil {
		return 0, err
	}
	n, err := l.wire.flushNow()
	if err != nil && n == 0 {
		return 0, l.fail(err)
	}
	if l.wire.waiting() > 0 {
		busy = true
		go l.rest()
	}
	return len(b), nil
}

// rest writes what is encrypted already. It lets go of the lock that its caller took.
func (l *tlsLink) rest() {
	defer l.writing.Unlock()
	_ = l.wire.Carrier.SetWriteDeadline(time.Now().Add(restTimeout)) // a closed one says so below
	if _, err := l.wire.flush(); err != nil {
		_ = l.fail(err)
	}
}

// urge writes what the library has to say while nobody writes: the answer to a change of keys.
func (l *tlsLink) urge() {
	l.writing.Lock()
	l.rest()
}

// encrypt puts the records of b into the wire's buffer. An error means that nothing of b is in it.
func (l *tlsLink) encrypt(b []byte) error {
	if err := l.broken(); err != nil {
		return err
	}
	before := l.wire.hold()
	_, err := l.conn.Write(b)
	l.wire.release()
	if err == nil {
		return nil
	}
	l.wire.truncate(before)
	return l.fail(err)
}

// fail ends the line: a record is missing in it, or half gone. It words the error of a Link.
func (l *tlsLink) fail(cause error) error {
	l.mu.Lock()
	if l.failed == nil {
		l.failed = cause
	}
	l.mu.Unlock()
	_ = l.wire.Carrier.Close() // whoever reads notices
	if errors.Is(cause, os.ErrDeadlineExceeded) {
		return fmt.Errorf("write: %w", cause)
	}
	return gone("write", cause)
}

func (l *tlsLink) broken() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return gone("write", l.failed)
	}
	return nil
}

// setDeadline puts the caller's deadline in force again, after a rest had its own.
func (l *tlsLink) setDeadline() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wire.Carrier.SetWriteDeadline(l.deadline)
}

func (l *tlsLink) SetWriteDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = t
	return l.wire.Carrier.SetWriteDeadline(t)
}

// Close says goodbye if that goes at once, so that the host knows an end from a cut.
func (l *tlsLink) Close() error {
	if l.writing.TryLock() {
		l.wire.part()
		_ = l.conn.Close() // closes the wire as well; the goodbye is best effort
		l.writing.Unlock()
	}
	return l.wire.Carrier.Close()
}

func (l *tlsLink) Remote() string { return l.wire.Remote() }

func (l *tlsLink) Local() string { return l.wire.Local() }

// The host's verdict on our certificate comes after the handshake in TLS 1.3, when we believe to be
// connected. So the dial waits for its next word: nearly every host sends a ticket. One that sends
// nothing costs this long.
const (
	verdictMin = 50 * time.Millisecond
	verdictMax = time.Second
)

// greet does the handshake, and hears whether the host takes our certificate. After it nothing but
// the wire writes to the socket.
func (l *tlsLink) greet(ctx context.Context) error {
	begun := time.Now()
	if err := l.conn.HandshakeContext(ctx); err != nil {
		return refused(err)
	}
	s := l.conn.ConnectionState()
	l.wire.settle()
	if s.Version != tls.VersionTLS13 {
		return nil
	}
	wait := min(max(2*time.Since(begun), verdictMin), verdictMax)
	l.wire.listenOnce(true)
	defer l.wire.listenOnce(false)
	if err := l.wire.Carrier.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = l.wire.Carrier.SetReadDeadline(time.Unix(1, 0)) })
	n, err := l.conn.Read(l.early[:1])
	l.early = l.early[:n] // a host that speaks first
	if !stop() {
		return ctx.Err()
	}
	if err := l.wire.Carrier.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return refused(err)
}

// refused tells a host that does not want us from one that fails otherwise.
func refused(err error) error {
	var op *net.OpError // so the library words what the other side said
	if errors.As(err, &op) && op.Op == "remote error" {
		return fmt.Errorf("%w: %w", ErrRefused, op.Err)
	}
	return err
}

// certificates are the DER blocks of a PEM file.
func certificates(data []byte) [][]byte {
	var all [][]byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			all = append(all, block.Bytes)
		}
	}
	return all
}
