package agent

import "reversald/store"

// write makes the round durable if anybody waits for it, and otherwise notes it: KILL keeps what
// is noted, and the next commit, at the latest after limits.Linger, takes it along.
//
// A round that is too large for one commit takes several. Nothing of it is done before the last.
func (a *Agent) write(now instant) error {
	due := a.flushAt != 0 && a.flushAt <= now
	if len(a.drafts) == 0 && !due {
		return nil
	}
	var err error
	if a.urgent || due {
		err = a.commit()
		a.flushAt = 0
	} else {
		err = a.note()
		if a.flushAt == 0 {
			a.flushAt = now + a.limits.Linger
		}
	}
	clear(a.drafts)
	a.drafts, a.urgent = a.drafts[:0], false
	return err
}

// commit makes every draft durable, and before them what was noted.
func (a *Agent) commit() error {
	if len(a.drafts) == 0 {
		return a.journal.Flush()
	}
	for rest := a.drafts; len(rest) > 0; {
		n := fitting(rest)
		if _, err := a.journal.Append(rest[:n]...); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// fitting is how many drafts, of some, one commit can take.
func fitting(drafts []store.Draft) int {
	bytes := 0
	for n, d := range drafts {
		bytes += store.EntryOverheadBytes + len(d.Payload) + len(d.Secret)
		if bytes > store.BatchBytesMax && n > 0 {
			return n
		}
	}
	return len(drafts)
}

func (a *Agent) note() error {
	for _, d := range a.drafts {
		if _, err := a.journal.Note(d); err != nil {
			return err
		}
	}
	return nil
}
