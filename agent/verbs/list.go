package verbs

import (
	"context"
	"strconv"
	"strings"
	"time"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/agent/typeset"
	"reversald/iso"
)

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
		s.put("%s\n", typeset.Cut(Clean(s.f("%d  %s %s  %s  %s  %s", p.ID, p.Terminal, p.STAN,
			iso.Money(p.Amount, p.Currency), p.Card, s.cause(p.Code, p.Cause))), s.width()))
	}
	s.tell(2, "send one again with: %s", s.command("replay ID"))
}

func openVerb() *Verb {
	return &Verb{
		Name: "open", Short: "payments that are not closed yet",
		Run: func(ctx context.Context, s *Session, in Input) error {
			if err := in.noArgs(s); err != nil {
				return err
			}
			open, err := s.Client.Payments(ctx, "")
			if err != nil {
				return err
			}
			if s.JSON {
				return s.json(open)
			}
			if len(open) == 0 {
				s.say("nothing is open\n")
			}
			for _, p := range open {
				s.put("%s\n", s.openLine(&p))
			}
			return nil
		},
	}
}

// openLine is one open payment in one line.
func (s *Session) openLine(p *agent.Payment) string {
	next := ""
	if p.NextIn != nil {
		next = span(time.Duration(*p.NextIn))
	}
	return typeset.Cut(strings.Join([]string{
		typeset.Pad(strconv.FormatUint(p.ID, 10), 5), s.clock(p.Since, "01-02 15:04"),
		typeset.Pad(Clean(p.Terminal), 8), typeset.Pad(Clean(p.STAN), 6),
		typeset.PadLeft(iso.Money(p.Amount, Clean(p.Currency)), 12),
		typeset.PadLeft("x"+strconv.Itoa(p.Attempts), 4), typeset.PadLeft(next, 6), s.phaseShort(p),
	}, " "), s.width())
}

// phaseShort is the state of an open payment in a list.
func (s *Session) phaseShort(p *agent.Payment) string {
	switch {
	case p.Held:
		return s.Tr("HELD by a person")
	case p.Phase == "stuck":
		return s.Tr("STUCK")
	case p.Overdue:
		return s.Tr("OVERDUE")
	case p.Phase == "asked":
		return s.Tr("asked")
	case p.Phase == "approved":
		return s.Tr("approved")
	}
	return s.phaseWord(p.Phase)
}

func linkVerb() *Verb {
	return &Verb{
		Name: "link", Short: "the line to the host, and when it was last heard",
		Run: func(ctx context.Context, s *Session, in Input) error {
			if err := in.noArgs(s); err != nil {
				return err
			}
			st, err := s.Client.Status(ctx)
			if err != nil {
				return err
			}
			if s.JSON {
				return s.json(linkJSON(st))
			}
			s.link(st)
			return nil
		},
	}
}

// Link is the answer of link --json. Its keys are stable.
type Link struct {
	V        int       `json:"v"`
	State    string    `json:"state"`
	Host     string    `json:"host,omitempty"`
	Since    time.Time `json:"since"`
	Note     string    `json:"note,omitempty"`
	HeardAgo *float64  `json:"heard_ago_seconds,omitempty"`
	Owed     int       `json:"owed"`
}

func linkJSON(st api.Status) Link {
	l := Link{
		V: schemaVersion, State: st.Link, Host: st.Host, Since: st.LinkSince, Note: st.LinkNote,
		Owed: st.Owed,
	}
	if st.HeardAgo != nil {
		ago := time.Duration(*st.HeardAgo).Seconds()
		l.HeardAgo = &ago
	}
	return l
}

func (s *Session) link(st api.Status) {
	if st.Host == "" {
		s.tell(2, "%s", s.linkDown(st))
	} else {
		s.tell(2, "The line to %s is %s, since %s.", st.Host, s.linkWord(st.Link),
			s.clock(st.LinkSince, "01-02 15:04:05"))
	}
	s.tell(2, "%s", s.heard(st))
	if st.Owed > 0 {
		s.tell(2, "%d reversals are owed; they leave as soon as the line takes them.", st.Owed)
	}
	if len(st.Hosts) > 0 { // the daemon's own: the configuration here may be of another
		s.tell(2, "Its addresses, tried in turn: %s", strings.Join(st.Hosts, ", "))
	}
}

func (s *Session) heard(st api.Status) string {
	if st.HeardAgo == nil {
		return s.f("The host was not heard since the start.")
	}
	return s.f("The host was last heard %s ago.", span(time.Duration(*st.HeardAgo)))
}

// linkWord is the state of the line in words.
func (s *Session) linkWord(state string) string {
	switch state {
	case "up":
		return s.Tr("up")
	case "down":
		return s.Tr("down")
	case "dialling":
		return s.Tr("dialling")
	case "signing on":
		return s.Tr("signing on")
	case "draining":
		return s.Tr("draining")
	}
	return Clean(state)
}

func readyVerb() *Verb {
	return &Verb{
		Name: "ready-to-remove", Short: "is nothing owed, so that the device may be swapped?",
		Long: "" +
			"ready-to-remove ends with exit code 0 when no payment is open on this terminal,\n" +
			"and with 1 when one is: then the device must stay, or its journal goes along.",
		Run: func(ctx context.Context, s *Session, in Input) error {
			if err := in.noArgs(s); err != nil {
				return err
			}
			open, err := s.Client.Payments(ctx, "")
			if err != nil {
				return err
			}
			st, err := s.Client.Status(ctx)
			if err != nil {
				return err
			}
			return s.ready(open, st)
		},
	}
}

// Ready is the answer of ready-to-remove --json. Its keys are stable.
type Ready struct {
	V       int             `json:"v"`
	Ready   bool            `json:"ready"`
	Open    []agent.Payment `json:"open"`
	Waiting int             `json:"waiting"`
}

func (s *Session) ready(open []agent.Payment, st api.Status) error {
	ready := len(open) == 0 && st.Waiting == 0
	switch {
	case s.JSON:
		if err := s.json(Ready{schemaVersion, ready, open, st.Waiting}); err != nil {
			return err
		}
	case ready:
		s.tell(2, "READY: nothing is owed. Stop the till first, then reversald, then take it away.")
	default:
		s.tell(2, "NOT READY: %d payments are open, %d wait to go out.", len(open), st.Waiting)
		for _, p := range open {
			s.put("%s\n", s.openLine(&p))
		}
		s.tell(2, "Why one is: %s", s.command("why ID"))
	}
	if !ready {
		return Outcome{1}
	}
	return nil
}

func supportVerb() *Verb {
	return &Verb{
		Name: "support", Short: "who helps, and what to do first", Local: true,
		Run: func(_ context.Context, s *Session, in Input) error {
			if err := in.noArgs(s); err != nil {
				return err
			}
			if s.Config == nil {
				return s.wrong("the configuration says who helps, and there is none here")
			}
			if s.JSON {
				return s.json(supportJSON(s.Config.Support))
			}
			s.support(s.Config.Support)
			return nil
		},
	}
}

// Support is the answer of support --json. Its keys are stable.
type Support struct {
	V     int      `json:"v"`
	Name  string   `json:"name,omitempty"`
	Phone string   `json:"phone,omitempty"`
	Email string   `json:"email,omitempty"`
	Steps []string `json:"steps"`
}

func supportJSON(c agent.Support) Support {
	return Support{schemaVersion, c.Name, c.Phone, c.Email, append([]string{}, c.Steps...)}
}

func (s *Session) support(c agent.Support) {
	if c.Name == "" && c.Phone == "" && c.Email == "" && len(c.Steps) == 0 {
		s.tell(2, "The configuration names nobody: set support.name, .phone, .email and .steps.")
		return
	}
	for i, step := range c.Steps {
		s.tell(4, "%2d. %s", i+1, step)
	}
	if c.Name != "" || c.Phone != "" || c.Email != "" {
		s.tell(2, "Call: %s", strings.Join(strings.Fields(c.Name+" "+c.Phone+" "+c.Email), " "))
	}
	s.tell(2, "Have ready: %s", s.command("doctor"))
}
