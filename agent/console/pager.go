package console

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"
)

// keyTick is how often keys are looked at while something is printed.
const keyTick = 20 * time.Millisecond

// errStopped: the visitor has seen enough.
var errStopped = errors.New("stopped")

// pipe hands what is printed to the visit's goroutine, which alone writes to the screen.
type pipe struct {
	ctx context.Context //nolint:containedctx // lives for one order
	out chan []byte
}

// Write implements io.Writer. It ends when the visitor has seen enough.
func (p pipe) Write(b []byte) (int, error) {
	select {
	case p.out <- append([]byte(nil), b...):
		return len(b), nil
	case <-p.ctx.Done():
		return 0, errStopped
	}
}

// page runs something that prints, and shows it page by page; what is live runs on until a key is
// pressed. q, ^C and a closed line stop it. Its error is the end of the visit, or what run said.
func (v *visit) page(
	ctx context.Context, live bool, run func(ctx context.Context, out io.Writer) error,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := pipe{ctx, make(chan []byte)}
	result := make(chan error, 1)
	go func() {
		result <- run(ctx, p)
		close(p.out)
	}()
	err := v.show(p.out, live)
	cancel()
	for range p.out { // until run has noticed
	}
	ran := <-result
	switch {
	case errors.Is(err, errStopped):
		return nil
	case err != nil:
		return err
	}
	return ran
}

// show prints what comes, whole lines at a time.
func (v *visit) show(out <-chan []byte, live bool) error {
	rows, part := 0, ""
	tick := time.NewTicker(keyTick)
	defer tick.Stop()
	for {
		select {
		case b, more := <-out:
			text := part + string(b)
			at := strings.LastIndexByte(text, '\n') + 1
			if !more {
				at = len(text)
			}
			part = text[at:]
			for _, line := range strings.SplitAfter(text[:at], "\n") {
				if line == "" {
					continue
				}
				need := rowsOf(strings.TrimSuffix(line, "\n"), widthDefault)
				if !live && v.height > 0 && rows+need > v.height-1 {
					all, err := v.more()
					if err != nil {
						return err
					}
					rows = 0
					if !all {
						rows = v.height - 2 // one line more
					}
				}
				rows += need
				if err := v.screen.say(line); err != nil {
					return err
				}
			}
			if !more {
				return nil
			}
		case <-tick.C:
			if err := v.interrupted(live); err != nil {
				return err
			}
		}
	}
}

// interrupted looks whether a key was pressed meanwhile.
func (v *visit) interrupted(live bool) error {
	if live && time.Now().After(v.until) {
		return errIdle
	}
	key, err := v.keys.read(0)
	switch {
	case deadline(err):
		return nil
	case err != nil:
		return err
	}
	v.until = time.Now().Add(v.options.Idle)
	if key[0] == 'q' || key[0] == keyInterrupt || live && key[0] == keyEnter {
		return errStopped
	}
	return nil
}

// more asks whether to go on: a whole page (true), or one line.
func (v *visit) more() (page bool, err error) {
	text := v.tr("-- more -- (SPACE page, ENTER line, q stop)")
	if err := v.screen.say(text); err != nil {
		return false, err
	}
	wipe := "\r" + strings.Repeat(" ", min(widthDefault-1, 2*len(text))) + "\r"
	for {
		left := time.Until(v.until)
		if left <= 0 {
			return false, errIdle
		}
		key, err := v.keys.read(left)
		if deadline(err) {
			continue
		}
		if err != nil {
			return false, err
		}
		v.until = time.Now().Add(v.options.Idle)
		switch key[0] {
		case ' ', 'f':
			_, err := v.screen.Write([]byte(wipe))
			return true, err
		case keyEnter, 'j':
			_, err := v.screen.Write([]byte(wipe))
			return false, err
		case 'q', 'Q', keyInterrupt, keyEOF:
			_, err := v.screen.Write([]byte(wipe))
			return false, errors.Join(err, errStopped)
		}
	}
}
