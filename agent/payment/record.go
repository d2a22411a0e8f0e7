package payment

import "fmt"

// Kind says which fact a record states. The numbers are on disk (store/FORMAT.md): never reuse one.
type Kind uint8

// The kinds of record, in the past tense: each is a fact the journal can prove.
const (
	// RecordAsked: the request may have left.
	RecordAsked Kind = iota + 1
	// RecordUnsent: provably zero bytes left.
	RecordUnsent
	// RecordApproved: the host said yes.
	RecordApproved
	// RecordDeclined: the host said no.
	RecordDeclined
	// RecordConfirmed: the sale is finished.
	RecordConfirmed
	// RecordDoubted: a reversal is owed.
	RecordDoubted
	// RecordReversalSent: attempt n may have left.
	RecordReversalSent
	// RecordReversalUnsent: attempt n provably did not leave.
	RecordReversalUnsent
	// RecordReversalAnswered: the host answered, and did not settle it.
	RecordReversalAnswered
	// RecordReversed: the host has undone it, or never knew it.
	RecordReversed
	// RecordStuck: a person is needed.
	RecordStuck
	// RecordReplayed: a person sent it again.
	RecordReplayed
	// RecordResolved: a person closed it.
	RecordResolved
	// RecordLateAnswer: evidence of an answer that came when nobody waited for it.
	RecordLateAnswer
	// RecordStray: evidence of an answer that belongs to no payment on file. It never reaches
	// [Apply]: it has no payment.
	RecordStray
	// RecordHeld: a person stopped the attempts of a reversal that is owed.
	RecordHeld
	// RecordReleased: a person let them go on.
	RecordReleased
	// RecordCommand: a person said something to this terminal, or tried to log in. It never reaches
	// [Apply]: it has no payment.
	RecordCommand
)

// Kinds lists every kind in the order of the constants.
func Kinds() []Kind {
	kinds := make([]Kind, 0, int(RecordCommand))
	for k := RecordAsked; k <= RecordCommand; k++ {
		kinds = append(kinds, k)
	}
	return kinds
}

// kindNames are the names used in journals, reports and the API.
var kindNames = [...]string{
	RecordAsked: "asked", RecordUnsent: "unsent", RecordApproved: "approved",
	RecordDeclined: "declined", RecordConfirmed: "confirmed", RecordDoubted: "doubted",
	RecordReversalSent: "reversal sent", RecordReversalUnsent: "reversal unsent",
	RecordReversalAnswered: "reversal answered", RecordReversed: "reversed",
	RecordStuck: "stuck", RecordReplayed: "replayed", RecordResolved: "resolved",
	RecordLateAnswer: "late answer", RecordStray: "stray",
	RecordHeld: "held", RecordReleased: "released", RecordCommand: "command",
}

// String is the kind as the journal, the reports and the API name it.
func (k Kind) String() string {
	if int(k) < len(kindNames) && k != 0 {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Record is one fact about a payment. The zero Record is no record.
type Record struct {
	Kind      Kind
	ConfirmBy ConfirmBy // RecordAsked only
	Reason    Reason    // RecordDoubted only
	Attempt   int       // RecordReversalSent, RecordReversalUnsent: which one
	Code      string    // the host's response code, where it gave one
	Approves  bool      // RecordLateAnswer: the late answer was an approval
	By, Why   string    // a person's name and reason; Why is the cause when stuck
}

// Decision says what must be durable first and what may be done after.
type Decision struct {
	// Record is written before anything in After happens. The zero Record means none.
	Record Record
	// Soon: nobody outside waits for the record. It may ride with the next commit, because
	// power-up would decide the same without it (or, for a delivery, nobody can do better).
	Soon bool
	// After, in order, once the record is durable; losing it to a power cut must be harmless.
	After []Effect
}
