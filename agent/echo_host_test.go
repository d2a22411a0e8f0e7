package agent_test

import (
	"testing"
)

// Rule: an echo of the host's own is answered.
func TestTheHostsEchoIsAnswered(t *testing.T) {
	for name, echo := range map[string]map[int]string{
		"unionpay": {11: "000900", 41: "TERM0001", 42: "MERCHANT0000001", 60: "00000001301"},
		"as2805":   {7: "0301090000", 11: "000900", 41: "TERM0001", 70: "301"},
		"iso93": {7: "0301090000", 11: "000900", 12: "260301090000", 24: "831", 41: "TERM0001",
			42: "MERCHANT0000001"},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(s *shop) {
				h := s.lineComesUp()
				h.says(s.tongue.hi, echo)
				m := h.hears(s.profile.AnswerMTI(s.tongue.hi))
				if m.Fields[11] != "000900" || m.Fields[39] != s.tongue.helloed {
					s.t.Errorf("the answer is %v", m.Fields)
				}
			}, speaking(name))
		})
	}
}
