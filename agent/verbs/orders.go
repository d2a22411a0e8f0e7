package verbs

import (
	"context"
	"errors"

	"reversald/agent"
	"reversald/agent/doors/api"
)

// reasonFlag goes on file with every order.
func reasonFlag() Flag { return Flag{Name: "reason", Kind: Text, Doc: "why; it goes on file"} }

func replayVerb() *Verb {
	return &Verb{
		Name: "replay", Args: "ID|all", Short: "send a stuck reversal again, now",
		Long: "" +
			"replay sends the reversal of a payment again, now: of a stuck one, or of one\n" +
			"that waits for its next try. all is every stuck one.",
		Order: true, IDs: true, Flags: []Flag{reasonFlag()},
		Run: func(ctx context.Context, s *Session, in Input) error {
			if len(in.Args) == 1 && in.Args[0] == "all" {
				return s.replayAll(ctx, in.Text("reason"))
			}
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
			s.tell(2, "payment %d is being reversed again; %s tells how it went", p.ID,
				s.command("show %d", p.ID))
			return nil
		},
	}
}

// replayAll sends every stuck reversal again. What the agent refuses is said, and the rest goes on.
func (s *Session) replayAll(ctx context.Context, why string) error {
	stuck, err := s.Client.Payments(ctx, "stuck")
	if err != nil {
		return err
	}
	var refused []error
	done := []agent.Payment{}
	for _, p := range stuck {
		again, err := s.Client.Replay(ctx, p.ID, s.Who, why)
		switch {
		case errors.Is(err, api.ErrRefused):
			refused = append(refused, err)
		case err != nil:
			return err
		default:
			done = append(done, again)
		}
	}
	if s.JSON {
		err = s.json(done)
	} else {
		s.say("%d payments are being reversed again\n", len(done))
	}
	return errors.Join(append(refused, err)...)
}

func holdVerb() *Verb {
	return orderVerb("hold", "stop our attempts at one reversal; it stays owed",
		"hold stops sending the reversal of one payment, until release. It closes\n"+
			"nothing: the payment stays owed, counted and shown, also after a restart. New\n"+
			"sales do not wait for it.", true,
		func(c Client) orderFunc { return c.Hold },
		func(s *Session, p agent.Payment) {
			s.tell(2, "payment %d is held: nothing is sent, and it is still owed; %s lets it go on",
				p.ID, s.command("release %d", p.ID))
		})
}

func releaseVerb() *Verb {
	return orderVerb("release", "let the attempts at a held reversal go on", "", false,
		func(c Client) orderFunc { return c.Release },
		func(s *Session, p agent.Payment) {
			s.tell(2, "payment %d is released; %s tells how it goes", p.ID,
				s.command("show %d", p.ID))
		})
}

func resolveVerb() *Verb {
	return orderVerb("resolve", "close a stuck payment by hand, with a reason",
		"resolve closes a stuck payment: nothing of it is sent any more. Do it when the\n"+
			"acquirer has said that no debit is left. Name and reason go on file.", true,
		func(c Client) orderFunc { return c.Resolve },
		func(s *Session, p agent.Payment) {
			s.tell(2, "payment %d is closed by %s", p.ID, s.Who)
		})
}

// orderFunc is an order of the agent's about one payment.
type orderFunc = func(ctx context.Context, id uint64, by, why string) (agent.Payment, error)

// orderVerb is a verb that orders something about one payment, in somebody's name.
func orderVerb(name, short, long string, needsReason bool, act func(Client) orderFunc,
	tell func(*Session, agent.Payment),
) *Verb {
	return &Verb{
		Name: name, Args: "ID", Short: short, Long: long, Order: true, IDs: true,
		Flags: []Flag{reasonFlag()},
		Run: func(ctx context.Context, s *Session, in Input) error {
			id, err := in.oneID(s)
			if err != nil {
				return err
			}
			why := in.Text("reason")
			if needsReason && why == "" {
				return s.wrong("say why, with --reason: it goes on file")
			}
			p, err := act(s.Client)(ctx, id, s.Who, why)
			if err != nil {
				return err
			}
			if s.JSON {
				return s.json(p)
			}
			tell(s, p)
			return nil
		},
	}
}
