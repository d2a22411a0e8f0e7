package faultsim

import (
	"fmt"
	"strings"
)

// Defect is a mistake put in on purpose. An auditor that does not see it is worth nothing.
type Defect uint8

// The defects. Those of the core's driver are mistakes in its code, those of the disk and the line
// are lies of what is around the real agent.
const (
	NoDefect          Defect = iota
	SendBeforeWrite          // core: acts, then writes
	LateApprovalHeals        // core: a late approval cancels the reversal
	MatchBySTANAlone         // core: whatever has the trace number answers the reversal
	DropAfterThree           // core: three reversals in vain, and the record is deleted
	SendAgain                // core: no answer in time, so the request is sent again
	TrustPowerUp             // core: power-up raises no doubts
	SalesFirst               // core: a sale does not wait for the reversals of its terminal
	YoungestFirst            // core: the newest reversal goes first
	TwoInFlight              // core: reversals of one terminal do not wait for each other
	ForgetStuck              // core: what is stuck is taken off the list
	DeafBank                 // bank: says it has reversed, and has not
	LyingDisk                // real: the disk acknowledges what it has not kept
	DoubleLine               // real: the line sends every tenth request twice
	ClearCard                // real: somebody leaves a card number beside the journal
	defectCount
)

var defectNames = [defectCount]string{
	"none", "send-before-write", "late-approval-heals", "match-by-stan-alone",
	"drop-after-three", "send-again", "trust-power-up", "sales-first", "youngest-first",
	"two-in-flight", "forget-stuck", "deaf-bank", "lying-disk", "double-line", "clear-card",
}

// String is the defect's name on the command line.
func (d Defect) String() string {
	if d < defectCount {
		return defectNames[d]
	}
	return fmt.Sprintf("defect %d", uint8(d))
}

// Defects lists those that show at a depth.
func Defects(depth Depth) []Defect {
	var some []Defect
	for d := SendBeforeWrite; d < defectCount; d++ {
		switch {
		case d == DeafBank, depth == Core && d < DeafBank, depth == Real && d > DeafBank:
			some = append(some, d)
		}
	}
	return some
}

// ParseDefect reads what String wrote.
func ParseDefect(name string) (Defect, error) {
	for d := range defectCount {
		if d.String() == name {
			return d, nil
		}
	}
	return 0, fmt.Errorf("no such defect: %q; one of %s", name, strings.Join(defectNames[:], " "))
}
