package agent

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"reversald/agent/payment"
	"reversald/iso"
	"reversald/store"
)

// A person types no faster. A script, or somebody who tries PINs, must not fill the journal: what
// comes faster is counted, and the next entry says how many there were.
const (
	commandsAtOnce = 60
	commandPause   = time.Second // until one more is written
	whatBytesMax   = 400
)

// Reasons a command is not written down.
var (
	// ErrTooMany: there were too many in a short time. They are counted.
	ErrTooMany = errors.New("too many commands in a short time: they are counted, not written")
	// ErrNoRoom: the journal's last room is left to payments.
	ErrNoRoom = errors.New("the journal's last room is left to payments")
)

// spoken is what was noted of commands lately. Owned by Run.
type spoken struct {
	credit int     // how many more may be written now
	since  instant // when credit was last given
	begun  bool
	missed int // not written since the last that was
}

// Command writes down what a person said to this terminal, or that somebody tried to log in, before
// it is done. It decides nothing.
func (a *Agent) Command(ctx context.Context, by, what string) error {
	by, what = iso.MaskText(by), iso.MaskText(what)
	switch {
	case by == "" || what == "":
		return ErrNoName
	case len(by) > nameBytesMax || len(what) > whatBytesMax:
		return ErrTooLong
	}
	answer, err := a.ask(ctx, func(a *Agent) (any, error) {
		if err := a.admitCommand(a.now()); err != nil {
			return err, nil //nolint:nilerr // a refusal is the answer, and no fault of the agent
		}
		text, err := json.Marshal(payload{By: by, What: what, Missed: a.spoken.missed})
		if err != nil {
			return nil, err
		}
		a.spoken.missed = 0
		a.counts.add(payment.Record{Kind: payment.RecordCommand})
		a.drafts = append(a.drafts, store.Draft{
			Kind: uint8(payment.RecordCommand), Mark: store.MarkKeep,
			Wall: a.clock.Wall(), Mono: a.clock.SinceBoot(), Payload: text,
		})
		a.urgent = true
		return struct{}{}, nil
	})
	if err != nil {
		return err
	}
	refusal, _ := answer.(error)
	return refusal
}

// admitCommand spends one credit.
func (a *Agent) admitCommand(now instant) error {
	s := &a.spoken
	if !s.begun {
		s.begun, s.credit, s.since = true, commandsAtOnce, now
	}
	if earned := int((now - s.since) / commandPause); earned > 0 {
		s.credit = min(commandsAtOnce, s.credit+earned)
		s.since += instant(earned) * commandPause
	}
	switch {
	case a.scarce():
		s.missed++
		return ErrNoRoom
	case s.credit == 0:
		s.missed++
		if s.missed == 1 {
			a.log.Warn("commands come too fast to be written", slog.Int("at_once", commandsAtOnce))
		}
		return ErrTooMany
	}
	s.credit--
	return nil
}
