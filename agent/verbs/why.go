package verbs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"reversald/agent"
	"reversald/agent/doors/api"
)

func whyVerb() *Verb {
	return &Verb{
		Name: "why", Args: "ID", Short: "why is it not reversed yet?", IDs: true,
		Run: func(ctx context.Context, s *Session, in Input) error {
			id, err := in.oneID(s)
			if err != nil {
				return err
			}
			story, err := s.Client.Payment(ctx, id)
			if err != nil {
				return err
			}
			status, err := s.Client.Status(ctx)
			if err != nil {
				return err
			}
			if s.JSON {
				return s.whyJSON(id, story, status)
			}
			s.why(id, story, status)
			return nil
		},
	}
}

// Why is the answer of why --json. Its keys are stable, and its sentences English.
type Why struct {
	V        int      `json:"v"`
	ID       uint64   `json:"id"`
	Phase    string   `json:"phase,omitempty"` // empty: long closed
	Held     bool     `json:"held,omitempty"`
	Attempts int      `json:"attempts"`
	NextIn   *float64 `json:"next_in_seconds,omitempty"`
	Why      []string `json:"why"`
	Todo     []string `json:"todo"`
}

func (s *Session) whyJSON(id uint64, story api.Story, status api.Status) error {
	plain := *s
	plain.Lang = English
	out := Why{V: schemaVersion, ID: id, Why: []string{}, Todo: []string{}}
	if p := paymentOf(story); p != nil {
		out.Phase, out.Held, out.Attempts = p.Phase, p.Held, p.Attempts
		out.Why = append(out.Why, plain.whyNot(p, status, story.Entries)...)
		out.Todo = append(out.Todo, plain.todo(p)...)
		if p.NextIn != nil {
			seconds := time.Duration(*p.NextIn).Seconds()
			out.NextIn = &seconds
		}
	}
	return s.json(out)
}

func (s *Session) why(id uint64, story api.Story, status api.Status) {
	p := paymentOf(story)
	if p == nil {
		s.tell(2, "payment %d was closed long ago: %s tells how", id, s.command("show %d", id))
		return
	}
	s.tell(2, "payment %d: %s", id, s.phase(p))
	for _, line := range s.whyNot(p, status, story.Entries) {
		s.tell(2, "- %s", line)
	}
	s.todos(p)
}

// todos prints what a person can do.
func (s *Session) todos(p *agent.Payment) {
	for _, line := range s.todo(p) {
		s.tell(2, "> %s", line)
	}
}

// whyNot says why a payment is not reversed yet, each cause in a sentence, and when that changes.
func (s *Session) whyNot(p *agent.Payment, st api.Status, story []agent.Line) []string {
	switch p.Phase {
	case "doubted":
		return s.whyOwed(p, st, story)
	case "stuck":
		return append(s.tried(p, story), s.f("It is stuck: %s.", s.cause(p.Code, p.Cause)))
	case "asked":
		return []string{s.f("The host has not answered yet. When its time is up, it is reversed.")}
	case "approved":
		return []string{s.f("The host approved. When the app does not finish it, it is reversed.")}
	case "confirmed":
		return []string{s.f("It is a good sale: the host approved and the app has the answer.")}
	case "declined":
		return []string{s.f("The host declined: nothing was charged, nothing is owed.")}
	case "unsent":
		return []string{s.f("Nothing left this terminal: nothing is owed.")}
	case "reversed":
		return []string{s.f("It is reversed: the host answered %s.", s.code(p.Code))}
	case "resolved":
		return []string{s.f("A person closed it by hand.")}
	}
	return nil
}

// whyOwed is for a reversal that is owed.
func (s *Session) whyOwed(p *agent.Payment, st api.Status, story []agent.Line) []string {
	why := []string{s.f("In doubt since %s: %s.", s.clock(doubtedAt(p, story), "01-02 15:04:05"),
		s.reason(p.Reason))}
	why = append(why, s.tried(p, story)...)
	if p.Held {
		if l := newest(story, "held"); l != nil {
			why = append(why, s.f("%s stopped the attempts at %s: %s", l.By,
				s.clock(l.Time, "01-02 15:04:05"), l.Why))
		}
		if !p.InFlight {
			return append(why, s.f("Nothing is sent until somebody releases it. It is still owed."))
		}
	}
	left := ""
	if p.NextIn != nil {
		left = span(time.Duration(*p.NextIn))
	}
	switch {
	case p.InFlight:
		why = append(why, s.f("Reversal %d is on its way: the host has %s left to answer.",
			p.Attempts, left))
	case st.Host == "":
		why = append(why, s.linkDown(st), s.f("It leaves at once when the line is back."))
	case p.Ahead > 0:
		why = append(why, s.f("It waits its turn behind %d others of this terminal.", p.Ahead))
	case st.Link != "up":
		why = append(why, s.f("The line is not ready yet: %s.", st.Link))
	default:
		why = append(why, s.f("The next try is in %s, at %s.", left,
			s.clock(s.now().Add(spanOf(p)), "15:04:05")))
	}
	return why
}

func spanOf(p *agent.Payment) time.Duration {
	if p.NextIn == nil {
		return 0
	}
	return time.Duration(*p.NextIn)
}

// linkDown says since when and why there is no line.
func (s *Session) linkDown(st api.Status) string {
	note := st.LinkNote
	if note == "" {
		note = s.Tr("no line yet")
	}
	if st.LinkSince.IsZero() {
		return s.f("The line to the host is down since the start: %s.", note)
	}
	return s.f("The line to the host is down since %s: %s.",
		s.clock(st.LinkSince, "01-02 15:04:05"), note)
}

// doubtedAt is when the newest doubt was raised.
func doubtedAt(p *agent.Payment, story []agent.Line) time.Time {
	if l := newest(story, "doubted"); l != nil {
		return l.Time
	}
	return p.Since
}

func newest(story []agent.Line, kind string) *agent.Line {
	for i := len(story) - 1; i >= 0; i-- {
		if story[i].Kind == kind {
			return &story[i]
		}
	}
	return nil
}

// tried says how often a reversal was sent since the newest doubt, and what came of it.
func (s *Session) tried(p *agent.Payment, story []agent.Line) []string {
	var order []string
	codes := map[string]int{}
	sent := 0
	for _, l := range story {
		switch l.Kind {
		case "doubted":
			sent, order, codes = 0, nil, map[string]int{}
		case "reversal sent":
			sent++
		case "reversal unsent":
			sent = max(0, sent-1)
		case "reversal answered", "stuck":
			if l.Code != "" {
				if codes[l.Code] == 0 {
					order = append(order, l.Code)
				}
				codes[l.Code]++
			}
		}
	}
	if sent == 0 {
		return []string{s.f("No reversal was sent yet.")}
	}
	out := []string{s.f("A reversal was sent %s.", s.times(sent))}
	answered := 0
	for _, code := range order {
		answered += codes[code]
		out = append(out, s.f("The host answered %s %s.", s.code(code), s.times(codes[code])))
	}
	if answered == 0 && (!p.InFlight || sent > 1) {
		out = append(out, s.f("The host has answered none of them."))
	}
	return out
}

func (s *Session) times(n int) string {
	switch n {
	case 1:
		return s.Tr("once")
	case 2:
		return s.Tr("twice")
	}
	return s.f("%d times", n)
}

// span is a time span in whole seconds: "2m", "1m30s".
func span(d time.Duration) string {
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		return strings.TrimSuffix(text, "0s")
	}
	return text
}

// todo is what a person can do about a payment.
func (s *Session) todo(p *agent.Payment) []string {
	switch {
	case p.Held:
		return []string{s.f("Let it go on: %s", s.command("release %d", p.ID))}
	case p.Phase == "stuck" && p.Cause == causeDamaged:
		return []string{
			s.f("Ask the acquirer what became of this sale: it can not be reversed from here."),
			s.f("Then close it: %s", s.command("resolve %d --reason TEXT", p.ID)),
		}
	case p.Phase == "stuck":
		return []string{
			s.f("Ask the acquirer why it refuses, and give them: %s",
				s.command("evidence %d", p.ID)),
			s.f("Once they have mended it: %s", s.command("replay %d", p.ID)),
			s.f("If they have undone it by hand: %s", s.command("resolve %d --reason TEXT", p.ID)),
		}
	case p.Phase == "doubted":
		return []string{s.f("Nobody needs to do anything: it is sent until the host answers.")}
	}
	return nil
}

// command is what somebody types here to have something done.
func (s *Session) command(format string, args ...any) string {
	words := fmt.Sprintf(format, args...)
	if s.Console {
		return words
	}
	return "reversald " + words
}
