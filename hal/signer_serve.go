package hal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// What a server of the protocol allows. All are our choice.
const (
	// signerLinesMax is how many lines are open at once; more wait. A terminal opens one.
	signerLinesMax = 8
	// signerServeTimeout is for one question, from when it was read to when its answer is out.
	signerServeTimeout = 10 * time.Second
)

// ListenSigner makes the socket for [ServeSigner], which only our own user may connect to (mode
// 0600). A socket that a dead process has left there is replaced; one that somebody answers at
// wraps ErrBusy.
func ListenSigner(ctx context.Context, path string) (net.Listener, error) {
	if l, err := dialSigner(ctx, path); err == nil {
		_ = l.conn.Close() // it was only a knock
		return nil, fmt.Errorf("listen at %s: %w", path, ErrBusy)
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
			_ = os.Remove(path) // if that fails, Listen says why
		}
	}
	var c net.ListenConfig
	ln, err := c.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err // which names the path and begins with "listen"
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = ln.Close() // nobody has been let in
		return nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	return ln, nil
}

// ServeSigner answers the protocol of SIGNER.md with a Signer, until ctx ends; then it closes the
// listener and all lines, waits for what is under way, and returns nil. It does not close the
// Signer. A vendor whose module can be reached from Go needs no more than this.
func ServeSigner(ctx context.Context, ln net.Listener, s Signer) error {
	ctx, stop := context.WithCancel(ctx)
	var lines sync.WaitGroup
	defer lines.Wait()
	defer stop()
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	defer ln.Close()
	room := make(chan struct{}, signerLinesMax)
	for {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		conn, err := ln.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close() // too late for both
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("serve signer: %w", err)
		}
		lines.Add(1)
		go func() {
			defer func() { <-room; lines.Done() }()
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			serveSignerLine(ctx, newSignerLine(conn), s)
		}()
	}
}

// serveSignerLine answers questions until the line ends or a question is not one.
func serveSignerLine(ctx context.Context, l *signerLine, s Signer) {
	greeted := false
	for {
		line, err := l.readLine()
		if errors.Is(err, ErrSignerProtocol) {
			_ = l.say(refuse(0, fmt.Errorf("%w: %w", ErrSignerRequest, err))) // and goodbye
			return
		} else if err != nil {
			return
		}
		q, err := decodeSignerQuestion(line)
		if err == nil && !greeted {
			err = q.greets()
			greeted = true
		}
		if err != nil {
			_ = l.say(refuse(q.ID, err)) // and goodbye
			return
		}
		if err := l.say(answerSigner(ctx, q, s)); err != nil {
			return
		}
	}
}

// say writes an answer.
func (l *signerLine) say(a signerAnswer) error {
	line, err := encodeSignerLine(a)
	if err != nil {
		return err
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(signerServeTimeout)); err != nil {
		return err
	}
	_, err = l.conn.Write(line)
	return err
}

// answerSigner is the answer to a question, whatever it is.
func answerSigner(ctx context.Context, q signerQuestion, s Signer) signerAnswer {
	ctx, cancel := context.WithTimeout(ctx, signerServeTimeout)
	defer cancel()
	a, err := askSigner(ctx, q, s)
	if err != nil {
		return refuse(q.ID, err)
	}
	a.ID, a.OK = q.ID, true
	return a
}

func askSigner(ctx context.Context, q signerQuestion, s Signer) (a signerAnswer, err error) {
	switch q.Op {
	case opHello:
		a.Version = signerVersion
	case opSign:
		r, err := q.request()
		if err != nil {
			return a, err
		}
		a.MAC, err = s.Sign(ctx, r)
		return a, err
	case opVerify:
		r, err := q.request()
		if err != nil {
			return a, err
		}
		err = s.Verify(ctx, r, q.MAC)
		match := err == nil
		a.Match = &match
		if errors.Is(err, ErrMACWrong) {
			err = nil // which is an answer
		}
		return a, err
	case opLoad:
		generation, err := s.LoadWorkingKeys(ctx, WorkingKeys{Slot: q.Slot, Blob: q.Blob})
		a.Generation = &generation
		return a, err
	case opDerive:
		d, can := s.(KeyDeriver)
		if !can {
			return a, fmt.Errorf("%w: derives no keys", ErrSignerRequest)
		}
		a.Secret, err = d.DeriveKey(ctx, DeriveRequest{
			KeyName: q.Key, Length: q.Length, Data: q.Data,
		})
		return a, err
	case opInfo:
		info, err := s.Info(ctx)
		a.Name, a.Generation, a.Keys = info.Name, &info.Generation, info.Keys
		if a.Name == "" {
			a.Name = info.Kind
		}
		return a, err
	default:
		return a, fmt.Errorf("%w: operation %.20q", ErrSignerRequest, q.Op)
	}
	return a, nil
}
