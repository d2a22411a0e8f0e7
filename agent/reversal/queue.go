package reversal

import (
	"slices"
	"time"
)

// Instant is a point on the agent's monotonic clock, counted from its start. Wall time plays no
// part: a terminal's clock may stand in 1970.
type Instant = time.Duration

// jamPause is how long a line that took nothing is left alone. Who watches it says within seconds
// whether it is lost.
const jamPause = time.Second

// never is later than anything.
const never = Instant(1<<63 - 1)

// Item is one payment whose reversal is owed.
type Item struct {
	ID       uint64 // payments are numbered in the order they were asked: smaller is older
	Terminal string // DE41; order is kept per terminal
	Attempts int    // how many may have left
	Due      Instant
	InFlight bool    // an attempt waits for its answer until AnswerBy
	AnswerBy Instant // valid while InFlight
	SentAt   Instant // when the last attempt left; valid once Attempts > 0 in this life
	Held     bool    // a person has stopped its attempts
	Since    Instant // when the doubt was raised, or the agent started
}

// Queue holds what is owed, oldest first. The zero Queue is not ready: use [NewQueue].
// It is owned by one goroutine.
type Queue struct {
	schedule Schedule
	items    []Item // sorted by ID
	lineUp   bool
	paused   bool    // the line is up, and not ready for reversals
	jammed   Instant // until then nothing goes over this line: it took not one byte of an attempt
}

// NewQueue returns an empty queue on a line that is down.
func NewQueue(s Schedule) *Queue {
	return &Queue{schedule: s}
}

// Change puts another schedule in force, for what is sent from now on.
func (q *Queue) Change(s Schedule) { q.schedule = s }

// Len is how many reversals are owed.
func (q *Queue) Len() int { return len(q.items) }

// Items is a copy of what is owed, oldest first, for status and tests.
func (q *Queue) Items() []Item { return slices.Clone(q.items) }

// Owe adds a payment, due now. Adding one twice changes nothing.
func (q *Queue) Owe(id uint64, terminal string, attempts int, now Instant) {
	i, found := q.find(id)
	if found {
		return
	}
	q.items = slices.Insert(q.items, i, Item{
		ID: id, Terminal: terminal, Attempts: attempts, Due: now, Since: now,
	})
}

// Settle takes a payment out: reversed, stuck or resolved.
func (q *Queue) Settle(id uint64) {
	if i, found := q.find(id); found {
		q.items = slices.Delete(q.items, i, i+1)
	}
}

// Hold stops the attempts of a payment. One that is in flight may still be answered.
func (q *Queue) Hold(id uint64) {
	if it := q.item(id); it != nil {
		it.Held = true
	}
}

// Release lets them go on: it is due now.
func (q *Queue) Release(id uint64, now Instant) {
	if it := q.item(id); it != nil && it.Held {
		it.Held = false
		it.Due = min(it.Due, now)
	}
}

// Owes says whether a terminal has a reversal outstanding: its next sale and its settlement wait.
// They do not wait for one that a person has stopped: like a stuck one, it may stay for days.
func (q *Queue) Owes(terminal string) bool {
	return slices.ContainsFunc(q.items, func(it Item) bool {
		return it.Terminal == terminal && (!it.Held || it.InFlight)
	})
}

// Next lists the payments whose reversal goes out now: at most one a terminal, none on a line
// that is down or for a terminal that waits for an answer, the oldest of those due.
//
// A reversal the host has put off does not hold up a younger one: they concern different cards,
// and the younger customer's money is owed just as much.
func (q *Queue) Next(now Instant) []uint64 {
	if !q.lineUp || q.paused || now < q.jammed {
		return nil
	}
	var next []uint64
	busy := q.busy()
	for _, it := range q.items {
		if it.Due <= now && !it.InFlight && !it.Held && !slices.Contains(busy, it.Terminal) {
			next = append(next, it.ID)
			busy = append(busy, it.Terminal)
		}
	}
	return next
}

// Sent notes that attempt n of a payment is about to leave and has AnswerTime to be answered.
func (q *Queue) Sent(id uint64, n int, now Instant) {
	if it := q.item(id); it != nil {
		it.Attempts, it.InFlight = n, true
		it.SentAt, it.AnswerBy = now, now+q.schedule.AnswerTime
	}
}

// NeverLeft takes an attempt back that provably did not leave. It is due again with the next line,
// or after a pause: one that took not one byte is broken or congested, and trying it again at once
// would be all that anybody did from then on.
func (q *Queue) NeverLeft(id uint64, now Instant) {
	q.jammed = now + jamPause
	if it := q.item(id); it != nil && it.InFlight {
		it.InFlight, it.Due = false, now
		it.Attempts = max(0, it.Attempts-1)
	}
}

// PutOff sets the next attempt after an answer that settles nothing.
func (q *Queue) PutOff(id uint64, v Verdict, now Instant) {
	it := q.item(id)
	if it == nil {
		return
	}
	it.InFlight = false
	it.Due = now + max(q.schedule.Wait(id, it.Attempts), q.schedule.AnswerTime)
	if v == SignOn {
		it.Due = now + q.schedule.Wait(id, it.Attempts)
	}
}

// Expire gives up waiting for answers that are overdue and sets the next attempts. It returns the
// payments concerned.
func (q *Queue) Expire(now Instant) []uint64 {
	var expired []uint64
	for i := range q.items {
		it := &q.items[i]
		if it.InFlight && it.AnswerBy <= now {
			it.InFlight = false
			it.Due = now + q.schedule.Wait(it.ID, it.Attempts)
			expired = append(expired, it.ID)
		}
	}
	return expired
}

// LineDown takes note that the line is gone: whatever is in flight may or may not have arrived, and
// is due again when the line is back.
func (q *Queue) LineDown(now Instant) {
	q.lineUp = false
	for i := range q.items {
		if it := &q.items[i]; it.InFlight {
			it.InFlight, it.Due = false, now
		}
	}
}

// Pause holds everything that is due, on a line that is up but not ready for it: the terminal signs
// on. What is in flight may still be answered.
func (q *Queue) Pause() { q.paused = true }

// Resume ends a Pause.
func (q *Queue) Resume() { q.paused = false }

// LineUp takes note that the line is back: everything owed is due at once, whatever it was waiting
// for.
func (q *Queue) LineUp(now Instant) {
	q.lineUp, q.paused, q.jammed = true, false, 0
	for i := range q.items {
		if it := &q.items[i]; !it.InFlight {
			it.Due = min(it.Due, now)
		}
	}
}

// Hurry is for a customer who waits at the till: the terminal's reversals are due now, but never
// sooner than one AnswerTime after the attempt before, so that a busy shop is no storm.
func (q *Queue) Hurry(terminal string, now Instant) {
	for i := range q.items {
		it := &q.items[i]
		if it.Terminal != terminal || it.InFlight {
			continue
		}
		soonest := now
		if it.Attempts > 0 {
			soonest = max(now, it.SentAt+q.schedule.AnswerTime)
		}
		it.Due = min(it.Due, soonest)
	}
}

// NotBefore puts a payment off until then at least, on this line: there is no use in sending it.
func (q *Queue) NotBefore(id uint64, then Instant) {
	if it := q.item(id); it != nil {
		it.Due = max(it.Due, then)
	}
}

// Replay makes a payment due now, because a person asked for it.
func (q *Queue) Replay(id uint64, now Instant) {
	if it := q.item(id); it != nil && !it.InFlight {
		it.Due = now
	}
}

// Wake is when the queue next wants attention: an answer overdue, or an attempt due on a line
// that is up. The second result is false when there is nothing to wait for.
func (q *Queue) Wake() (Instant, bool) {
	wake := never
	busy := q.busy()
	for _, it := range q.items {
		switch {
		case it.InFlight:
			wake = min(wake, it.AnswerBy)
		case it.Held:
		case q.lineUp && !q.paused && !slices.Contains(busy, it.Terminal):
			wake = min(wake, max(it.Due, q.jammed))
		}
	}
	return wake, wake != never
}

// busy lists the terminals that wait for the answer to a reversal.
func (q *Queue) busy() []string {
	var busy []string
	for _, it := range q.items {
		if it.InFlight {
			busy = append(busy, it.Terminal)
		}
	}
	return busy
}

// find is where a payment is, or would be.
func (q *Queue) find(id uint64) (int, bool) {
	return slices.BinarySearchFunc(q.items, id, func(it Item, id uint64) int {
		switch {
		case it.ID < id:
			return -1
		case it.ID > id:
			return 1
		}
		return 0
	})
}

func (q *Queue) item(id uint64) *Item {
	if i, found := q.find(id); found {
		return &q.items[i]
	}
	return nil
}
