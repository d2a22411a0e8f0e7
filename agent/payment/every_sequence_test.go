package payment_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"reversald/agent/payment"
)

// allEvents is every event that can reach a payment, once per meaning.
func allEvents() []payment.Event {
	return []payment.Event{
		payment.Ask{ConfirmBy: payment.ByDelivery},
		payment.Ask{ConfirmBy: payment.ByApp},
		payment.NeverLeft{},
		payment.HostApproved{Code: "00"},
		payment.HostDeclined{Code: "51"},
		payment.HostUnclear{Code: "68", Reason: payment.Unclear},
		payment.TimeUp{},
		payment.LinkLost{},
		payment.Delivered{},
		payment.Undeliverable{},
		payment.Confirm{},
		payment.Cancel{},
		payment.ReversalDue{},
		payment.ReversalNeverLeft{},
		payment.ReversalAccepted{Code: "00"},
		payment.ReversalPutOff{Code: "96"},
		payment.ReversalRefused{Code: "58", Cause: "refused"},
		payment.Replay{By: "li", Why: "host fixed"},
		payment.Resolve{By: "li", Why: "refunded by hand"},
		payment.Hold{By: "li", Why: "the host asks for it"},
		payment.Release{By: "li"},
	}
}

// world is one payment with everything around it that the promise speaks of: what is on disk,
// what is only noted, what left the terminal, and what happened.
type world struct {
	live    payment.State
	disk    []payment.Record // durable
	noted   []payment.Record // written soon: KILL keeps them, a power cut may lose them
	cuts    int
	sent    int  // requests that left
	left    bool // a reversal left since the last doubt
	held    bool // a person has stopped the attempts, as the records say, cuts or not
	told    payment.Outcome
	toldYes bool // the host's approval was handed to the app in full, or confirmed by it
	happens map[string]bool
}

func (w world) clone() world {
	w.disk = append([]payment.Record(nil), w.disk...)
	w.noted = append([]payment.Record(nil), w.noted...)
	seen := make(map[string]bool, len(w.happens))
	for k := range w.happens {
		seen[k] = true
	}
	w.happens = seen
	return w
}

// walker counts what it has proved.
type walker struct {
	t                       *testing.T
	histories, powerCuts    int
	depthMax, powerCutsMax  int
	trail                   []string
	phasesSeen, recordsSeen map[string]bool
}

// TestEveryHistory proves the rules of the design, section 3, over every history of up to eight
// events, with a power cut before and after every record and between any two effects.
func TestEveryHistory(t *testing.T) {
	depth := 7
	if s := os.Getenv("HISTORY_LENGTH"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("HISTORY_LENGTH: %v", err)
		}
		depth = n
	}
	if testing.Short() {
		depth = 5
	}
	w := walker{
		t: t, depthMax: depth, powerCutsMax: 2,
		phasesSeen: map[string]bool{}, recordsSeen: map[string]bool{},
	}
	w.walk(world{happens: map[string]bool{}}, 0)
	for _, p := range payment.Phases() {
		if !w.phasesSeen[p.String()] {
			t.Errorf("no history reached the phase %s", p)
		}
	}
	for _, k := range payment.Kinds() {
		if k != payment.RecordStray && k != payment.RecordCommand && !w.recordsSeen[k.String()] {
			t.Errorf("no history wrote a record %s", k)
		}
	}
	t.Logf("%d histories of up to %d events, %d power cuts", w.histories, depth, w.powerCuts)
}

func (w *walker) walk(at world, depth int) {
	w.histories++
	if depth == w.depthMax {
		return
	}
	for _, e := range allEvents() {
		d := payment.Decide(at.live, e)
		if d.Record == (payment.Record{}) && len(d.After) == 0 {
			continue // nothing changes: the longer history is the shorter one again
		}
		w.trail = append(w.trail, fmt.Sprintf("%T", e)[len("payment."):])
		w.step(at, e, d, depth)
		w.trail = w.trail[:len(w.trail)-1]
	}
}

// step takes one decision, whole, and cut short in every way.
func (w *walker) step(at world, e payment.Event, d payment.Decision, depth int) {
	at = at.clone()
	at.happens[fmt.Sprintf("%T", e)] = true
	if _, ok := e.(payment.Delivered); ok && at.live.Phase == payment.Approved {
		at.toldYes = true
	}
	if _, ok := e.(payment.Confirm); ok {
		at.toldYes = true
	}
	if at.cuts < w.powerCutsMax {
		w.powerCut(at, depth) // before the record: it never happened, as far as the disk knows
	}
	next := at.clone()
	w.record(&next, d)
	for i, effect := range d.After {
		if next.cuts < w.powerCutsMax {
			cut := next.clone()
			w.powerCut(cut, depth)
		}
		w.perform(&next, effect, d.After[:i])
	}
	if next.cuts < w.powerCutsMax {
		w.powerCut(next.clone(), depth)
	}
	w.check(next)
	w.walk(next, depth+1)
}

// record writes what the decision says, the way perform.go does: what waits is committed with
// everything noted before it, what is only soon is noted.
func (w *walker) record(at *world, d payment.Decision) {
	if d.Record == (payment.Record{}) {
		return
	}
	w.recordsSeen[d.Record.Kind.String()] = true
	before := at.live
	at.live = payment.Apply(at.live, d.Record)
	if d.Record.Kind == payment.RecordDoubted {
		at.left = false
	}
	w.hold(at, before, d)
	at.noted = append(at.noted, d.Record)
	if !d.Soon {
		at.disk = append(at.disk, at.noted...)
		at.noted = nil
	}
	w.neverBack(before, at.live, d)
}

// hold: what a person has stopped stays stopped and stays owed, until a person lets it go or the host
// settles it; and no hold or release is anything but durable.
func (w *walker) hold(at *world, before payment.State, d payment.Decision) {
	kind := d.Record.Kind
	if kind == payment.RecordHeld || kind == payment.RecordReleased {
		at.held = kind == payment.RecordHeld
		if d.Soon || d.Record.By == "" {
			w.fail("%s soon, or by nobody", kind)
		}
		if at.live.Phase != before.Phase || !at.live.Phase.Open() {
			w.fail("%s moved %s to %s", kind, before.Phase, at.live.Phase)
		}
	}
	if kind == payment.RecordReversalSent && at.held {
		w.fail("a reversal leaves that a person has stopped")
	}
	if at.live.Phase != payment.Doubted || d.Record.Kind == payment.RecordDoubted {
		at.held = false
	}
	if at.held != at.live.Held {
		w.fail("held is %t, and %t in the state", at.held, at.live.Held)
	}
}

// neverBack: what the promise forbids a single step to do.
func (w *walker) neverBack(before, after payment.State, d payment.Decision) {
	doubtful := before.Phase == payment.Doubted || before.Phase == payment.Stuck
	sold := after.Phase == payment.Approved || after.Phase == payment.Confirmed ||
		after.Phase == payment.Unsent || after.Phase == payment.Declined
	if doubtful && sold {
		w.fail("a doubted payment became %s", after.Phase)
	}
	if before.Phase == payment.Stuck && after.Phase == payment.Resolved && d.Record.By == "" {
		w.fail("stuck closed by nobody")
	}
	if doubtful && after.Phase == payment.Resolved && before.Phase != payment.Stuck {
		w.fail("a doubted payment was closed by hand")
	}
	if d.Record.Kind == payment.RecordLateAnswer && before.Phase != after.Phase {
		w.fail("a late answer moved %s to %s", before.Phase, after.Phase)
	}
}

// perform does what the effect orders, and checks that its record was durable first.
func (w *walker) perform(at *world, effect payment.Effect, _ []payment.Effect) {
	switch effect := effect.(type) {
	case payment.SendRequest:
		at.sent++
		if at.sent > 1 {
			w.fail("the request was sent %d times", at.sent)
		}
		w.durable(at, payment.RecordAsked)
	case payment.SendReversal:
		at.left = true
		w.durable(at, payment.RecordReversalSent)
		if last := at.disk[len(at.disk)-1]; last.Attempt != effect.N {
			w.fail("attempt %d leaves, %d is on disk", effect.N, last.Attempt)
		}
	case payment.TellApp:
		at.told = effect.Outcome
		switch effect.Outcome {
		case payment.NotSent:
			w.durable(at, payment.RecordUnsent)
		case payment.HostAnswer:
			if at.live.Phase == payment.Approved {
				w.durable(at, payment.RecordApproved)
			} else {
				w.durable(at, payment.RecordDeclined)
			}
		case payment.Unknown:
			if at.live.Phase != payment.Doubted {
				w.fail("the app is told unknown in %s", at.live.Phase)
			}
		}
	case payment.TellConfirmed:
		w.durable(at, payment.RecordConfirmed)
	case payment.TellReversed:
		w.durable(at, payment.RecordReversed)
	case payment.TellStuck:
		w.durable(at, payment.RecordStuck)
	}
}

func (w *walker) durable(at *world, kind payment.Kind) {
	for _, r := range at.disk {
		if r.Kind == kind {
			return
		}
	}
	w.fail("an effect of %s before it was durable", kind)
}

// powerCut loses any tail of what was only noted, folds what is left, and starts again.
func (w *walker) powerCut(at world, depth int) {
	for kept := 0; kept <= len(at.noted); kept++ {
		w.powerCuts++
		again := at.clone()
		again.cuts++
		again.disk = append(again.disk, again.noted[:kept]...)
		again.noted = nil
		again.live = payment.Fold(again.disk)
		if at.live.Held && !again.live.Held {
			w.fail("a power cut let go of what a person has stopped")
		}
		again.held = again.live.Held
		for _, e := range []payment.Event{
			payment.PowerUp{}, payment.PowerUp{KeepUnconfirmed: true},
		} {
			up := again.clone()
			d := payment.Decide(up.live, e)
			if up.live.Phase == payment.Asked || up.live.Phase == payment.Approved {
				if d.Record == (payment.Record{}) {
					w.fail("%s survived a power cut undecided", up.live.Phase)
				}
			}
			if e.(payment.PowerUp).KeepUnconfirmed && up.live.Phase == payment.Approved {
				up.toldYes = true // the shopkeeper's choice, by configuration
			}
			w.trail = append(w.trail, "PowerCut")
			w.record(&up, d)
			w.check(up)
			if depth < w.depthMax-2 { // what follows a cut is walked two events less deep
				w.walk(up, depth+2)
			}
			w.trail = w.trail[:len(w.trail)-1]
			if d.Record == (payment.Record{}) {
				break // both choices are the same history
			}
		}
	}
}

// check is the promise: what may be true of a payment whose request may have left.
func (w *walker) check(at world) {
	w.phasesSeen[at.live.Phase.String()] = true
	if err := payment.Invariant(at.live); err != nil {
		w.fail("%v", err)
	}
	if got := payment.Fold(append(append([]payment.Record(nil), at.disk...), at.noted...)); got != at.live {
		w.fail("live %+v, folded %+v", at.live, got)
	}
	happened := func(e payment.Event) bool { return at.happens[fmt.Sprintf("%T", e)] }
	switch at.live.Phase {
	case payment.Unsent:
		if !happened(payment.NeverLeft{}) {
			w.fail("closed as unsent, but bytes may have left")
		}
	case payment.Declined:
		if !happened(payment.HostDeclined{}) {
			w.fail("closed as declined, but the host never declined")
		}
	case payment.Confirmed:
		if !at.toldYes || !happened(payment.HostApproved{}) {
			w.fail("closed as confirmed, but nobody was told, or nobody approved")
		}
	case payment.Reversed:
		if !happened(payment.ReversalAccepted{}) || at.live.Attempts == 0 {
			w.fail("closed as reversed, but the host never said so")
		}
	case payment.Resolved:
		if !happened(payment.Resolve{}) {
			w.fail("closed by a person who did not act")
		}
	case payment.Asked, payment.Approved, payment.Doubted, payment.Stuck:
	}
	if at.sent > 0 && at.live.Phase == 0 {
		w.fail("a request left and nothing is on file")
	}
}

func (w *walker) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("after %v: %s", w.trail, fmt.Sprintf(format, args...))
}
