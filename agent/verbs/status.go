package verbs

import (
	"context"
	"fmt"
	"strings"

	"reversald/agent"
	"reversald/agent/doors/api"
)

func statusVerb() *Verb {
	return &Verb{
		Name: "status", Short: "is the line up, and is anything owed?",
		Run: func(ctx context.Context, s *Session, in Input) error {
			if err := in.noArgs(s); err != nil {
				return err
			}
			status, err := s.Client.Status(ctx)
			if err != nil {
				return err
			}
			if s.JSON {
				return s.json(status)
			}
			s.status(status)
			return nil
		},
	}
}

func (s *Session) status(st api.Status) {
	link := st.Link
	if st.Host != "" {
		link += " to " + st.Host
	}
	if st.LinkNote != "" {
		link += " (" + st.LinkNote + ")"
	}
	s.say("link      %s\n", link)
	s.say("owed      %d reversals being sent, %d of them overdue\n", st.Owed, st.Overdue)
	s.say("stuck     %d payments need a person\n", st.Stuck)
	s.say("open      %d payments, %d waiting to go out\n", st.Open, st.Waiting)
	s.say("journal   %s, %d entries, %s\n", st.Journal, st.Entries, s.journalHealth(st))
	s.say("apps      %s, profile %s\n", st.Listen, st.Profile)
	s.say("running   %s, pid %d, since %s\n", st.Version, st.PID, st.Started)
	if len(st.Overrides) > 0 {
		s.say("WEAKENED  %s\n", strings.Join(st.Overrides, ", "))
	}
}

// journalHealth is what start and background check made of the journal.
func (s *Session) journalHealth(st api.Status) string {
	text := s.Tr("not checked to the end yet")
	switch {
	case st.Faults > 0:
		text = fmt.Sprintf(s.Tr("%d FAULTS, see the log; the next start mends what it can"),
			st.Faults)
	case st.Checked > 0:
		text = fmt.Sprintf(s.Tr("%d checked, sound"), st.Checked)
	}
	if st.Rebuilt != "" {
		text += fmt.Sprintf(s.Tr("; copied at start: %s"), st.Rebuilt)
	}
	if st.Damaged > 0 {
		text += fmt.Sprintf(s.Tr("; %d payments damaged in both files"), st.Damaged)
	}
	return text
}

func stuckVerb() *Verb {
	return &Verb{
		Name: "stuck", Short: "payments that need a person (exit 1 if there are any)",
		Run: func(ctx context.Context, s *Session, in Input) error {
			if err := in.noArgs(s); err != nil {
				return err
			}
			stuck, err := s.Client.Payments(ctx, "stuck")
			if err != nil {
				return err
			}
			if s.JSON {
				err = s.json(stuck)
			} else {
				s.stuck(stuck)
			}
			if err == nil && len(stuck) > 0 {
				return Outcome{1}
			}
			return err
		},
	}
}

func (s *Session) stuck(stuck []agent.Payment) {
	if len(stuck) == 0 {
		s.say("nothing is stuck\n")
		return
	}
	for _, p := range stuck {
		s.put("%d  %s %s  %s  %s  %s\n", p.ID, p.Terminal, p.STAN, money(p.Amount, p.Currency),
			p.Card, p.Cause)
	}
	s.say("send one again with: reversald replay ID --by NAME\n")
}
