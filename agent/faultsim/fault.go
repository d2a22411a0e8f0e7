package faultsim

import (
	"fmt"
	"strings"
)

// Fault is one thing that can go wrong, or that somebody does at a bad moment.
type Fault uint8

// The faults. What each means at its place is in the file of that place: line.go, bank.go, shop.go,
// power.go.
const (
	RequestLost Fault = iota
	RequestLate
	RequestTwice
	RequestReordered
	RequestCorrupted
	RequestHalf
	NeverLeft
	LineBusy
	AnswerLost
	AnswerLate
	AnswerTwice
	AnswerReordered
	AnswerCorrupted
	AnswerHalf
	WrongSTAN
	WrongTerminal
	WrongMTI
	WrongMAC
	Provisional
	Unclear
	LineCut
	HostAway
	HostAwayDays
	HostSilent
	ReversalRefused
	ReversalPutOff
	SignOnAsked
	KeyChanged
	STANWrap
	ClockJump
	Clock1970
	Kill
	KillMidRound
	PowerCut
	PowerCutMidRound
	PowerCutMidWrite
	WriteFailed
	WriteFailedLanded
	DiskFull
	AppGone
	AppAsksAgain
	AppReverses
	AppSlow
	AppWalksAway
	Settlement
	PersonReplays
	PersonResolves
	faultCount
)

var faultNames = [faultCount]string{
	"request-lost", "request-late", "request-twice", "request-reordered", "request-corrupted",
	"request-half", "never-left", "line-busy", "answer-lost", "answer-late", "answer-twice",
	"answer-reordered", "answer-corrupted", "answer-half", "wrong-stan", "wrong-terminal",
	"wrong-mti", "wrong-mac", "provisional", "unclear", "line-cut", "host-away",
	"host-away-days", "host-silent", "reversal-refused", "reversal-put-off", "sign-on-asked",
	"key-changed", "stan-wrap", "clock-jump", "clock-1970", "kill", "kill-mid-round",
	"power-cut", "power-cut-mid-round", "power-cut-mid-write", "write-failed",
	"write-failed-landed", "disk-full", "app-gone", "app-asks-again", "app-reverses", "app-slow",
	"app-walks-away", "settlement", "person-replays", "person-resolves",
}

// String is the fault's name on the command line and in tables.
func (f Fault) String() string {
	if f < faultCount {
		return faultNames[f]
	}
	return fmt.Sprintf("fault %d", uint8(f))
}

// Faults lists every fault in the order of the constants.
func Faults() []Fault {
	all := make([]Fault, faultCount)
	for i := range all {
		all[i] = Fault(i)
	}
	return all
}

// Set is a set of faults.
type Set uint64

// AllFaults has every one in it.
const AllFaults = Set(1)<<faultCount - 1

// Has says whether f is in the set.
func (s Set) Has(f Fault) bool { return s>>f&1 == 1 }

// Without is the set without f.
func (s Set) Without(f Fault) Set { return s &^ (1 << f) }

// String lists the set for the command line: "all", "none" or names.
func (s Set) String() string {
	switch s {
	case AllFaults:
		return "all"
	case 0:
		return "none"
	}
	var names []string
	for _, f := range Faults() {
		if s.Has(f) {
			names = append(names, f.String())
		}
	}
	return strings.Join(names, ",")
}

// ParseSet reads what String wrote.
func ParseSet(text string) (Set, error) {
	switch text {
	case "all":
		return AllFaults, nil
	case "none", "":
		return 0, nil
	}
	var s Set
next:
	for _, name := range strings.Split(text, ",") {
		for _, f := range Faults() {
			if f.String() == name {
				s |= 1 << f
				continue next
			}
		}
		return 0, fmt.Errorf("no such fault: %q; one of %s", name, strings.Join(faultNames[:], " "))
	}
	return s, nil
}

// rate is how often a fault strikes where it could, in one of 100,000, in a run that has much of
// it. A run has each fault rarely, now and then or much, or not at all: the seed says.
var rates = [faultCount]uint32{
	RequestLost: 4000, RequestLate: 2000, RequestTwice: 2000, RequestReordered: 3000,
	RequestCorrupted: 2000, RequestHalf: 1500, NeverLeft: 1500, LineBusy: 1500,
	AnswerLost: 4000, AnswerLate: 3000, AnswerTwice: 3000, AnswerReordered: 3000,
	AnswerCorrupted: 2000, AnswerHalf: 1500, WrongSTAN: 2000, WrongTerminal: 2000,
	WrongMTI: 2000, WrongMAC: 2000, Provisional: 2000, Unclear: 2000,
	LineCut: 3000, HostAway: 1000, HostAwayDays: 60, HostSilent: 600,
	ReversalRefused: 8000, ReversalPutOff: 10000, SignOnAsked: 5000, KeyChanged: 1000,
	STANWrap: 2000, ClockJump: 2000, Clock1970: 500,
	Kill: 1000, KillMidRound: 1500, PowerCut: 1000, PowerCutMidRound: 1500,
	PowerCutMidWrite: 2000, WriteFailed: 1000, WriteFailedLanded: 1000, DiskFull: 1000,
	AppGone: 3000, AppAsksAgain: 4000, AppReverses: 4000, AppSlow: 3000, AppWalksAway: 1500,
	Settlement: 2000, PersonReplays: 40000, PersonResolves: 10000,
}

// rateOf is the denominator of rates.
const rateOf = 100_000
