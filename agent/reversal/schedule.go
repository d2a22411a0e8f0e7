package reversal

import (
	"math"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Schedule says how long to wait between the attempts of one reversal.
//
// Three quick sends one host timeout apart follow what UnionPay terminals do; what they do next
// (delete the record) is the fault this program exists for, so ours goes on for ever, slower.
type Schedule struct {
	// AnswerTime is how long the host has to answer one attempt; 30 s where nobody says.
	AnswerTime time.Duration
	// Quick is how many attempts follow each other one AnswerTime apart, before the waits grow.
	Quick int
	// WaitMin and WaitMax bound the growing waits, each doubling the one before.
	WaitMin, WaitMax time.Duration
	// Jitter is the share of a wait taken off at most, 0 to 1, so that a thousand terminals
	// behind one host do not come back in step.
	Jitter float64
}

// DefaultSchedule is in force where neither profile nor configuration says otherwise.
func DefaultSchedule() Schedule {
	return Schedule{
		AnswerTime: 30 * time.Second,
		Quick:      3,
		WaitMin:    time.Minute,
		WaitMax:    30 * time.Minute,
		Jitter:     0.2,
	}
}

// doublingsMax is where doubling stops mattering: 2^20 minutes is longer than any WaitMax.
const doublingsMax = 20

// Wait is the pause after attempt n (1 is the first) went unanswered for AnswerTime. It depends on
// the journalled attempt and the payment alone, so it survives a restart; zero means at once.
func (s Schedule) Wait(id uint64, n int) time.Duration {
	if n < s.Quick {
		return 0
	}
	// Only the curve comes from the library: its own clock and its 15-minute end are of no use
	// to a reversal that outlives the process.
	curve := backoff.ExponentialBackOff{
		InitialInterval:     s.WaitMin,
		RandomizationFactor: 0,
		Multiplier:          2,
		MaxInterval:         s.WaitMax,
		MaxElapsedTime:      0,
		Stop:                backoff.Stop,
		Clock:               standstill{},
	}
	curve.Reset()
	wait := s.WaitMin
	for range min(n-s.Quick, doublingsMax) + 1 {
		wait = curve.NextBackOff()
	}
	// Jitter is taken off, never added: the cap stays a cap.
	return wait - time.Duration(s.Jitter*spread(id, n)*float64(wait))
}

// standstill is the clock the curve is given: only the attempt counts, not the time.
type standstill struct{}

func (standstill) Now() time.Time { return time.Time{} }

// spread is a number from 0 up to 1 that a payment and an attempt always share (SplitMix64).
func spread(id uint64, n int) float64 {
	x := id + uint64(max(n, 0))*0x9e3779b97f4a7c15
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>11) / math.Exp2(53)
}
