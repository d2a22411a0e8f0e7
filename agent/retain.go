package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"reversald/store"
)

const (
	// tidyPause lies between two batches of closed payments that are forgotten, so that a sale
	// never waits for more than one.
	tidyPause = 50 * time.Millisecond
	// tidyRest lies between two looks for something to forget.
	tidyRest = time.Hour
	// tidyWhenFull is how soon to look when the journal had no room for a payment.
	tidyWhenFull = time.Second
)

// tidy forgets closed payments that the limits no longer keep, a batch at a time and only when
// nobody waits. Open ones are never touched.
func (a *Agent) tidy(now instant) error {
	if now < a.tidyAt || len(a.inbox) > 0 {
		return nil
	}
	limits := a.limits.Retention
	if !a.clock.Trusted(time.Time{}) {
		limits.Age = 0
	}
	n, err := a.journal.Forget(a.clock.Wall(), limits)
	if errors.Is(err, store.ErrFull) {
		n, err = 0, nil // not even room to forget: what is open keeps its reserve
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	a.tidyAt = now + tidyRest
	if n > 0 {
		a.tidyAt = now + tidyPause
		a.log.Debug("closed payments forgotten", slog.Int("entries", n))
	}
	return nil
}

// tidySoon is for a journal that had no room.
func (a *Agent) tidySoon() { a.tidyAt = min(a.tidyAt, a.now()+tidyWhenFull) }
