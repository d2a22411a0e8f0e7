package agent

import (
	"math"
	"time"

	"reversald/agent/guard"
)

// guardConfig is what an integrator chose about the guard rails: off, warn or refuse each.
type guardConfig struct {
	Irreversible, CheckDigit, Expiry, Amount, Zero, Repeat string

	AmountMin, AmountMax int // in the smallest unit of the currency; 0: no bound
	RepeatWithin         time.Duration
}

// amountMax is what an int holds on a 32-bit terminal: twenty million of a currency with cents.
const amountMax = math.MaxInt32

// rails are the choices as the guard takes them. The settings accept no other names.
func (c guardConfig) rails() guard.Rails {
	level := func(name string) guard.Level {
		l, _ := guard.ParseLevel(name)
		return l
	}
	return guard.Rails{
		Irreversible: level(c.Irreversible), CheckDigit: level(c.CheckDigit),
		Expiry: level(c.Expiry), Amount: level(c.Amount), Zero: level(c.Zero),
		Repeat:    level(c.Repeat),
		AmountMin: int64(c.AmountMin), AmountMax: int64(c.AmountMax),
		RepeatWithin: c.RepeatWithin,
	}
}

func guardSetting(rail, doc string, value func(*Config) *string) setting {
	return setting{
		key: "guard_" + rail, doc: "what to do, before anything is sent, about " + doc,
		value: func(c *Config) any { return value(c) },
		oneOf: []string{guard.Off.String(), guard.Warn.String(), guard.Refuse.String()},
	}
}

// guardSettings are their keys.
var guardSettings = []setting{
	guardSetting("irreversible", "a payment whose processing code can not be reversed",
		func(c *Config) *string { return &c.Guard.Irreversible }),
	guardSetting("check_digit", "a card number with a wrong check digit",
		func(c *Config) *string { return &c.Guard.CheckDigit }),
	guardSetting("expiry", "a card whose last month is over",
		func(c *Config) *string { return &c.Guard.Expiry }),
	guardSetting("amount", "an amount outside guard_amount_min and guard_amount_max",
		func(c *Config) *string { return &c.Guard.Amount }),
	{
		key:   "guard_amount_min",
		doc:   "the smallest amount, in the currency's smallest unit; 0: any",
		value: func(c *Config) any { return &c.Guard.AmountMin },
		min:   0, max: amountMax,
	},
	{
		key:   "guard_amount_max",
		doc:   "the largest amount, in the currency's smallest unit; 0: any",
		value: func(c *Config) any { return &c.Guard.AmountMax },
		min:   0, max: amountMax,
	},
	guardSetting("zero", "one zero too many, by the terminal's own recent sales",
		func(c *Config) *string { return &c.Guard.Zero }),
	guardSetting("repeat", "the same card and amount again within guard_repeat_within",
		func(c *Config) *string { return &c.Guard.Repeat }),
	{
		key:   "guard_repeat_within",
		doc:   "how long after an approval the same sale is odd",
		value: func(c *Config) any { return &c.Guard.RepeatWithin },
		min:   time.Second, max: 24 * time.Hour,
	},
}
