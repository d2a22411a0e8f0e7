// Package guard looks at a sale before anything of it is sent, and says what is odd about it: the
// mistakes of a hand on a keypad that end as a refund, a dispute or a debit nobody can take back.
//
// It is pure: the sale, the terminal's own recent sales and the time come as arguments. What is
// done about a finding is the integrator's choice, rail by rail: nothing, a warning in the log and
// to the app that can hear one, or a refusal before the first byte leaves.
package guard

import (
	"fmt"
	"time"

	"reversald/iso"
)

// Level is what is done about a finding.
type Level uint8

// The levels, from the mildest. The zero value does not look.
const (
	Off Level = iota
	Warn
	Refuse
)

// ParseLevel is the level with a name as a configuration has it.
func ParseLevel(name string) (Level, bool) {
	for l, s := range levelNames {
		if s == name {
			return Level(l), true
		}
	}
	return Off, false
}

var levelNames = [...]string{Off: "off", Warn: "warn", Refuse: "refuse"}

// String is the level's name.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "no level"
}

// Rail is one thing that is looked at.
type Rail uint8

// The rails, in the order they are looked at: the first refusal is the one that is told.
const (
	Irreversible Rail = iota + 1 // its processing code can not be reversed
	CheckDigit                   // the card number is mistyped
	Expiry                       // the card's last month is over
	Amount                       // outside the range this shop sells in
	Zero                         // one zero too many, measured by the terminal's own recent sales
	Repeat                       // the same card and amount were approved a moment ago
)

var railNames = [...]string{
	Irreversible: "irreversible", CheckDigit: "check_digit", Expiry: "expiry", Amount: "amount",
	Zero: "zero", Repeat: "repeat",
}

// String is the rail's name, as the configuration has it behind guard_.
func (r Rail) String() string {
	if r != 0 && int(r) < len(railNames) {
		return railNames[r]
	}
	return "no rail"
}

// Rails are a shop's choices.
type Rails struct {
	Irreversible, CheckDigit, Expiry, Amount, Zero, Repeat Level

	AmountMin, AmountMax int64         // in the smallest unit of the currency; 0: no bound
	RepeatWithin         time.Duration // how long ago "a moment ago" is
}

// Any says whether there is anything to look at.
func (r Rails) Any() bool {
	return max(r.Irreversible, r.CheckDigit, r.Expiry, r.Amount, r.Zero, r.Repeat) > Off
}

// Sale is what the rails look at.
type Sale struct {
	Terminal   string
	Currency   string
	Amount     int64    // in the smallest unit of Currency
	Card       iso.Card // zero: not known
	Reversible bool
	At         time.Time // wall clock
}

// Finding is one thing that is odd.
type Finding struct {
	Rail  Rail
	Level Level  // Warn or Refuse
	Why   string // for people; no card data
}

// recentMin is how many sales it takes to know what a terminal usually sells; recentMax how many
// of the newest count. Our choice: with three, a coffee shop's first cake would be odd.
const (
	recentMin = 5
	recentMax = 50
)

// zeroFactor: an amount is odd when it is more than this many times the largest of the recent
// ones, and a tenth of it would be a usual one.
const zeroFactor = 3

// Judge says what is odd about a sale, in the order of the rails. recent are the approved sales of
// the same device, newest first, other terminals' included: they are left out here. trusted says
// whether the wall clock can be believed; without it nobody's card has expired.
func (r Rails) Judge(s Sale, recent []Sale, trusted bool) []Finding {
	var found []Finding
	find := func(rail Rail, level Level, odd bool, format string, args ...any) {
		if level != Off && odd {
			found = append(found, Finding{rail, level, fmt.Sprintf(format, args...)})
		}
	}
	find(Irreversible, r.Irreversible, !s.Reversible,
		"this kind of payment can not be reversed should it fail")
	if !s.Card.Zero() {
		find(CheckDigit, r.CheckDigit, s.Card.PAN != "" && !s.Card.PAN.CheckDigit(),
			"the card number's check digit is wrong")
		find(Expiry, r.Expiry, trusted && expired(s.Card.Expiry, s.At), "the card has expired")
	}
	find(Amount, r.Amount, r.AmountMin > 0 && s.Amount < r.AmountMin,
		"the amount is below %d", r.AmountMin)
	find(Amount, r.Amount, r.AmountMax > 0 && s.Amount > r.AmountMax,
		"the amount is above %d", r.AmountMax)
	if r.Zero != Off {
		usual, odd := oneZeroTooMany(s, recent)
		find(Zero, r.Zero, odd, "one zero too many? the largest of the last sales was %d", usual)
	}
	if r.Repeat != Off && !s.Card.Zero() {
		ago, odd := r.repeated(s, recent)
		find(Repeat, r.Repeat, odd, "the same card paid the same amount %s ago", ago)
	}
	return found
}

// expired: the month in YYMM is over. Cards are good until the last day of their month; a day more
// is given for time zones.
func expired(yymm string, now time.Time) bool {
	month, err := time.Parse("0601", yymm)
	if err != nil {
		return false // the host knows its cards; a form we do not know is not a fault
	}
	return now.After(month.AddDate(0, 1, 1))
}

// oneZeroTooMany: a tenth of the amount is what this terminal usually sells, the amount itself is
// far from it.
func oneZeroTooMany(s Sale, recent []Sale) (largest int64, odd bool) {
	n, smallest := 0, int64(0)
	for _, old := range recent {
		if old.Terminal != s.Terminal || old.Currency != s.Currency || old.Amount <= 0 {
			continue
		}
		if n == 0 || old.Amount < smallest {
			smallest = old.Amount
		}
		largest = max(largest, old.Amount)
		if n++; n == recentMax {
			break
		}
	}
	if n < recentMin {
		return 0, false
	}
	tenth := s.Amount / 10
	return largest, s.Amount%10 == 0 && s.Amount > zeroFactor*largest &&
		smallest <= tenth && tenth <= largest
}

// repeated: the same card paid the same amount at this terminal a moment ago, and was approved. A
// clock that was set back in between hides it, which costs a warning and no money.
func (r Rails) repeated(s Sale, recent []Sale) (ago time.Duration, odd bool) {
	for _, old := range recent {
		ago := s.At.Sub(old.At)
		if old.Terminal == s.Terminal && old.Currency == s.Currency && old.Amount == s.Amount &&
			old.Card.PAN == s.Card.PAN && ago >= 0 && ago < r.RepeatWithin {
			return ago.Round(time.Second), true
		}
	}
	return 0, false
}
