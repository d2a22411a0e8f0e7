package iso

import "strconv"

// StanRule says which trace number (DE 11) a sending of a reversal carries.
type StanRule uint8

// The rules; zero is a bug.
const (
	StanOriginal StanRule = iota + 1 // that of the payment it takes back
	StanNew                          // one that no other message of the terminal has
	StanSame                         // that of the reversal's own first sending
)

// StanPolicy is where the trace numbers of reversals come from. Whoever keeps the counter gives
// the number in Attempt.STAN; for StanOriginal it stays empty.
type StanPolicy struct {
	First  StanRule // of the first sending: StanOriginal or StanNew
	Repeat StanRule // of every later one
}

// For is the rule for sending n, counted from 1.
func (s StanPolicy) For(n int) StanRule {
	if n > 1 {
		return s.Repeat
	}
	return s.First
}

// Counts reports whether any sending needs a number of its own.
func (s StanPolicy) Counts() bool { return s.First == StanNew || s.Repeat == StanNew }

// StanPolicy is the profile's.
func (p *Profile) StanPolicy() StanPolicy { return p.stan }

// stanMax is the highest trace number; after it comes 1, because 0 is none (n 6).
const stanMax = 999_999

// NextSTAN is the trace number after last that is not open, with its six digits; last is 0 in a
// counter that never counted. False when every number is open, which no terminal can do.
func NextSTAN(last int, open func(stan string) bool) (next int, stan string, ok bool) {
	next = last
	for range stanMax {
		if next++; next > stanMax || next < 1 {
			next = 1
		}
		if stan = FormatSTAN(next); !open(stan) {
			return next, stan, true
		}
	}
	return last, "", false
}

// FormatSTAN is the counter as DE 11 has it.
func FormatSTAN(n int) string { return strconv.Itoa(stanMax + 1 + n)[1:] }

// trace is the trace number of one sending by the rule, or what is wrong with the one given.
func (s StanPolicy) trace(o Original, a Attempt) (stan, problem string) {
	original := o.Fields[fieldSTAN]
	switch s.For(a.N) {
	case StanOriginal:
		switch {
		case original == "":
			return "", "is missing from the original"
		case a.STAN != "" && a.STAN != original:
			return "", "must be the original's: the host knows the payment by it"
		}
		return original, ""
	case StanNew, StanSame:
	}
	switch {
	case len(a.STAN) > len("999999") || !digitsOnly(a.STAN) || leadingNumber(a.STAN) == 0:
		return "", "must be one of its own, 1 to 999999, by the profile"
	case a.STAN == original:
		return "", "is the original's, and must be one of its own by the profile"
	}
	return a.STAN, ""
}
