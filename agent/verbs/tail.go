package verbs

import (
	"context"
	"fmt"
	"strings"

	"reversald/agent"
	"reversald/agent/doors/api"
)

func tailVerb() *Verb {
	return &Verb{
		Name: "tail", Short: "the newest journal entries; -f waits for more",
		Live: true,
		Flags: []Flag{
			{Name: "follow", Letter: "f", Kind: Switch, Default: "false", Doc: "wait for more entries"},
			{
				Name: "lines", Letter: "n", Kind: Number, Default: "20",
				Doc: "how many entries to begin with",
			},
		},
		Run: func(ctx context.Context, s *Session, in Input) error {
			if err := in.noArgs(s); err != nil {
				return err
			}
			follow := in.On("follow")
			query := fmt.Sprintf("last=%d&follow=%t", in.Number("lines"), follow)
			if err := s.Client.Journal(ctx, query, s.line); err != nil || !follow {
				return err
			}
			if ctx.Err() != nil {
				return nil // whoever watched has seen enough
			}
			return fmt.Errorf("%w: it has ended", api.ErrAway) // or there would be more
		},
	}
}

// line prints one entry, aligned, or as JSON.
func (s *Session) line(l agent.Line) error {
	if s.JSON {
		return s.json(l)
	}
	s.put("%6d  %s  %5s  %-17s  %s\n", l.Seq, s.clock(l.Time, "2006-01-02 15:04:05.000"),
		number(l.ID), l.Kind, details(l))
	return nil
}

func number(id uint64) string {
	if id == 0 {
		return "-"
	}
	return fmt.Sprintf("#%d", id)
}

// details is what an entry says besides its kind.
func details(l agent.Line) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if l.Terminal != "" {
		add("%s %s", l.Terminal, l.STAN)
	}
	if l.MTI != "" {
		add("%s", l.MTI)
	}
	if l.Amount != 0 {
		add("%s", money(l.Amount, l.Currency))
	}
	if l.Card != "" {
		add("%s", l.Card)
	}
	if l.Reason != "" {
		add("%s", l.Reason)
	}
	if l.Attempt != 0 {
		add("attempt %d", l.Attempt)
	}
	if l.Host != "" {
		add("to %s", l.Host)
	}
	if l.Code != "" {
		add("code %s", l.Code)
	}
	if l.Kept != nil && l.Kept.RRN != "" {
		add("RRN %s", l.Kept.RRN)
	}
	if l.Approves {
		add("an approval")
	}
	if l.By != "" {
		add("by %s", l.By)
	}
	if l.Why != "" {
		add("%s", l.Why)
	}
	return strings.Join(parts, "  ")
}
