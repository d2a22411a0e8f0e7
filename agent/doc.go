// Package agent is the daemon: the one goroutine that owns every payment, and what it needs to
// keep the promise that a sale which failed leaves no debit, and one which succeeded stays.
//
// One payment, from the till to the host and back:
//
//	app ──frame──▶ doors/iso ──▶ inbox ──▶ [Agent.Run]
//	                                         │ payment.Decide   what must be on disk, what then
//	                                         │ records.go       record ─▶ journal entry
//	                                         ▼
//	                                       store.Append         bbolt and ring, both synced
//	                                         │ perform.go       only now:
//	                                         ▼
//	host ◀──the same bytes── link.Supervisor ┘
//	host ──answer──▶ link ──▶ inbox ──▶ Decide ──▶ Append ──▶ perform ──▶ doors/iso ──▶ app
//
// A reversal travels the same list with reversal.Queue in place of the app; a power cut enters it
// in recover.go. There is one place that decides (payment), one line behind which things are
// durable (the call to Append in round.go), and one way back after a crash (Apply, over entries).
//
// Nothing else in the process touches a payment. Doors, link and people put messages in the inbox;
// who wants to look asks Run, or reads the journal.
package agent
