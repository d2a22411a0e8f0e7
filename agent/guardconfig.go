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
