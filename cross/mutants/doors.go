package main

// Files that several mutants are in.
const (
	app  = "agent/app.go"
	sell = "agent/sell.go"
	room = "agent/room.go"
)

// doors are defects in what an app may ask for, and when it may.
var doors = []mutant{
	{
		name: "sale-before-the-owed-reversal",
		rule: "a reversal goes before any new payment",
		file: room,
		old:  "return a.ready() && !a.queue.Owes(w.glance.Terminal)",
		new:  "return a.ready()",
		test: "TestAPaymentWaitsForTheReversalOfItsTerminal",
	},
	{
		name: "settlement-while-owed",
		rule: "a reversal goes before settlement",
		file: app,
		old:  "if !a.profile.HoldsSettlement() {",
		new:  "if app != nil {",
		test: "TestSettlementWaitsWhileReversalsAreOwed",
	},
	{
		name: "waits-for-ever",
		rule: "a payment waits a while, then is refused with a clear code",
		file: room,
		old:  "\tw.until = now + a.limits.EntryWait\n",
		new:  "\tw.until = now + 100*a.limits.EntryWait\n",
		test: "TestAPaymentWaitsForTheReversalOfItsTerminal",
	},
	{
		name: "stuck-blocks-trade",
		rule: "a stuck reversal does not block trade",
		file: "agent/round.go",
		old:  "\t} else if was == payment.Doubted {\n\t\ta.queue.Settle",
		new: "\t} else if was == payment.Doubted && p.state.Phase != payment.Stuck {\n" +
			"\t\ta.queue.Settle",
		test: "TestAStuckReversalDoesNotBlockTrade",
	},
	{
		name: "repeated-question-sent-again",
		rule: "a request is never sent twice",
		file: app,
		old: "\tp := a.books.byKey[w.glance.Key]\n\tswitch {\n\tcase p == nil:\n" +
			"\t\treturn false\n",
		new: "\tp := a.books.byKey[w.glance.Key]\n\tswitch {\n" +
			"\tcase p == nil || p.request == nil:\n\t\treturn false\n",
		test: "TestARepeatedQuestionGetsTheOutcomeOnFile",
	},
	{
		name: "open-trace-number-reused",
		rule: "two open payments never share what answers are matched by",
		file: app,
		old:  "\tcase p.state.Phase.Open():\n\t\ta.counts.Refused++\n",
		new:  "\tcase p.state.Phase == payment.Asked:\n\t\ta.counts.Refused++\n",
		test: "TestATraceNumberOfAStuckPaymentIsRefused",
	},
	{
		name: "apps-reversal-sent-as-well",
		rule: "the app's own reversal is the same payment: one goes out",
		file: app,
		old:  "\tp.reverser, p.taking = app, body\n",
		new:  "\ta.pass(app, g, body)\n\tp.reverser, p.taking = app, body\n",
		test: "TestTheAppsOwnReversalIsAdopted",
	},
	{
		name: "apps-reversal-ignored",
		rule: "the app's own reversal owes one",
		file: app,
		old:  "\treturn a.happen(p, payment.Cancel{})\n",
		new:  "\treturn nil\n",
		test: "TestTheAppsOwnReversalIsAdopted",
	},
	{
		name: "key-replay-sends-twice",
		rule: "a key names one payment for ever",
		file: sell,
		old:  "if err != nil || len(found) == 0 || found[0].state.Phase == payment.Asked {",
		new:  "if err != nil || len(found) == 0 || found[0].state.Phase != 0 {",
		test: "TestAKeyNamesOnePaymentForEver",
	},
	{
		name: "key-with-another-body",
		rule: "a key with another body is refused",
		file: "agent/counter.go",
		old:  "\tif p.digest != s.Digest {\n",
		new:  "\tif p == nil {\n",
		test: "TestAKeyNamesOnePaymentForEver",
	},
	{
		name: "confirm-after-reversed",
		rule: "a confirm of what is being reversed is refused",
		file: sell,
		old:  "payment.Confirm{}, payment.Approved, payment.Confirmed)",
		new:  "payment.Confirm{}, payment.Approved, payment.Confirmed, payment.Reversed)",
		test: "TestASaleThatIsNotConfirmedIsReversed",
	},
	{
		name: "confirm-of-another-app",
		rule: "an app confirms its own payments only",
		file: sell,
		old:  `case app != "" && p.appName != app:`,
		new:  `case app == "" && p.appName != app:`,
		test: "TestAKeyNamesOnePaymentForEver",
	},
	{
		name: "guard-rail-ignored",
		rule: "a guard rail refuses before anything is sent",
		file: "agent/guards.go",
		old:  "f.Level == guard.Refuse })",
		new:  "f.Level > guard.Refuse })",
		test: "TestAGuardRailRefusesBeforeAnythingIsSent",
	},
	{
		name: "nameless-order",
		rule: "a person closes with name and reason",
		file: "agent/people.go",
		old:  "\tcase by == \"\":\n",
		new:  "\tcase by == \"\" && why == \"\":\n",
		test: "TestOnlyAPersonClosesAStuckPayment",
	},
}
