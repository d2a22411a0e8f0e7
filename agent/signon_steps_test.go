package agent_test

import "testing"

// Rule: a host may want the sign-on only where a reversal is owed, and in several messages: each goes
// out once the one before was accepted, and the reversal after the last.
func TestASignOnOfTwoMessagesBeforeReversals(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.hearsNothing()
		h.askedFor(app.asks("000001"))
		h.cut()
		h = s.lineComesUp()
		first := h.signsOn(map[int]string{60: "00000005003"})
		second := h.hears("0800")
		if first.Fields[60] != "00000000003" || second.Fields[60] != "00000005004" ||
			first.Fields[11] == second.Fields[11] {
			s.t.Errorf("the two messages are %v and %v", first.Fields, second.Fields)
		}
		h.hearsNothing()
		said := answer(second, "00")
		said[62] = h.hands(1)
		h.says("0810", said)
		m := h.reversal(1)
		h.proven()
		h.answers(m, "00")
		s.owes(0, 0)
	}, speakingAs("unionpay", "two-steps.yaml"), signedOn)
}

// Rule: a second message that is refused fails the sign-on, and business goes on.
func TestASignOnThatFailsAtItsSecondMessage(t *testing.T) {
	story(t, func(s *shop) {
		h, app := s.lineComesUp(), s.till("TERM0001")
		h.askedFor(app.asks("000001"))
		h.cut()
		h = s.lineComesUp()
		h.signsOn(nil)
		h.answers(h.hears("0800"), "97")
		m := h.reversal(1)
		h.answers(m, "00")
		s.owes(0, 0)
	}, speakingAs("unionpay", "two-steps.yaml"), signedOn)
}
