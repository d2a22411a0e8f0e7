package agent

import (
	"encoding/json"
	"errors"
	"log/slog"
	"slices"

	"reversald/agent/payment"
	"reversald/store"
)

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
		_, err := a.journal.Append(rest[:n]...)
		if errors.Is(err, store.ErrFull) {
			a.tidySoon()
			if fewer := a.turnAway(rest); len(fewer) < len(rest) {
				rest = fewer
				continue
			}
		}
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// turnAway takes the new payments out of what could not be written, because the journal keeps its
// last room for those that are open, and drops what is only evidence. It returns what is left.
// Nothing of a payment that is turned away is on file, and nothing of it has left.
func (a *Agent) turnAway(drafts []store.Draft) []store.Draft {
	var turned []*held
	for _, d := range drafts {
		if p := a.books.byID[payment.ID(d.Key)]; p != nil &&
			payment.Kind(d.Kind) == payment.RecordAsked {
			turned = append(turned, p)
		}
	}
	for _, p := range turned {
		a.unask(p)
	}
	// The numbers that were not used are given out again: one must not run ahead of its entry.
	a.nextID = payment.ID(a.journal.Next())
	return slices.DeleteFunc(slices.Clone(drafts), func(d store.Draft) bool {
		return d.Key == 0 || slices.ContainsFunc(turned, func(p *held) bool {
			return p.id == payment.ID(d.Key)
		})
	})
}

// roomToReopen says whether a closed payment may be opened again because somebody wishes it. What a
// host's late answer opens again is not asked: it is owed.
func (a *Agent) roomToReopen() bool {
	err := a.journal.RoomToReopen()
	if errors.Is(err, store.ErrFull) {
		a.tidySoon()
	}
	return err == nil
}

// unask forgets a payment of which nothing is on file, and says so to whoever waits for it.
func (a *Agent) unask(p *held) {
	a.log.Warn("payment refused, nothing was sent", slog.String("why", "journal is full"),
		slog.String("terminal", p.terminal), slog.String("stan", p.stan))
	a.counts.Refused++
	a.books.remove(p)
	a.queue.Settle(uint64(p.id))
	a.after = slices.DeleteFunc(a.after, func(t todo) bool { return t.p == p })
	a.said = slices.DeleteFunc(a.said, func(s saying) bool { return s.p == p })
	if p.asker != nil {
		a.answerLocally(p.asker, p.request, a.profile.Codes().Busy)
	}
	for _, c := range p.counters {
		a.turnDown(c, nil, Refusal{Kind: RefusedFull})
	}
	if p.reverser != nil {
		a.answerLocally(p.reverser, p.taking, a.profile.Codes().NotSent)
	}
}

// scarce says that the journal's last room is left to payments: evidence of what a host says again
// and again is only logged from here on.
func (a *Agent) scarce() bool {
	const evidenceBytesMin = 512 << 10
	facts := a.journal.Facts()
	return facts.SizeMax-facts.Size < evidenceBytesMin
}

// payloadRest is what an entry's payload needs beside the fields of a message.
const payloadRest = 1 << 10

// keepable says whether the fields of a message fit an entry. Only a profile that keeps much more
// than a reversal needs comes near the limit.
func keepable(fields map[int]string) bool {
	const escaped = 6 // bytes of JSON for one byte at most
	const limit = store.PayloadBytesMax - payloadRest
	bytes := 0
	for _, v := range fields {
		bytes += escaped * (len(v) + 2)
	}
	if bytes <= limit {
		return true
	}
	text, err := json.Marshal(fields)
	return err == nil && len(text) <= limit
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
