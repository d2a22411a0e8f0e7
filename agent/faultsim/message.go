package faultsim

import "fmt"

// Kind is what a message is for.
type Kind uint8

// The kinds of message between terminal, till and bank.
const (
	Sale Kind = iota + 1
	SaleAnswer
	Reversal
	ReversalAnswer
	SignOn
	SignOnAnswer
	Settle
	SettleAnswer
	Echo
	EchoAnswer
)

// String names the kind for the transcript.
func (k Kind) String() string {
	switch k {
	case Sale:
		return "sale"
	case SaleAnswer:
		return "sale answer"
	case Reversal:
		return "reversal"
	case ReversalAnswer:
		return "reversal answer"
	case SignOn:
		return "sign-on"
	case SignOnAnswer:
		return "sign-on answer"
	case Settle:
		return "settlement"
	case SettleAnswer:
		return "settlement answer"
	case Echo:
		return "echo"
	case EchoAnswer:
		return "echo answer"
	}
	return "nothing"
}

// answer is the kind of the answer to a question.
func (k Kind) answer() Kind { return k + 1 }

// Message is one message, whoever sends it. A machine that speaks bytes translates at its skin.
type Message struct {
	Kind Kind
	Till uint8  // which terminal (DE 41)
	STAN uint32 // DE 11
	Sale uint32 // the sale's number, which is also its amount (DE 4): the bank knows it by that
	Code string // DE 39 of an answer
	// ConfirmBy says that the app confirms by itself; on questions of tills only.
	Confirms bool
	Repeat   bool // 0401
	Garbled  bool // not to be read
	BadMAC   bool
	NewKey   bool // a sign-on answer that brings another key
	raw      []byte
}

// String is the message's part of a transcript line.
func (m *Message) String() string {
	if m.Kind == 0 {
		return ""
	}
	text := fmt.Sprintf("%-17s till %d stan %06d sale %5d", m.Kind, m.Till+1, m.STAN, m.Sale)
	if m.Code != "" {
		text += " code " + m.Code
	}
	for _, mark := range []struct {
		on   bool
		name string
	}{{m.Repeat, "repeat"}, {m.Garbled, "garbled"}, {m.BadMAC, "MAC wrong"}, {m.NewKey, "key"}} {
		if mark.on {
			text += " " + mark.name
		}
	}
	return text
}
