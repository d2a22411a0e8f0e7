package hal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"
)

// signerTimeout is what a zero timeout stands for: longer than any module computes, and short
// enough that somebody still waits for the host's answer. Our choice.
const signerTimeout = 2 * time.Second

// ExternalSigner is a Signer in another process, which a vendor's secure module sits behind. It
// speaks the protocol of SIGNER.md over a Unix socket.
//
// The line is opened when it is first needed, kept, and opened again when it broke: a module may
// be restarted at any time. One question is under way at a time, others wait for their turn, and
// waiting counts: no call takes longer than the timeout. After anything but a clean answer the
// line is closed, so that what comes too late is never taken for the answer to something else.
type ExternalSigner struct {
	path    string
	timeout time.Duration

	turn   chan struct{} // full while somebody is asking
	lastID uint64        // owned by whoever has the turn

	mu     sync.Mutex
	line   *signerLine   // guarded by mu: nil = none; used by whoever has the turn
	closed chan struct{} // closed, under mu, by Close
}

var _ Signer = (*ExternalSigner)(nil)

// NewExternalSigner is the module that listens at path. It need not be there yet. The timeout is
// for one call with everything that belongs to it; 0 = 2 s.
func NewExternalSigner(path string, timeout time.Duration) *ExternalSigner {
	if timeout <= 0 {
		timeout = signerTimeout
	}
	return &ExternalSigner{
		path:    path,
		timeout: timeout,
		turn:    make(chan struct{}, 1),
		closed:  make(chan struct{}),
	}
}

// Sign implements Signer.
func (e *ExternalSigner) Sign(ctx context.Context, r MACRequest) ([]byte, error) {
	r, err := r.checked()
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if r.Algorithm == MACNone {
		return nil, nil
	}
	a, err := e.call(ctx, signerQuestion{
		Op: opSign, Alg: r.Algorithm.String(), Key: r.KeyName, Length: r.Length, Data: r.Data,
	})
	return a.MAC, err
}

// Verify implements Signer. The module compares.
func (e *ExternalSigner) Verify(ctx context.Context, r MACRequest, mac []byte) error {
	r, err := r.checked()
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if r.Algorithm == MACNone {
		return nil
	}
	if len(mac) != r.Length {
		return fmt.Errorf("verify: %w: %d bytes, want %d", ErrMACWrong, len(mac), r.Length)
	}
	a, err := e.call(ctx, signerQuestion{
		Op: opVerify, Alg: r.Algorithm.String(), Key: r.KeyName, Length: r.Length,
		Data: r.Data, MAC: mac,
	})
	if err != nil {
		return err
	}
	if !*a.Match {
		return fmt.Errorf("verify: %w", ErrMACWrong)
	}
	return nil
}

// LoadWorkingKeys implements Signer. If the module was restarted in the middle it may be given the
// same keys twice.
func (e *ExternalSigner) LoadWorkingKeys(ctx context.Context, k WorkingKeys) (uint64, error) {
	if err := k.check(); err != nil {
		return 0, fmt.Errorf("load working keys: %w", err)
	}
	a, err := e.call(ctx, signerQuestion{Op: opLoad, Slot: k.Slot, Blob: k.Blob})
	if err != nil {
		return 0, err
	}
	return *a.Generation, nil
}

// Info implements Signer. Modules need not list their keys.
func (e *ExternalSigner) Info(ctx context.Context) (SignerInfo, error) {
	a, err := e.call(ctx, signerQuestion{Op: opInfo})
	if err != nil {
		return SignerInfo{}, err
	}
	info := SignerInfo{Kind: "external", Name: plain(a.Name), Generation: *a.Generation}
	for _, k := range a.Keys {
		k.Name, k.Cipher, k.Check = plain(k.Name), plain(k.Cipher), plain(k.Check)
		info.Keys = append(info.Keys, k)
	}
	sort.Slice(info.Keys, func(i, j int) bool { return info.Keys[i].Name < info.Keys[j].Name })
	return info, nil
}

// Close implements Signer. It ends the line, not the module.
func (e *ExternalSigner) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.isClosed() {
		return nil
	}
	close(e.closed)
	e.hangUp()
	return nil
}

// call asks, within the timeout and when it is our turn, and says in the error what came of it.
func (e *ExternalSigner) call(ctx context.Context, q signerQuestion) (signerAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-e.closed:
	case <-ctx.Done():
	}
	var a signerAnswer
	err := ctx.Err()
	if err == nil && !e.isClosed() {
		a, err = e.ask(ctx, q)
	}
	switch {
	case e.isClosed():
		return signerAnswer{}, fmt.Errorf("%s: %w", q.Op, ErrSignerClosed)
	case err == nil:
		return a, nil
	case errors.Is(err, errSaidNo):
	case ctx.Err() != nil:
		err = fmt.Errorf("%w: %w", ErrSignerSlow, ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded): // the line's, an instant before ctx's
		err = fmt.Errorf("%w: %w", ErrSignerSlow, context.DeadlineExceeded)
	}
	return signerAnswer{}, fmt.Errorf("%s: %w", q.Op, err)
}

// ask puts the question on the line there is. If that one turns out to be dead, which is how a
// module that was restarted shows, it asks once more on a new one: nothing a module is asked does
// harm twice.
func (e *ExternalSigner) ask(ctx context.Context, q signerQuestion) (signerAnswer, error) {
	e.mu.Lock()
	l := e.line
	e.mu.Unlock()
	if l != nil {
		a, err := e.exchange(ctx, l, q)
		if !errors.Is(err, ErrSignerAway) {
			return a, err
		}
	}
	l, err := e.open(ctx)
	if err != nil {
		return signerAnswer{}, err
	}
	return e.exchange(ctx, l, q)
}

// open makes a line and says hello on it.
func (e *ExternalSigner) open(ctx context.Context) (*signerLine, error) {
	l, err := dialSigner(ctx, e.path)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.line = l // from now on Close reaches it
	if e.isClosed() {
		e.hangUp()
	}
	e.mu.Unlock()
	_, err = e.exchange(ctx, l, signerQuestion{Op: opHello, Version: signerVersion})
	if err != nil {
		// Whoever refuses the greeting is refused, also for what would be fine otherwise.
		e.drop()
		return nil, fmt.Errorf("hello: %w", err)
	}
	return l, nil
}

// exchange asks on a line, and closes it unless it is as good as new.
func (e *ExternalSigner) exchange(
	ctx context.Context, l *signerLine, q signerQuestion,
) (signerAnswer, error) {
	e.lastID++
	q.ID = e.lastID
	a, clean, err := l.exchange(ctx, q)
	if !clean {
		e.drop()
	}
	return a, err
}

func (e *ExternalSigner) drop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hangUp()
}

// hangUp is called with mu held.
func (e *ExternalSigner) hangUp() {
	if e.line != nil {
		_ = e.line.conn.Close() // nothing more is wanted of it
		e.line = nil
	}
}

func (e *ExternalSigner) isClosed() bool {
	select {
	case <-e.closed:
		return true
	default:
		return false
	}
}
