package agent

import (
	"time"

	"reversald/agent/guard"
	"reversald/agent/payment"
	"reversald/agent/reversal"
	"reversald/store"
)

// Limits are the times and choices an agent keeps to. Where they come from is the configuration's
// business, see Config.
type Limits struct {
	Terminal        string            // DE41 for messages of ours; empty: the newest payment's
	Merchant        string            // DE42, likewise
	Hosts           []string          // addresses of the acquirer, tried in turn
	HostTimeout     time.Duration     // how long the host has to answer a request
	ConfirmTimeout  time.Duration     // how long an app that confirms has to do so
	EntryWait       time.Duration     // how long a payment waits for the line, or for a reversal
	Linger          time.Duration     // how long a noted record waits for a commit to ride with
	DialTimeout     time.Duration     // for one address
	WriteTimeout    time.Duration     // for one frame on a line that takes no bytes
	RedialMin       time.Duration     // the first wait after a failed dial
	RedialMax       time.Duration     // the longest
	KeepUnconfirmed bool              // unconfirmed_at_boot: keep
	OverdueAfter    time.Duration     // a reversal older than this is flagged
	Schedule        reversal.Schedule // of the reversals
	Retention       store.Retention   // of closed payments
	Contact         string            // whom a cardholder calls, for slips
	Guard           guard.Rails       // what is looked at before a sale is sent
}

// Counts are what has happened since the agent started.
type Counts struct {
	Records    map[string]uint64 `json:"records"`     // by kind
	Strays     uint64            `json:"strays"`      // answers that belonged to nothing
	Refused    uint64            `json:"refused"`     // messages from apps that were not carried
	TurnedAway uint64            `json:"turned_away"` // payments that waited in vain
	Guarded    uint64            `json:"guarded"`     // what guard rails found
}

func (c *Counts) add(r payment.Record) {
	if c.Records == nil {
		c.Records = map[string]uint64{}
	}
	c.Records[r.Kind.String()]++
}
