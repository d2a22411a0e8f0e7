package reversal_test

import (
	"testing"
	"time"

	"reversald/agent/reversal"
)

// Rule: another schedule is in force for what is sent from now on.
func TestAnotherScheduleCountsFromNowOn(t *testing.T) {
	q := ready(t)
	q.Sent(10, 1, 0)
	s := reversal.DefaultSchedule()
	s.AnswerTime = 5 * time.Second
	q.Change(s)
	q.Sent(11, 1, 0)
	want(t, "after the new time", q.Expire(5*time.Second), []uint64{11})
	want(t, "after the old one", q.Expire(30*time.Second), []uint64{10})
	want(t, "still owed", q.Len(), 3)
}

// What concerns a payment that is not owed changes nothing.
func TestWhatIsNotOwedIsLeftAlone(t *testing.T) {
	q := ready(t)
	before := q.Items()
	q.Sent(99, 1, 0)
	q.NeverLeft(99, 0)
	q.PutOff(99, reversal.Later, 0)
	q.Hold(99)
	q.Release(99, 0)
	q.NotBefore(99, time.Hour)
	q.Replay(99, 0)
	q.Settle(99)
	want(t, "the queue", q.Items(), before)
}

func TestVerdictsHaveNames(t *testing.T) {
	for v, name := range map[reversal.Verdict]string{
		reversal.Done: "done", reversal.Later: "later", reversal.SignOn: "sign on",
		reversal.Refused: "refused", 0: "verdict 0", 77: "verdict 77",
	} {
		want(t, "name", v.String(), name)
	}
}
