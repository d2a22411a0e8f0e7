package reversal_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/agent/reversal"
)

// ready is a queue on a line that is up, with reversals owed by two terminals.
func ready(t *testing.T) *reversal.Queue {
	t.Helper()
	q := reversal.NewQueue(reversal.DefaultSchedule())
	q.Owe(12, "T1", 0, 0)
	q.Owe(10, "T1", 0, 0)
	q.Owe(11, "T2", 0, 0)
	q.LineUp(0)
	return q
}

func want(t *testing.T, what string, got, expected any) {
	t.Helper()
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// Rule: reversals of one terminal go out oldest first, one in flight.
func TestOldestFirstOneInFlightPerTerminal(t *testing.T) {
	q := ready(t)
	want(t, "first round", q.Next(0), []uint64{10, 11})
	q.Sent(10, 1, 0)
	q.Sent(11, 1, 0)
	want(t, "while both wait", q.Next(0), []uint64(nil))
	q.Settle(10)
	want(t, "after the oldest is done", q.Next(1), []uint64{12})
}

// Rule: nothing goes out on a line that is down, everything at once when it is back.
func TestLineBackMeansAtOnce(t *testing.T) {
	q := ready(t)
	q.Sent(10, 1, 0)
	q.LineDown(time.Second)
	want(t, "line down", q.Next(time.Hour), []uint64(nil))
	if _, ok := q.Wake(); ok {
		t.Error("a queue on a dead line asks to be woken")
	}
	q.LineUp(2 * time.Second)
	want(t, "line up", q.Next(2*time.Second), []uint64{10, 11})
	want(t, "attempts survive", q.Items()[0].Attempts, 1)
}

// Rule: a reversal in a long wait is due the moment the line comes back.
func TestLineUpEndsTheWait(t *testing.T) {
	q := reversal.NewQueue(reversal.DefaultSchedule())
	q.Owe(1, "T1", 5, 0)
	q.LineUp(0)
	q.Sent(1, 6, 0)
	q.Expire(30 * time.Second)
	want(t, "waits", q.Next(31*time.Second), []uint64(nil))
	q.LineDown(40 * time.Second)
	q.LineUp(41 * time.Second)
	want(t, "due", q.Next(41*time.Second), []uint64{1})
}

// Rule: three sends one host timeout apart, then 1 to 30 minutes, for ever.
func TestScheduleOfAnUnansweredReversal(t *testing.T) {
	s := reversal.DefaultSchedule()
	s.Jitter = 0
	var waits []time.Duration
	for n := 1; n <= 9; n++ {
		waits = append(waits, s.Wait(7, n))
	}
	minute := time.Minute
	want(t, "waits", waits, []time.Duration{
		0, 0, minute, 2 * minute, 4 * minute, 8 * minute, 16 * minute, 30 * minute, 30 * minute,
	})
	if got := s.Wait(7, 1_000_000); got != 30*minute {
		t.Errorf("attempt 1,000,000 waits %s: the schedule must go on for ever", got)
	}
}

// Rule: jitter never exceeds the cap, never reaches zero, and is the same after a restart.
func TestJitterIsBoundedAndRepeatable(t *testing.T) {
	s := reversal.DefaultSchedule()
	seen := make(map[time.Duration]bool)
	for id := range uint64(500) {
		for n := 3; n < 12; n++ {
			wait := s.Wait(id, n)
			if wait > s.WaitMax || wait < time.Duration(float64(s.WaitMin)*(1-s.Jitter)) {
				t.Fatalf("payment %d attempt %d waits %s", id, n, wait)
			}
			if wait != s.Wait(id, n) {
				t.Fatalf("payment %d attempt %d waits differently when asked again", id, n)
			}
			seen[wait] = true
		}
	}
	if len(seen) < 2000 {
		t.Errorf("only %d different waits in 4500", len(seen))
	}
}

// A queue that can do nothing for a terminal must not ask to be woken for it: that would spin.
func TestWakeIgnoresWhatCanNotGo(t *testing.T) {
	q := ready(t)
	q.Sent(10, 1, time.Second)
	q.Sent(11, 1, time.Second)
	wake, ok := q.Wake()
	if !ok || wake != 31*time.Second {
		t.Errorf("wake at %s, %v; want 31s: the first answer deadline", wake, ok)
	}
	want(t, "expired", q.Expire(31*time.Second), []uint64{10, 11})
	want(t, "again at once, the oldest first", q.Next(31*time.Second), []uint64{10, 11})
}

// A put-off reversal lets a younger one pass; both are still owed.
func TestPutOffLetsTheYoungerPass(t *testing.T) {
	q := ready(t)
	q.Sent(10, 1, 0)
	q.PutOff(10, reversal.Later, time.Second)
	want(t, "the younger goes", q.Next(time.Second), []uint64{11, 12})
	want(t, "the older is still owed", q.Len(), 3)
	want(t, "and is due one answer time later", q.Items()[0].Due, 31*time.Second)
	q.Sent(10, 1, time.Minute)
	q.PutOff(10, reversal.SignOn, time.Minute)
	want(t, "after a sign-on at once", q.Items()[0].Due, time.Minute)
}

// A customer at the till makes a waiting reversal due, but never floods the host.
func TestHurry(t *testing.T) {
	q := reversal.NewQueue(reversal.DefaultSchedule())
	q.LineUp(0)
	q.Owe(1, "T1", 6, 0)
	q.Sent(1, 7, 0)
	q.Expire(30 * time.Second)
	q.Hurry("T2", 31*time.Second)
	want(t, "another terminal's customer", q.Next(31*time.Second), []uint64(nil))
	q.Hurry("T1", 31*time.Second)
	want(t, "its own", q.Next(31*time.Second), []uint64{1})
	q.Sent(1, 8, 31*time.Second)
	q.PutOff(1, reversal.Later, 32*time.Second)
	q.Hurry("T1", 33*time.Second)
	want(t, "not a second time within the answer time", q.Next(33*time.Second), []uint64(nil))
	want(t, "but then", q.Next(61*time.Second), []uint64{1})
}

// An attempt that never left is no attempt: the first to leave is the first.
func TestNeverLeftTakesTheAttemptBack(t *testing.T) {
	q := ready(t)
	q.Sent(10, 1, 0)
	q.NeverLeft(10, 1)
	want(t, "attempts", q.Items()[0].Attempts, 0)
	q.LineDown(2)
	q.LineUp(2)
	want(t, "due again on the next line", q.Next(2), []uint64{10, 11})
}

// A line that took not one byte is not tried again at once: not with this reversal nor with another.
func TestALineThatTakesNothingIsLeftAlone(t *testing.T) {
	q := ready(t)
	q.Sent(10, 1, 0)
	q.NeverLeft(10, 1)
	want(t, "nothing goes", q.Next(1), []uint64(nil))
	wake, ok := q.Wake()
	want(t, "wake", wake, time.Second+1)
	want(t, "wake at all", ok, true)
	want(t, "then it is tried again", q.Next(wake), []uint64{10, 11})
}

// Owing twice and settling what is not owed change nothing.
func TestOweAndSettleAreIdempotent(t *testing.T) {
	q := ready(t)
	q.Owe(10, "T1", 4, 5)
	q.Settle(99)
	want(t, "length", q.Len(), 3)
	want(t, "attempts", q.Items()[0].Attempts, 0)
	want(t, "T1 owes", q.Owes("T1"), true)
	q.Settle(10)
	q.Settle(12)
	want(t, "T1 owes nothing", q.Owes("T1"), false)
	want(t, "T2 owes", q.Owes("T2"), true)
}
