package verbs

import (
	"context"
	"time"

	"reversald/agent"
)

func showVerb() *Verb {
	return &Verb{
		Name: "show", Args: "ID", Short: "everything on file about one payment", IDs: true,
		Run: func(ctx context.Context, s *Session, in Input) error {
			id, err := in.oneID(s)
			if err != nil {
				return err
			}
			story, err := s.Client.Payment(ctx, id)
			if err != nil {
				return err
			}
			if s.JSON {
				return s.json(story)
			}
			for _, l := range story.Entries {
				if err := s.line(l); err != nil {
					return err
				}
			}
			s.next(story.Payment)
			return nil
		},
	}
}

// next says what happens next to a payment.
func (s *Session) next(p *agent.Payment) {
	switch {
	case p == nil:
	case p.Phase == "stuck":
		s.say("next: a person must decide (%s); reversald replay %d --by NAME sends it again\n",
			p.Cause, p.ID)
	case p.Phase == "doubted" && p.NextIn != nil:
		s.say("next: the reversal is sent, or its answer due, in %s; "+
			"nobody needs to do anything\n", time.Duration(*p.NextIn).Round(time.Second))
	case p.Phase == "doubted":
		s.say("next: the reversal is sent when the line is back; nobody needs to do anything\n")
	case p.Phase == "asked":
		s.say("next: the host's answer, or the reversal by itself\n")
	}
}
