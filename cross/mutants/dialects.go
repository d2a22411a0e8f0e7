package main

// Files that several mutants are in.
const (
	outcome  = "iso/outcome.go"
	reversal = "iso/reversal.go"
	ascii    = "iso/profiles/iso87-ascii.yaml"
)

// dialects are defects in how messages are read, and how reversals are worded.
var dialects = []mutant{
	{
		name: "repeat-flag-lost",
		rule: "first send, then repeats (0401)",
		file: "iso/profile.go",
		old:  "\t\treturn p.template.repeatMTI\n",
		new:  "\t\treturn p.template.mti\n",
		test: "TestTypesAndTraceNumbers",
	},
	{
		name: "unknown-code-is-done",
		rule: "any other code: stuck",
		file: outcome,
		old:  "\treturn VerdictStuck\n",
		new:  "\treturn VerdictDone\n",
		test: "TestWhatAnswersMean",
	},
	{
		name: "no-code-is-done",
		rule: "an answer without a code settles nothing",
		file: outcome,
		old:  "\t\treturn VerdictRetry\n",
		new:  "\t\treturn VerdictDone\n",
		test: "TestWhatAnswersMean",
	},
	{
		name: "25-is-not-done",
		rule: "25: the host never saw it, so it is done",
		file: ascii,
		old:  `  done:    ["00", "12", "25"]`,
		new:  `  done:    ["00", "12"]`,
		test: "TestWhatAnswersMean", in: "./iso",
	},
	{
		name: "unlisted-approval-code",
		rule: "an approval is what the profile lists as one",
		file: ascii,
		old:  `  approved:    ["00", "08", "10", "11", "16"]`,
		new:  `  approved:    ["00", "08", "10", "16"]`,
		test: "TestWhatAnswersMean", in: "./iso",
	},
	{
		name: "unlisted-code-approves",
		rule: "a code the profile does not list is no approval",
		file: outcome,
		old:  "\treturn OutcomeDeclined\n",
		new:  "\treturn OutcomeApproved\n",
		test: "TestWhatAnswersMean",
	},
	{
		name: "no-code-is-declined",
		rule: "only a decline means that nothing was charged",
		file: outcome,
		old:  "\t\treturn OutcomeAmbiguous\n",
		new:  "\t\treturn OutcomeDeclined\n",
		test: "TestWhatAnswersMean",
	},
	{
		name: "reversal-without-link",
		rule: "the link field names the original",
		file: reversal,
		old:  "\t\tif v := l.build(o, k); v != \"\" {\n",
		new:  "\t\tif v := l.build(o, k); v != \"\" && k != nil {\n",
		test: "TestReversalOfASale",
	},
	{
		name: "link-with-another-stan",
		rule: "the link field names the original",
		file: "iso/link.go",
		old:  "zeros(o.Fields[fieldSTAN], 6) + zeros(o.Fields[fieldSent], linkSentLen)",
		new:  "zeros(o.Fields[fieldRRN], 6) + zeros(o.Fields[fieldSent], linkSentLen)",
		test: "TestReversalOfASale",
	},
	{
		name: "hosts-reference-lost",
		rule: "a reversal of an approval has the host's reference",
		file: reversal,
		old:  "\t\t\tif v := answer[n]; v != \"\" {\n",
		new:  "\t\t\tif v := answer[n]; v != \"\" && n == 0 {\n",
		test: "TestReversalOfASale",
	},
	{
		name: "sale-without-stan-sent",
		rule: "what could not be reversed is not sent",
		file: "iso/key.go",
		old:  "\t\tif needed {\n",
		new:  "\t\tif needed && n == 0 {\n",
		test: "TestAPaymentThatCouldNotBeReversedIsNotSent", in: shop,
	},
	{
		name: "track-data-kept",
		rule: "track data and PIN block never enter the journal",
		file: "iso/original.go",
		old: "\tif err := p.gather(o.Fields, &w, wanted); err != nil {\n" +
			"\t\treturn Original{}, err\n\t}\n",
		new: "\tif err := p.gather(o.Fields, &w, wanted); err != nil {\n" +
			"\t\treturn Original{}, err\n\t}\n" +
			"\to.Fields[fieldTrack2], _ = p.value(&w, fieldTrack2)\n",
		test: "TestOriginalKeepsOnlyWhatTheReversalNeeds",
	},
	{
		name: "card-number-in-clear",
		rule: "no card number in what the journal keeps in clear",
		file: "iso/original.go",
		old:  "\tif n := p.holdsCard(o.Fields, &w); n != 0 {\n",
		new:  "\tif n := p.holdsCard(o.Fields, &w); n < 0 {\n",
		test: "TestACardNumberInAnotherFieldIsNotKept",
	},
	{
		name: "repeated-sale-passes",
		rule: "what repeats a payment is a payment",
		file: "iso/profile.go",
		old:  "\t\tt.mti = string(mti[:])\n\t\treturn t\n",
		new:  "\t\tt.mti, t.class = string(mti[:]), ClassOther\n\t\treturn t\n",
		test: "TestClassesOfMessages",
	},
}
