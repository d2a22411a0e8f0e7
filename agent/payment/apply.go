package payment

// Apply is the only way a state changes. It is used live, after [Decide], and at power-up, over
// the entries on file; a record that fits no rule (an older journal, a merged ring) changes
// nothing it can not prove.
func Apply(s State, r Record) State {
	switch r.Kind {
	case RecordAsked:
		return State{Phase: Asked, ConfirmBy: r.ConfirmBy}
	case RecordUnsent:
		s.Phase = Unsent
	case RecordApproved:
		s.Phase, s.Code, s.HostApproved = Approved, r.Code, true
	case RecordDeclined:
		s.Phase, s.Code = Declined, r.Code
	case RecordConfirmed:
		s.Phase = Confirmed
	case RecordDoubted:
		s.Phase, s.Reason, s.Attempts, s.Cause = Doubted, r.Reason, 0, ""
		s.Answered, s.Held = false, false
		if r.Code != "" {
			s.Code = r.Code
		}
		if r.Reason == LateApproval {
			s.HostApproved = true
		}
	case RecordReversalSent:
		s.Attempts = r.Attempt
	case RecordReversalUnsent:
		s.Attempts = max(0, r.Attempt-1)
	case RecordReversalAnswered:
		s.Code, s.Answered = r.Code, true
	case RecordReversed:
		s.Phase, s.Code, s.Cause = Reversed, r.Code, ""
	case RecordStuck:
		s.Phase, s.Code, s.Cause = Stuck, r.Code, r.Why
		s.Answered = s.Answered || r.Code != ""
	case RecordReplayed:
		s.Phase, s.Cause = Doubted, ""
		if s.Reason == 0 {
			s.Reason = PowerCut
		}
	case RecordResolved:
		s.Phase = Resolved
	case RecordLateAnswer:
		s.HostApproved = s.HostApproved || r.Approves
	case RecordHeld:
		s.Held = s.Phase == Doubted
	case RecordReleased:
		s.Held = false
	case RecordStray, RecordCommand:
	}
	// What is settled, or stuck, is held by nobody.
	s.Held = s.Held && s.Phase == Doubted
	return s
}

// Fold is the state that records add up to.
func Fold(records []Record) State {
	var s State
	for _, r := range records {
		s = Apply(s, r)
	}
	return s
}
