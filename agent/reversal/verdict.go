package reversal

import "fmt"

// Verdict is what the host's answer to a reversal means for it. Which code means what is data: the
// profile's four lists decide, and a code in none of them is Refused.
type Verdict uint8

// The verdicts.
const (
	// Done: undone, or never known to the host. The payment leaves the queue.
	Done Verdict = iota + 1
	// Later: the host or the issuer is away for now. Try again after a wait.
	Later
	// SignOn: keys or batch are out of step. Sign on first, then try again at once.
	SignOn
	// Refused: the host would answer the same again. A person must decide: stuck.
	Refused
)

// String names the verdict for the journal.
func (v Verdict) String() string {
	switch v {
	case Done:
		return "done"
	case Later:
		return "later"
	case SignOn:
		return "sign on"
	case Refused:
		return "refused"
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}
