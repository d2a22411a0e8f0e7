// Command demo sells through a real reversald to a real acquirerd while the line, the host and the
// power fail in turn, and then compares what the cashier was told, what the journal says and what
// the host's books say. It exits 1 if the books do not balance.
//
// It imports nothing of reversald and takes no special path: it starts the binaries that ship,
// kills them with KILL, and asks them what any user could ask.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	reversald := flag.String("reversald", "bin/reversald", "the daemon's command line")
	acquirerd := flag.String("acquirerd", "bin/acquirerd", "the host's command line")
	core := flag.Bool("core", false, "only the scenes that show the promise at its shortest")
	keep := flag.Bool("keep", false, "leave journal, books and logs behind, and say where")
	flag.Parse()
	ok, err := play(strings.Fields(*reversald), strings.Fields(*acquirerd), *core, *keep)
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}

// scene is one thing that goes wrong at a till.
type scene struct {
	letter, title string
	core          bool
	play          func(*stage) error
}

// scenes are played in this order, on one journal and one set of books.
func scenes() []scene {
	return []scene{
		{"a", "a good sale", true, goodSale},
		{"b", "the host takes the sale and stays silent", true, silentHost},
		{"c", "the line is cut in the middle of the answer", false, cutAnswer},
		{"d", "reversald is killed after the request has left, and started again", true, killedAsking},
		{"e", "reversald is killed with the approval on disk, before the app has it", true, killedTelling},
		{"f", "the host goes away for three sales, and comes back", false, hostAway},
		{"g", "the approval comes late, with the reversal on its way", false, lateApproval},
		{"h", "a decline", false, declined},
		{"i", "the host refuses the reversal: stuck, shown, replayed by hand", true, stuckReversal},
	}
}

func play(reversald, acquirerd []string, core, keep bool) (bool, error) {
	began := time.Now()
	st, err := openStage(reversald, acquirerd)
	if err != nil {
		return false, err
	}
	defer st.close(keep)
	for _, sc := range scenes() {
		if core && !sc.core {
			continue
		}
		st.say("\n(%s) %s\n", sc.letter, sc.title)
		st.scene = sc.letter
		if err := sc.play(st); err != nil {
			return false, fmt.Errorf("scene %s: %w", sc.letter, err)
		}
		if err := st.settleAndShow(); err != nil {
			return false, fmt.Errorf("scene %s: %w", sc.letter, err)
		}
	}
	ok, err := st.balance()
	st.say("played in %.1f s\n", time.Since(began).Seconds())
	return ok, err
}
