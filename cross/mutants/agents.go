package main

// Files that several mutants are in.
const (
	round = "agent/round.go"
)

// written are defects in the order of writing and doing.
var written = []mutant{
	{
		name: "send-before-commit",
		rule: "asked is on disk before the first byte",
		file: decide,
		old:  "Record: Record{Kind: RecordAsked, ConfirmBy: ask.ConfirmBy},",
		new:  "Record: Record{Kind: RecordAsked, ConfirmBy: ask.ConfirmBy}, Soon: true,",
		test: "TestARequestIsOnDiskBeforeItsFirstByteLeaves", in: shop,
	},
	{
		name: "approved-told-before-durable",
		rule: "approved is on disk before the app is told",
		file: decide,
		old:  "Record: Record{Kind: RecordApproved, Code: e.Code},",
		new:  "Record: Record{Kind: RecordApproved, Code: e.Code}, Soon: true,",
		test: "TestAnApprovalIsOnDiskBeforeTheAppIsTold", in: shop,
	},
	{
		name: "declined-told-before-durable",
		rule: "declined is on disk before the app is told",
		file: decide,
		old:  "Record: Record{Kind: RecordDeclined, Code: e.Code},",
		new:  "Record: Record{Kind: RecordDeclined, Code: e.Code}, Soon: true,",
		test: "TestADeclineIsOnDiskBeforeTheAppIsTold", in: shop,
	},
	{
		name: "unsent-told-before-durable",
		rule: "unsent is on disk before the app is told",
		file: decide,
		old:  "Record: Record{Kind: RecordUnsent},",
		new:  "Record: Record{Kind: RecordUnsent}, Soon: true,",
		test: "TestWhatNeverLeftIsOnDiskBeforeTheAppIsTold", in: shop,
	},
	{
		name: "confirm-answered-before-durable",
		rule: "confirmed is on disk before the app's confirm is answered",
		file: decide,
		old: `			Record: Record{Kind: RecordConfirmed},
			After:  []Effect{TellConfirmed{}},`,
		new: `			Record: Record{Kind: RecordConfirmed}, Soon: true,
			After: []Effect{TellConfirmed{}},`,
		test: "TestAConfirmIsOnDiskBeforeItIsAnswered", in: shop,
	},
	{
		name: "reversal-sent-before-commit",
		rule: "attempt n is on disk before its first byte",
		file: decide,
		old:  "Record: Record{Kind: RecordReversalSent, Attempt: n},",
		new:  "Record: Record{Kind: RecordReversalSent, Attempt: n}, Soon: true,",
		test: "TestAReversalIsOnDiskBeforeItsFirstByteLeaves", in: shop,
	},
	{
		name: "reversed-told-before-durable",
		rule: "reversed is on disk before the app, slip or page says so",
		file: decide,
		old: `		Record: Record{Kind: RecordReversed, Code: e.Code},
		After:  []Effect{TellReversed(e)},`,
		new: `		Record: Record{Kind: RecordReversed, Code: e.Code}, Soon: true,
		After: []Effect{TellReversed(e)},`,
		test: "TestAReversalIsDoneOnDiskBeforeTheAppIsTold", in: shop,
	},
	{
		name: "order-answered-before-durable",
		rule: "resolved is on disk before the command answers",
		file: decide,
		old: `	case Resolve:
		return Decision{Record: Record{Kind: RecordResolved, By: e.By, Why: e.Why}}`,
		new: `	case Resolve:
		return Decision{Record: Record{Kind: RecordResolved, By: e.By, Why: e.Why}, Soon: true}`,
		test: "TestAPersonsOrderIsOnDiskBeforeItIsAnswered", in: shop,
	},
	{
		name: "effects-before-the-write",
		rule: "effects after the write",
		file: round,
		old:  "\t\tif err := a.write(now); err != nil {\n",
		new:  "\t\ta.perform()\n\t\tif err := a.write(now); err != nil {\n",
		test: "TestAFailedJournalEndsTheAgent",
	},
	{
		name: "write-error-ignored",
		rule: "a failed write ends the process",
		file: round,
		old:  "\t\tif err := a.write(now); err != nil {\n\t\t\treturn err\n\t\t}\n",
		new:  "\t\t_ = a.write(now)\n",
		test: "TestAFailedJournalEndsTheAgent",
	},
	{
		name: "delivery-not-noted",
		rule: "a delivery survives KILL",
		file: "agent/write.go",
		old:  "\t\terr = a.note()\n",
		new:  "",
		test: "TestADeliverySurvivesAKillRightAfterIt",
	},
	{
		name: "attempts-lost-at-restart",
		rule: "attempts are counted per payment from the journal",
		file: "agent/records.go",
		old:  "Kind: payment.Kind(e.Kind), Attempt: data.Attempt, Code: data.Code,",
		new:  "Kind: payment.Kind(e.Kind), Attempt: min(data.Attempt, 0), Code: data.Code,",
		test: "TestAttemptsAreCountedAcrossRestarts",
	},
	{
		name: "owed-forgotten-at-restart",
		rule: "what is owed is owed after a restart",
		file: "agent/recover.go",
		old:  "\t\ta.queue.Owe(uint64(p.id), p.terminal, p.state.Attempts, a.now())\n\t\tif p",
		new:  "\t\tif p",
		test: "TestAttemptsAreCountedAcrossRestarts",
	},
	{
		name: "damaged-payment-guessed",
		rule: "both copies damaged: held and shown, never guessed",
		file: "agent/damaged.go",
		old:  "case p.questionLost || fateless:\n",
		new:  "case p.questionLost && fateless:\n\t\treturn nil\n\tcase fateless:\n",
		test: "TestAPaymentWhoseQuestionIsLostIsHeldUntilAPersonClosesIt",
	},
	{
		name: "closed-forgotten-at-restart",
		rule: "a repeated question gets the outcome on file",
		file: "agent/recover.go",
		old:  "\t\tif !p.state.Phase.Open() {\n",
		new:  "\t\tif p.state.Phase == 0 {\n",
		test: "TestARepeatedQuestionGetsTheOutcomeOnFile",
	},
	{
		name: "confirm-timeout-ignored",
		rule: "what is not confirmed in time is reversed",
		file: round,
		old:  "\t\t\tp.deadline = now + a.limits.ConfirmTimeout\n",
		new:  "\t\t\tp.deadline = 0\n",
		test: "TestASaleThatIsNotConfirmedIsReversed",
	},
	{
		name: "host-timeout-ignored",
		rule: "no answer in time is doubt",
		file: round,
		old:  "\t\tp.deadline = now + a.limits.HostTimeout\n",
		new:  "\t\tp.deadline = 0\n",
		test: "TestSilenceIsUnknownAndReversed",
	},
}

// The file of most.
const host = "agent/host.go"

// matched are defects in which answer belongs to what.
var matched = []mutant{
	{
		name: "0210-answers-0400",
		rule: "a 0210 must not answer a 0400",
		file: host,
		old:  "\t\tif p != nil {\n\t\t\treturn a.answered(p, g, body)\n",
		new: "\t\tif p != nil && p.state.Phase == payment.Doubted && p.state.Attempts > 0 {\n" +
			"\t\t\treturn a.reversalAnswered(p, g)\n\t\t}\n" +
			"\t\tif p != nil {\n\t\t\treturn a.answered(p, g, body)\n",
		test: "TestALateApprovalAnswersNoReversal",
	},
	{
		name: "0410-by-stan-alone",
		rule: "a 0410 is matched by the profile's keys, not by STAN alone",
		file: host,
		old:  "\t\t\tp = q\n\t\t}\n",
		new: "\t\t\tp = q\n\t\t}\n\t\tfor _, o := range a.books.open {\n" +
			"\t\t\tif p == nil && o.stan == g.STAN {\n\t\t\t\tp = o\n\t\t\t}\n\t\t}\n",
		test: "TestAReversalsAnswerOfAnotherTerminalSettlesNothing",
	},
	{
		name: "0410-over-another-amount",
		rule: "an answer over another amount is none",
		file: host,
		old:  "\t\t\tp = q\n\t\t}\n\t\tif p != nil && a.ofAnother(p, g) {\n",
		new:  "\t\t\tp = q\n\t\t}\n\t\tif p != nil && a.ofAnother(p, g) && g.MTI == \"\" {\n",
		test: "TestAReversalIsNotAnsweredOverAnotherAmount",
	},
	{
		name: "0410-to-a-payment-not-reversed",
		rule: "an answer to a reversal settles nothing that has none under way",
		file: host,
		old:  "if p != nil && p.state.Attempts > 0 && p.state.Phase.Open() {\n",
		new:  "if p != nil && p.state.Phase.Open() {\n",
		test: "TestAReversalsAnswerNeverAnswersAPayment",
	},
	{
		name: "wrong-mac-believed",
		rule: "an answer whose MAC is wrong is no answer",
		file: host,
		old:  "if mac != nil && (g.Class",
		new:  "if mac == nil && g.MTI == \"\" && (g.Class",
		test: "TestAnApprovalThatProvesNothingIsNoAnswer",
	},
	{
		name: "retry-is-done",
		rule: "not now is sent again",
		file: host,
		old:  "\tcase iso.VerdictRetry:\n\t\treturn reversal.Later\n",
		new:  "\tcase iso.VerdictRetry:\n\t\treturn reversal.Done\n",
		test: "TestPutOffIsSentAgainAfterAWait",
	},
	{
		name: "refused-sent-for-ever",
		rule: "an answer the host would repeat: stuck",
		file: host,
		old:  "\tcase iso.VerdictStuck:\n\t\treturn reversal.Refused\n",
		new:  "\tcase iso.VerdictStuck:\n\t\treturn reversal.Later\n",
		test: "TestTheHostsAnswerToAReversalDecides",
	},
	{
		name: "stray-not-kept",
		rule: "an answer nobody was waiting for is evidence",
		file: host,
		old:  "\ta.drafts = append(a.drafts, drafts...)\n",
		new:  "\t_ = drafts\n",
		test: "TestAnAnswerThatFitsNothingIsKept",
	},
	{
		name: "reversal-of-another-original",
		rule: "a reversal says what the original said",
		file: "agent/perform.go",
		old:  "a.profile.Reversal(p.original, p.kept,",
		new:  "a.profile.Reversal(a.books.open[0].original, p.kept,",
		test: "TestReversalsOfATerminalGoOldestFirstOneInFlight",
	},
	{
		name: "repeats-are-not-said",
		rule: "first send, then repeats (0401)",
		file: "agent/perform.go",
		old:  "\t\tN: n, Reason: isoReason(",
		new:  "\t\tN: min(n, 1), Reason: isoReason(",
		test: "TestAttemptsAreCountedAcrossRestarts",
	},
	{
		name: "lost-line-not-doubted",
		rule: "carrier lost is doubt now, not at the timeout",
		file: "agent/take.go",
		old:  "\t\treturn a.loseAsked()\n",
		new:  "\t\treturn nil\n",
		test: "TestACutLineIsReversedFirstThingOnTheNext",
	},
	{
		name: "half-a-frame-never-left",
		rule: "only zero bytes left is unsent",
		file: "agent/link/writer.go",
		old:  "\t\tif fate != Left && f.left > 0 {\n",
		new:  "\t\tif fate != Left && f.left == len(f.bytes) {\n",
		test: "TestHalfAFrameIsDoubt", in: shop,
	},
}
