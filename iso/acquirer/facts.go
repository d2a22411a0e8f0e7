package acquirer

import (
	"fmt"
	"time"
)

// Question is what the books need to know of one message. Card is masked and Account is the name
// from [Ledger.Account]: no card number ever reaches the books.
type Question struct {
	Reversal   bool   `json:"-"`
	MTI        string `json:"mti"`
	Terminal   string `json:"terminal"` // DE 41, without padding
	STAN       string `json:"stan"`     // DE 11; of a reversal, the STAN of its original
	Date       string `json:"date,omitempty"`
	Batch      string `json:"batch,omitempty"`
	Sent       string `json:"sent,omitempty"` // DE 7, what DE 90 repeats; 1993: DE 12
	Processing string `json:"processing,omitempty"`
	Amount     int64  `json:"amount_minor"` // DE 4, in minor units
	Currency   string `json:"currency,omitempty"`
	Card       string `json:"card,omitempty"`
	Account    string `json:"account,omitempty"`

	// Codes are the answers of this dialect.
	Codes Codes `json:"-"`
	// Refuse is the code to answer instead of doing what is asked; empty means do it.
	Refuse string `json:"-"`
	// Say is the code to answer although it is done; empty means the honest one.
	Say string `json:"-"`
}

// Reply is what the bank says. RRN and Auth are empty when nothing was ever approved.
type Reply struct {
	Code, RRN, Auth string
	What            What
	Said            string // a note for people; empty on the usual path
}

// What is a thing that can become true in the books.
type What string

// The first four open an entry; the others speak of one.
const (
	WhatBooked    What = "booked"     // approved and debited, held, credited, or just answered
	WhatDeclined  What = "declined"   // refused; nothing is booked
	WhatConflict  What = "conflict"   // same terminal and STAN, other payment: declined 94
	WhatNeverSeen What = "never-seen" // a reversal of something that never came: remembered, 25

	WhatDoubled  What = "doubled"  // the same request again: answered as before
	WhatTooLate  What = "too-late" // a request after its own reversal: declined 12
	WhatReversed What = "reversed" // the debit is undone
	WhatRepeated What = "repeated" // the reversal again: answered as before
	WhatHarmless What = "harmless" // a reversal of something not booked: 00, nothing to undo
	WhatMismatch What = "mismatch" // a reversal with another amount: 64, nothing undone
	WhatRefused  What = "refused"  // a reversal this bank was told to refuse: nothing undone
)

// Fact is one line of the books file: something that became true, with its answer.
type Fact struct {
	Seq      uint64    `json:"seq"`
	At       time.Time `json:"at"`
	What     What      `json:"what"`
	Entry    uint64    `json:"entry"` // Seq of the fact that opened the entry
	MTI      string    `json:"mti"`
	Code     string    `json:"code"`
	RRN      string    `json:"rrn,omitempty"`
	Auth     string    `json:"auth,omitempty"`
	Note     string    `json:"note,omitempty"`
	Question *Question `json:"question,omitempty"` // only where an entry is opened or completed
}

func (f *Fact) opens() bool {
	switch f.What {
	case WhatBooked, WhatDeclined, WhatConflict, WhatNeverSeen:
		return true
	case WhatDoubled, WhatTooLate, WhatReversed, WhatRepeated, WhatHarmless, WhatMismatch,
		WhatRefused:
	}
	return false
}

// name gives an approved payment the references the terminal will quote: DE 37 is the date and a
// running number, DE 38 is drawn from the same number so that a test can predict neither by eye.
func (f *Fact) name() {
	if f.What != WhatBooked {
		return
	}
	f.RRN = fmt.Sprintf("%s%06d", f.At.Format("060102"), f.Seq%1_000_000)
	f.Auth = fmt.Sprintf("%06d", (f.Seq*7919+104729)%1_000_000)
}

// Codes are the answers a dialect has for what the books can say (DE 39).
type Codes struct {
	Approved      string // payment approved
	Reversed      string // reversal accepted
	NotFound      string // reversal of something never seen
	Duplicate     string // same key, other payment
	Invalid       string // request after its own reversal; message not supported
	Format        string // cannot be read
	AmountDiffers string // reversal with another amount
	Full          string // no room
	BadMAC        string // the code of the message is wrong or missing; nothing done
	Network       string // sign-on and echo accepted
	Settled       string // totals accepted
}

// CodesFor gives the codes of an MTI's version: 1993 (1xxx) has three digits, 1987 two.
func CodesFor(mti string) Codes {
	if len(mti) == 4 && mti[0] == '1' {
		return Codes{
			Approved: "000", Reversed: "400", NotFound: "481", Duplicate: "913",
			Invalid: "902", Format: "904", AmountDiffers: "902", Full: "909",
			BadMAC: "916", Network: "800", Settled: "500",
		}
	}
	return Codes{
		Approved: "00", Reversed: "00", NotFound: "25", Duplicate: "94",
		Invalid: "12", Format: "30", AmountDiffers: "64", Full: "96",
		BadMAC: "A0", Network: "00", Settled: "00",
	}
}
