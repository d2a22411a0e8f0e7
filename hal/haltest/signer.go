package haltest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"reversald/hal"
)

// SignerFaults is what goes wrong with one question to a [Signer]. The zero value is none of it.
type SignerFaults struct {
	Delay    time.Duration // before anything else; the caller's ctx may end sooner
	Hang     bool          // waits until ctx ends: the module is slow beyond any patience
	Away     bool          // nobody is there
	Refuse   error         // the answer, whatever was asked
	WrongMAC bool          // a MAC of the right length that is another; Verify finds none right

	// ChangeKey gives the signer another key than the host has, from this question on: what it
	// signs is wrong for the host, and what the host signed is wrong here. LoadWorkingKeys, when
	// it succeeds, brings them together again.
	ChangeKey bool
}

// Signer is a hal.Signer that misbehaves on request, and otherwise does what the one behind it
// does.
type Signer struct {
	behind hal.Signer

	mu      sync.Mutex
	script  []SignerFaults // guarded by mu
	calls   int            // guarded by mu
	foreign bool           // guarded by mu: the key is not the host's
	closed  bool           // guarded by mu
}

var _ hal.Signer = (*Signer)(nil)

// NewSigner makes a signer that follows the script, one step for each call except Info and Close;
// after the last step nothing goes wrong.
func NewSigner(behind hal.Signer, script ...SignerFaults) *Signer {
	return &Signer{behind: behind, script: script}
}

// Add appends steps to the script.
func (s *Signer) Add(steps ...SignerFaults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, steps...)
}

// Calls is how often it was asked for something, whatever came of it; Info does not count.
func (s *Signer) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Sign implements hal.Signer.
func (s *Signer) Sign(ctx context.Context, r hal.MACRequest) ([]byte, error) {
	wrong, err := s.step(ctx)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	mac, err := s.behind.Sign(ctx, r)
	if wrong {
		other(mac)
	}
	return mac, err
}

// Verify implements hal.Signer.
func (s *Signer) Verify(ctx context.Context, r hal.MACRequest, mac []byte) error {
	wrong, err := s.step(ctx)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	err = s.behind.Verify(ctx, r, mac)
	if err == nil && wrong && len(mac) > 0 {
		return fmt.Errorf("verify: %w", hal.ErrMACWrong)
	}
	return err
}

// LoadWorkingKeys implements hal.Signer.
func (s *Signer) LoadWorkingKeys(ctx context.Context, k hal.WorkingKeys) (uint64, error) {
	if _, err := s.step(ctx); err != nil {
		return 0, fmt.Errorf("load working keys: %w", err)
	}
	generation, err := s.behind.LoadWorkingKeys(ctx, k)
	if err == nil {
		s.mu.Lock()
		s.foreign = false
		s.mu.Unlock()
	}
	return generation, err
}

// Info implements hal.Signer.
func (s *Signer) Info(ctx context.Context) (hal.SignerInfo, error) { return s.behind.Info(ctx) }

// Close implements hal.Signer. It closes the one behind it.
func (s *Signer) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return s.behind.Close()
}

// step takes the next step of the script and does what goes wrong before there is an answer.
func (s *Signer) step(ctx context.Context) (wrong bool, err error) {
	s.mu.Lock()
	s.calls++
	var f SignerFaults
	if len(s.script) > 0 {
		f, s.script = s.script[0], s.script[1:]
	}
	s.foreign = s.foreign || f.ChangeKey
	wrong = f.WrongMAC || s.foreign
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return false, hal.ErrSignerClosed
	}
	if f.Delay > 0 || f.Hang {
		var after <-chan time.Time // never, when it hangs
		if !f.Hang {
			timer := time.NewTimer(f.Delay)
			defer timer.Stop()
			after = timer.C
		}
		select {
		case <-after:
		case <-ctx.Done():
			return false, fmt.Errorf("%w: %w", hal.ErrSignerSlow, ctx.Err())
		}
	}
	if f.Away {
		return false, hal.ErrSignerAway
	}
	return wrong, f.Refuse
}

// other makes a MAC into another one that looks like it: hex digits stay hex digits.
func other(mac []byte) {
	for i, c := range mac {
		if mac[i] = c + 1; c == '9' || c == 'F' {
			mac[i] = '0'
		}
	}
}
