package verbs

import "context"

func replayVerb() *Verb {
	return &Verb{
		Name: "replay", Args: "ID", Short: "send a stuck reversal again, now",
		Order: true, IDs: true,
		Flags: []Flag{{Name: "reason", Kind: Text, Doc: "why; it goes on file"}},
		Run: func(ctx context.Context, s *Session, in Input) error {
			id, err := in.oneID(s)
			if err != nil {
				return err
			}
			p, err := s.Client.Replay(ctx, id, s.Who, in.Text("reason"))
			if err != nil {
				return err
			}
			if s.JSON {
				return s.json(p)
			}
			s.say("payment %d is being reversed again; reversald show %d tells how it went\n",
				p.ID, p.ID)
			return nil
		},
	}
}
