package verbs

import (
	"context"
	"strings"
	"time"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/agent/typeset"
	"reversald/iso"
)

func showVerb() *Verb {
	return &Verb{
		Name: "show", Args: "ID", Short: "the story of one payment, in plain sentences", IDs: true,
		Long: "show tells what was asked, what left the terminal, why it is in doubt, every\n" +
			"attempt at reversing it and its answer, and what happens next and when.",
		Flags: []Flag{
			{Name: "entries", Kind: Switch, Default: "false", Doc: "the journal's entries instead"},
			{
				Name: "hex", Kind: Switch, Default: "false",
				Doc: "its messages, masked, as hexadecimal",
			},
		},
		Run: func(ctx context.Context, s *Session, in Input) error {
			id, err := in.oneID(s)
			if err != nil {
				return err
			}
			if in.On("hex") {
				return s.showFrames(ctx, id)
			}
			story, err := s.Client.Payment(ctx, id)
			if err != nil {
				return err
			}
			if s.JSON {
				return s.json(story)
			}
			if in.On("entries") {
				for _, l := range story.Entries {
					if err := s.line(l); err != nil {
						return err
					}
				}
				return nil
			}
			status, err := s.Client.Status(ctx)
			if err != nil {
				return err
			}
			s.show(story, status)
			return nil
		},
	}
}

// runMin is how many attempts without an answer in between are told one by one.
const runMin = 3

// show tells one payment's story.
func (s *Session) show(story api.Story, status api.Status) {
	s.heading(story)
	day := ""
	for i := 0; i < len(story.Entries); i++ {
		l := story.Entries[i]
		if today := s.clock(l.Time, "2006-01-02"); today != day {
			day = today
			s.put("\n%s\n", day)
		}
		s.told(l.Time, s.sentence(l))
		if run := unanswered(story.Entries[i:]); run > runMin {
			last := story.Entries[i+run-1]
			s.told(last.Time, s.f("%d more attempts went unanswered until then.", run-1))
			i += run - 1
		}
	}
	if p := paymentOf(story); p != nil {
		s.put("\n")
		s.tell(0, "now: %s", s.phase(p))
		for _, line := range s.whyNot(p, status, story.Entries) {
			s.tell(2, "- %s", line)
		}
		s.todos(p)
	}
}

// unanswered is how many entries, from the first on, are attempts that nothing answered.
func unanswered(entries []agent.Line) int {
	n := 0
	for n < len(entries) && entries[n].Kind == "reversal sent" {
		n++
	}
	return n
}

// told is one sentence at its time.
func (s *Session) told(at time.Time, sentence string) {
	s.tell(10, "%s", s.clock(at, "15:04:05")+"  "+sentence)
}

// heading says which payment this is.
func (s *Session) heading(story api.Story) {
	if p := paymentOf(story); p != nil {
		s.tell(2, "payment %d: %s, card %s, terminal %s, trace number %s", p.ID,
			iso.Money(p.Amount, p.Currency), s.orNone(p.Card), p.Terminal, p.STAN)
		return
	}
	for _, l := range story.Entries {
		if l.Kind == "asked" {
			s.tell(2, "payment %d: %s, card %s, terminal %s, trace number %s", l.ID,
				iso.Money(l.Amount, l.Currency), s.orNone(l.Card), l.Terminal, l.STAN)
			return
		}
	}
}

func (s *Session) orNone(text string) string {
	if text == "" {
		return s.Tr("not known")
	}
	return text
}

// showFrames prints the messages of a payment, masked.
func (s *Session) showFrames(ctx context.Context, id uint64) error {
	frames, err := s.Client.Frames(ctx, id)
	if err != nil {
		return err
	}
	if s.JSON {
		return s.json(frames)
	}
	for _, f := range frames {
		s.frame(f)
	}
	return nil
}

// frame prints one message: its fields, and its bytes, half of those of the card as stars.
func (s *Session) frame(f agent.Frame) {
	what := s.Tr("reversal, built again from what is on file")
	if f.What == agent.FrameRequest {
		what = s.Tr("request, as far as its fields are on file")
	}
	s.tell(2, "entry %d: %s", f.Seq, what)
	if f.Problem != "" {
		s.tell(2, "  it can not be built again: %s", f.Problem)
		return
	}
	for _, field := range f.Fields {
		line := s.f("  %4d  %s: %s", field.Field, field.Name, field.Value)
		s.put("%s\n", typeset.Cut(line, s.width()))
	}
	s.hex(f.Hex, "  ")
}

// hex prints hexadecimal in groups of four digits, as many as fit a line.
func (s *Session) hex(digits, indent string) {
	const group = 4
	perLine := max(1, (s.width()-len(indent))/(group+1)) * group
	for at := 0; at < len(digits); at += perLine {
		line := digits[at:min(at+perLine, len(digits))]
		var groups []string
		for i := 0; i < len(line); i += group {
			groups = append(groups, line[i:min(i+group, len(line))])
		}
		s.put("%s%s\n", indent, strings.Join(groups, " "))
	}
}

// paymentOf is the payment as it stands; nil when what is on file of it does not tell.
func paymentOf(story api.Story) *agent.Payment {
	if story.Phase == "" || story.Phase == "damaged" {
		return nil
	}
	return &story.Payment.Payment
}
