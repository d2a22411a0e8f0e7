package verbs

import (
	"context"
	"strings"

	"reversald/agent/doors/api"
	"reversald/agent/typeset"
)

// schemaVersion is that of every JSON object that verbs make. It goes up when a reader of the one
// before would be misled; keys are added without that.
const schemaVersion = 1

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

// labelColumns is where values begin behind their labels.
const labelColumns = 10

// row is a label and a value, wrapped behind the label.
func (s *Session) row(label, value string) {
	s.tell(labelColumns, "%s", typeset.Pad(s.Tr(label), labelColumns)+value)
}

func (s *Session) status(st api.Status) {
	link := s.linkWord(st.Link)
	if st.Host != "" {
		link = s.f("%s to %s", link, st.Host)
	}
	if st.LinkNote != "" {
		link += " (" + Clean(st.LinkNote) + ")"
	}
	s.row("link", link)
	owed := s.f("%d reversals being sent, %d of them overdue", st.Owed-st.Held, st.Overdue)
	if st.Held > 0 {
		owed += s.f("; %d more HELD by a person", st.Held)
	}
	s.row("owed", owed)
	s.row("stuck", s.f("%d payments need a person", st.Stuck))
	s.row("open", s.f("%d payments, %d waiting to go out", st.Open, st.Waiting))
	s.row("journal", s.f("%s, %d entries, %s", st.Journal, st.Entries, s.journalHealth(st)))
	s.row("apps", s.f("%s, profile %s", st.Listen, st.Profile))
	s.devices(st)
	s.row("running", s.f("%s, pid %d, since %s", st.Version, st.PID, st.Started))
	if len(st.Overrides) > 0 {
		s.row("WEAKENED", Clean(strings.Join(st.Overrides, ", ")))
	}
}

// journalHealth is what start and background check made of the journal.
func (s *Session) journalHealth(st api.Status) string {
	text := s.Tr("not checked to the end yet")
	switch {
	case st.Faults > 0:
		text = s.f("%d FAULTS, see the log; the next start mends what it can", st.Faults)
	case st.Checked > 0:
		text = s.f("%d checked, sound", st.Checked)
	}
	if st.Rebuilt != "" {
		text += s.f("; copied at start: %s", st.Rebuilt)
	}
	if st.Damaged > 0 {
		text += s.f("; %d payments damaged in both files", st.Damaged)
	}
	return text
}
