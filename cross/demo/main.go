// Command demo sells through a real reversald to a real acquirerd while the line, the host and the
// power fail in turn, and then compares what the cashier was told, what the journal says and what
// the host's books say. It exits 1 if the books do not balance, if a scene did not come out as it
// must, or if anything is left owed, open or stuck.
//
// It imports nothing of reversald and takes no special path: it starts the binaries that ship,
// kills them with KILL, and asks them what any user could ask.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	reversald := flag.String("reversald", "bin/reversald", "the daemon's command line")
	acquirerd := flag.String("acquirerd", "bin/acquirerd", "the host's command line")
	core := flag.Bool("core", false, "only the scenes that show the promise at its shortest")
	keep := flag.Bool("keep", false, "leave journal, books and logs behind, and say where")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := play(ctx, strings.Fields(*reversald), strings.Fields(*acquirerd), *core, *keep)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}

// scene is one thing that goes wrong at a till, and what must have come of it.
type scene struct {
	letter, title string
	core          bool
	play          func(*stage) error
	want          []fate // of its sales, in the order in which they were rung up
}

// fate is what became of one sale, as the three who know of it say.
type fate struct {
	cashier string // outcome and code
	journal string // the whole story; a repeated reversal counts once
	host    string

	stan   string // what else is shown of it
	booked booked
}

// The stories that more than one scene tells.
var (
	sold = fate{
		cashier: "approved 00", journal: "asked > approved 00 > confirmed", host: "debited",
	}
	neverOut = fate{
		cashier: "declined 91", journal: "nothing: it never left", host: "never heard of it",
	}
)

// undone is a sale whose reversal came by itself, for a reason.
func undone(cashier, reason string) fate {
	return fate{
		cashier: cashier, host: "reversed",
		journal: "asked > doubted " + reason + " > reversal sent > reversed 00",
	}
}

// scenes are played in this order, on one journal and one set of books.
func scenes() []scene {
	const beingReversed, lineDead = "unknown 68", "unknown -"
	return []scene{
		{"a", "a good sale", true, goodSale, []fate{sold}},
		{
			"b", "the host takes the sale and stays silent", true, silentHost,
			[]fate{undone(beingReversed, "no answer in time")},
		},
		{
			"c", "the line is cut in the middle of the answer", false, cutAnswer,
			[]fate{undone(beingReversed, "link dropped")},
		},
		{
			"d", "reversald is killed after the request has left, and started again", true,
			killedAsking,
			[]fate{undone(lineDead, "power cut")},
		},
		{
			"e", "reversald is killed with the approval on disk, before the app has it", true,
			killedTelling,
			[]fate{{
				cashier: lineDead, host: "reversed",
				journal: "asked > approved 00 > doubted power cut > reversal sent > reversed 00",
			}},
		},
		{
			"f", "the host goes away for three sales, and comes back", false, hostAway,
			[]fate{undone(beingReversed, "link dropped"), neverOut, neverOut},
		},
		{
			"g", "the approval comes late, with the reversal on its way", false, lateApproval,
			[]fate{{
				cashier: beingReversed, host: "reversed",
				journal: "asked > doubted no answer in time > reversal sent > late answer 00 > " +
					"reversed 00",
			}},
		},
		{
			"h", "a decline", false, declined,
			[]fate{{cashier: "declined 51", journal: "asked > declined 51", host: "declined"}},
		},
		{
			"i", "the host refuses the reversal: stuck, shown, replayed by hand", true,
			stuckReversal,
			[]fate{{
				cashier: beingReversed, host: "reversed",
				journal: "asked > doubted no answer in time > reversal sent > stuck 58 > " +
					"replayed by demo > reversal sent > reversed 00",
			}},
		},
		{"j", "three good sales after all of it", true, threeSales, []fate{sold, sold, sold}},
	}
}

// play is true when every scene came out as it must, and the books balance.
func play(ctx context.Context, reversald, acquirerd []string, core, keep bool) (bool, error) {
	began := time.Now()
	st, err := openStage(ctx, reversald, acquirerd)
	if err != nil {
		return false, err
	}
	defer st.close(keep)
	wrong := 0
	for _, sc := range scenes() {
		if core && !sc.core {
			continue
		}
		st.say("\n(%s) %s\n", sc.letter, sc.title)
		st.scene = sc.letter
		if err := sc.play(st); err != nil {
			return false, fmt.Errorf("scene %s: %w", sc.letter, err)
		}
		if err := st.settle(); err != nil { //nolint:contextcheck // the stage has it
			return false, fmt.Errorf("scene %s: %w", sc.letter, err)
		}
		faults, err := st.settled(sc.want) //nolint:contextcheck // the stage has it
		if err != nil {
			return false, fmt.Errorf("scene %s: %w", sc.letter, err)
		}
		for _, fault := range faults {
			st.say("    WRONG     %s\n", fault)
			wrong++
		}
	}
	ok, err := st.balance() //nolint:contextcheck // the stage has it
	if wrong > 0 {
		st.say("%d THINGS DID NOT COME OUT AS THEY MUST\n", wrong)
	}
	st.say("played in %.1f s\n", time.Since(began).Seconds())
	return ok && wrong == 0, err
}

// differ says where what became of a scene's sales is not what must have.
func differ(got, want []fate) []string {
	if len(got) != len(want) {
		return []string{fmt.Sprintf("%d sales were rung up, want %d", len(got), len(want))}
	}
	var faults []string
	for i := range want {
		for _, pair := range [][3]string{
			{"cashier", got[i].cashier, want[i].cashier},
			{"journal", got[i].journal, want[i].journal},
			{"host", got[i].host, want[i].host},
		} {
			if pair[1] != pair[2] {
				faults = append(faults, fmt.Sprintf("sale %d of the scene, %s: %s; want %s",
					i+1, pair[0], pair[1], pair[2]))
			}
		}
	}
	return faults
}
