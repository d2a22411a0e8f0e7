package reversal_test

import (
	"testing"
	"time"

	"reversald/agent/reversal"
)

// What a person has stopped is not sent, does not wake anybody, and holds up neither the next one
// nor a sale; released, it is due now.
func TestHeldIsNotSent(t *testing.T) {
	q := reversal.NewQueue(reversal.DefaultSchedule())
	q.LineUp(0)
	q.Owe(1, "A", 0, 0)
	q.Owe(2, "A", 0, 0)
	q.Hold(1)
	want(t, "next", q.Next(0), []uint64{2})
	want(t, "in the queue", q.Len(), 2)
	q.Settle(2)
	want(t, "owed by the terminal", q.Owes("A"), false)
	if wake, ok := q.Wake(); ok {
		t.Errorf("woken at %s for what is held", wake)
	}
	q.LineDown(time.Second)
	q.LineUp(2 * time.Second)
	q.Hurry("A", 2*time.Second)
	q.Replay(1, 2*time.Second)
	want(t, "next on a new line", len(q.Next(time.Hour)), 0)
	q.Release(1, time.Hour)
	want(t, "next when released", q.Next(time.Hour), []uint64{1})
	want(t, "owed by the terminal then", q.Owes("A"), true)
}

// An attempt that had left when it was stopped is waited for, and its terminal with it.
func TestHeldInFlightIsWaitedFor(t *testing.T) {
	q := reversal.NewQueue(reversal.DefaultSchedule())
	q.LineUp(0)
	q.Owe(1, "A", 0, 0)
	q.Sent(1, 1, 0)
	q.Hold(1)
	want(t, "owed while in flight", q.Owes("A"), true)
	wake, ok := q.Wake()
	want(t, "woken when its time is up", ok, true)
	want(t, "expired", q.Expire(wake), []uint64{1})
	want(t, "next", len(q.Next(time.Hour)), 0)
	want(t, "owed when expired", q.Owes("A"), false)
	q.Release(2, 0) // nobody
	q.Hold(2)
}
