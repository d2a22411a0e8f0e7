package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	// failuresFree is how many wrong answers in a row cost nothing but the answer.
	failuresFree = 5
	// lockMin doubles with every failure after those, up to lockMax: whoever tries six digits one
	// after the other needs a century, and a technician who has mistyped waits a minute. An hour at
	// most, because somebody with a cable must not be able to keep a technician out for a day.
	lockMin = time.Minute
	lockMax = time.Hour
)

// lockout counts failed log-ins in a file of its own. A failure is on disk before the answer is
// looked at, so that pulling the plug at the right moment gives no free guess. No clock of the
// terminal is believed: after a start a lock that was in force begins anew, so a reboot only makes
// it longer.
type lockout struct {
	path     string
	failures int
	until    time.Time // by the monotonic clock
}

// lockState is the file.
type lockState struct {
	Failures int `json:"failures"`
}

// openLockout reads the file. One that cannot be read counts as many failures: whoever can damage
// it must not gain by it.
func openLockout(path string, now time.Time) (*lockout, error) {
	l := &lockout{path: path}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return l, nil
	case err != nil:
		l.failures = failuresFree + 1
	default:
		var state lockState
		if jerr := json.Unmarshal(text, &state); jerr != nil || state.Failures < 0 {
			err, state.Failures = fmt.Errorf("%s is damaged", path), failuresFree+1
		}
		l.failures = state.Failures
	}
	l.until = now.Add(l.penalty())
	return l, err
}

// penalty is how long the latest failure locks.
func (l *lockout) penalty() time.Duration {
	over := l.failures - failuresFree
	switch {
	case over <= 0:
		return 0
	case over > 6:
		return lockMax
	}
	return min(lockMin<<(over-1), lockMax)
}

// left is how long it is still locked.
func (l *lockout) left(now time.Time) time.Duration { return max(0, l.until.Sub(now)) }

// failing notes a failure that is about to happen. An error means that it could not be written, and
// then nobody may try.
func (l *lockout) failing(now time.Time) error {
	l.failures++
	l.until = now.Add(l.penalty())
	return l.save()
}

// passed forgives what was before.
func (l *lockout) passed() error {
	l.failures, l.until = 0, time.Time{}
	return l.save()
}

// save replaces the file, durably.
func (l *lockout) save() error {
	text, err := json.Marshal(lockState{Failures: l.failures})
	if err != nil {
		return err
	}
	next := l.path + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(next, l.path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(l.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
