package main

// Files that several mutants are in.
const (
	decide = "agent/payment/decide.go"
	shop   = "./agent" // where the stories of a payment are told
)

// decisions are defects in what is decided about one payment, and in how its records add up.
var decisions = []mutant{
	{
		name: "late-approval-forgets-doubt",
		rule: "a late approval never cancels a reversal",
		file: decide,
		old: `			After:  []Effect{TellStuck(e)},
		}
	case HostApproved:
		return late(e.Code, true)`,
		new: `			After:  []Effect{TellStuck(e)},
		}
	case HostApproved:
		return Decision{Record: Record{Kind: RecordApproved, Code: e.Code}}`,
		test: "TestALateApprovalNeverCancelsAReversal", in: shop,
	},
	{
		name: "late-approval-after-reversal",
		rule: "an approval after the reversal owes a new one",
		file: decide,
		old:  "if s.Phase == Reversed || s.Phase == Declined {",
		new:  "if s.Phase == Declined {",
		test: "TestAnApprovalAfterTheReversalOwesANewOne", in: shop,
	},
	{
		name: "silence-is-declined",
		rule: "no answer is unknown, never declined",
		file: decide,
		old:  `return doubt(NoAnswerInTime, "", TellApp{Unknown})`,
		new: `return Decision{
			Record: Record{Kind: RecordDeclined}, After: []Effect{TellApp{Unknown}},
		}`,
		test: "TestSilenceIsUnknownAndReversed", in: shop,
	},
	{
		name: "silence-is-not-sent",
		rule: "only what provably never left is not sent",
		file: decide,
		old:  `return doubt(LinkDropped, "", TellApp{Unknown})`,
		new: `return Decision{
			Record: Record{Kind: RecordUnsent}, After: []Effect{TellApp{NotSent}},
		}`,
		test: "TestACutThatTheWriterDoesNotSeeIsDoubt", in: shop,
	},
	{
		name: "unclear-is-declined",
		rule: "an answer that decides nothing is reversed",
		file: decide,
		old:  "return doubt(e.Reason, e.Code, TellApp{Unknown})",
		new: `return Decision{
			Record: Record{Kind: RecordDeclined, Code: e.Code}, After: []Effect{TellApp{Unknown}},
		}`,
		test: "TestAnAnswerThatDecidesNothing", in: shop,
	},
	{
		name: "asked-forgotten-at-power-up",
		rule: "power-up: asked without an outcome is doubted",
		file: decide,
		old: `		return doubt(Cancelled, "", TellApp{Unknown})
	case PowerUp:
		return doubt(PowerCut, "")`,
		new: `		return doubt(Cancelled, "", TellApp{Unknown})
	case PowerUp:
		return Decision{Record: Record{Kind: RecordUnsent}}`,
		test: "TestAQuestionFoundAtPowerUpIsReversed", in: shop,
	},
	{
		name: "unconfirmed-kept-at-power-up",
		rule: "power-up: approved without a confirm is doubted",
		file: decide,
		old:  "if e.KeepUnconfirmed && s.ConfirmBy == ByDelivery {",
		new:  "if s.ConfirmBy == ByDelivery {",
		test: "TestAnUnconfirmedApprovalAtPowerUp", in: shop,
	},
	{
		name: "keep-at-power-up-for-any-door",
		rule: "unconfirmed_at_boot is for doors without a confirm",
		file: decide,
		old:  "if e.KeepUnconfirmed && s.ConfirmBy == ByDelivery {",
		new:  "if e.KeepUnconfirmed {",
		test: "TestAPowerCutBeforeTheConfirmReverses", in: shop,
	},
	{
		name: "gone-app-keeps-its-sale",
		rule: "an approval that can not be delivered is doubted",
		file: decide,
		old:  `return doubt(AppGone, "")`,
		new:  "return Decision{Record: Record{Kind: RecordConfirmed}}",
		test: "TestAnAppThatIsGoneBeforeItsAnswer", in: shop,
	},
	{
		name: "stuck-closes-by-itself",
		rule: "only a person closes a stuck payment",
		file: decide,
		old: `Confirm, Cancel, PowerUp,
		ReversalDue, ReversalNeverLeft, ReversalPutOff, ReversalRefused, Hold, Release:`,
		new: `Confirm, Cancel, PowerUp,
		ReversalDue, ReversalNeverLeft, ReversalPutOff, ReversalRefused, Hold, Release:
		if _, up := e.(PowerUp); up {
			return Decision{Record: Record{Kind: RecordResolved}}
		}`,
		test: "TestAStuckReversalDoesNotBlockTrade", in: shop,
	},
	{
		name: "person-closes-what-is-owed",
		rule: "a person closes only what is stuck",
		file: decide,
		old: `Confirm, Cancel, PowerUp,
		Resolve:`,
		new: `Confirm, Cancel, PowerUp:
	case Resolve:
		return Decision{Record: Record{Kind: RecordResolved, By: e.By, Why: e.Why}}
	case nil:`,
		test: "TestOnlyAPersonClosesAStuckPayment", in: shop,
	},
	{
		name: "hold-forgets-the-debt",
		rule: "what is held is owed all the same",
		file: decide,
		old:  "return Decision{Record: Record{Kind: RecordHeld, By: hold.By, Why: hold.Why}}",
		new:  "return Decision{Record: Record{Kind: RecordReversed, By: hold.By, Why: hold.Why}}",
		test: "TestAPersonHoldsAReversal", in: shop,
	},
	{
		name: "hold-is-not-kept",
		rule: "what a person holds is not sent",
		file: "agent/payment/apply.go",
		old:  "s.Held = s.Phase == Doubted",
		new:  "s.Held = false",
		test: "TestAPersonHoldsAReversal", in: shop,
	},
	{
		name: "reversed-without-being-sent",
		rule: "an answer to a reversal never sent settles nothing",
		file: decide,
		old: `	if s.Attempts == 0 {
		return Decision{}
	}
	return Decision{
		Record: Record{Kind: RecordReversed`,
		new: `	return Decision{
		Record: Record{Kind: RecordReversed`,
		test: "TestEveryHistory",
	},
	{
		name: "attempts-not-counted",
		rule: "attempts are counted per payment from the journal",
		file: "agent/payment/apply.go",
		old:  "\t\ts.Attempts = r.Attempt\n",
		new:  "\t\ts.Attempts = 1\n",
		test: "TestAReversalNeverEnds", in: shop,
	},
}

// The file of most.
const queue = "agent/reversal/queue.go"

// queues are defects in which reversal goes next, and when.
var queues = []mutant{
	{
		name: "newest-first",
		rule: "reversals of a terminal go out oldest first",
		file: queue,
		old:  "for _, it := range q.items {\n\t\tif it.Due <= now",
		new:  "for _, it := range slices.Backward(q.items) {\n\t\tif it.Due <= now",
		test: "TestOldestFirstOneInFlightPerTerminal",
	},
	{
		name: "two-in-flight",
		rule: "one reversal of a terminal is in flight",
		file: queue,
		old:  "!it.InFlight && !it.Held && !slices.Contains(busy, it.Terminal) {",
		new:  "!it.InFlight && !it.Held {",
		test: "TestOldestFirstOneInFlightPerTerminal",
	},
	{
		name: "line-up-waits-on",
		rule: "at once when the link comes up",
		file: queue,
		old: `		if it := &q.items[i]; !it.InFlight {
			it.Due = min(it.Due, now)
		}`,
		new: `		if it := &q.items[i]; !it.InFlight {
			it.Due = max(it.Due, now)
		}`,
		test: "TestLineUpEndsTheWait",
	},
	{
		name: "sent-on-a-dead-line",
		rule: "nothing goes out on a line that is down",
		file: queue,
		old:  "if !q.lineUp || q.paused || now < q.jammed {",
		new:  "if q.paused || now < q.jammed {",
		test: "TestLineBackMeansAtOnce",
	},
	{
		name: "dropped-after-three-tries",
		rule: "nothing is dropped for its count",
		file: queue,
		old:  "\t\t\tit.Due = now + q.schedule.Wait(it.ID, it.Attempts)\n\t\t\texpired",
		new: "\t\t\tit.Due = now + q.schedule.Wait(it.ID, it.Attempts)\n" +
			"\t\t\tif it.Attempts >= 3 {\n\t\t\t\tit.Due = never\n\t\t\t}\n\t\t\texpired",
		test: "TestAReversalNeverEnds", in: shop,
	},
	{
		name: "dropped-after-a-day",
		rule: "nothing is dropped for its age",
		file: queue,
		old:  "\t\t\tit.Due = now + q.schedule.Wait(it.ID, it.Attempts)\n\t\t\texpired",
		new: "\t\t\tit.Due = now + q.schedule.Wait(it.ID, it.Attempts)\n" +
			"\t\t\tif now-it.Since > 24*time.Hour {\n\t\t\t\tit.Due = never\n" +
			"\t\t\t}\n\t\t\texpired",
		test: "TestAReversalNeverEnds", in: shop,
	},
	{
		name: "waits-never-grow",
		rule: "three quick sends, then 1 to 30 minutes",
		file: "agent/reversal/schedule.go",
		old:  "\tif n < s.Quick {\n",
		new:  "\tif n < 1000*s.Quick {\n",
		test: "TestScheduleOfAnUnansweredReversal",
	},
	{
		name: "held-goes-out",
		rule: "what a person holds is not sent",
		file: queue,
		old:  "!it.InFlight && !it.Held && !slices",
		new:  "!it.InFlight && !slices",
		test: "TestHeldIsNotSent",
	},
}
