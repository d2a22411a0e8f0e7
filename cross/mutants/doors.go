package main

// doors are defects in what an app may ask for, and when it may.
func doors() []mutant {
	const (
		app  = "agent/app.go"
		sell = "agent/sell.go"
		room = "agent/room.go"
	)
	return []mutant{
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
			old:  "	w.until = now + a.limits.EntryWait\n",
			new:  "	w.until = now + 100*a.limits.EntryWait\n",
			test: "TestAPaymentWaitsForTheReversalOfItsTerminal",
		},
		{
			name: "stuck-blocks-trade",
			rule: "a stuck reversal does not block trade",
			file: "agent/round.go",
			old:  "	} else if was == payment.Doubted {\n		a.queue.Settle",
			new:  "	} else if was == payment.Doubted && p.state.Phase != payment.Stuck {\n		a.queue.Settle",
			test: "TestAStuckReversalDoesNotBlockTrade",
		},
		{
			name: "repeated-question-sent-again",
			rule: "a request is never sent twice",
			file: app,
			old:  "	p := a.books.byKey[w.glance.Key]\n	switch {\n	case p == nil:\n		return false\n",
			new:  "	p := a.books.byKey[w.glance.Key]\n	switch {\n	case p == nil || p.request == nil:\n		return false\n",
			test: "TestARepeatedQuestionGetsTheOutcomeOnFile",
		},
		{
			name: "open-trace-number-reused",
			rule: "two open payments never share what answers are matched by",
			file: app,
			old:  "	case p.state.Phase.Open():\n		a.counts.Refused++\n",
			new:  "	case p.state.Phase == payment.Asked:\n		a.counts.Refused++\n",
			test: "TestATraceNumberOfAStuckPaymentIsRefused",
		},
		{
			name: "apps-reversal-sent-as-well",
			rule: "the app's own reversal is the same payment: one goes out",
			file: app,
			old:  "	p.reverser, p.taking = app, body\n",
			new:  "	a.pass(app, g, body)\n	p.reverser, p.taking = app, body\n",
			test: "TestTheAppsOwnReversalIsAdopted",
		},
		{
			name: "apps-reversal-ignored",
			rule: "the app's own reversal owes one",
			file: app,
			old:  "	return a.happen(p, payment.Cancel{})\n",
			new:  "	return nil\n",
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
			old:  "	if p.digest != s.Digest {\n",
			new:  "	if p == nil {\n",
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
			old:  "	case by == \"\":\n",
			new:  "	case by == \"\" && why == \"\":\n",
			test: "TestOnlyAPersonClosesAStuckPayment",
		},
	}
}
