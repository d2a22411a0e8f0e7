package verbs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/agent/typeset"
	"reversald/iso"
)

func tailVerb() *Verb {
	return &Verb{
		Name: "tail", Short: "the newest journal entries; -f waits for more", Live: true,
		Long: "" +
			"tail prints journal entries, and with -f waits for more. Filters narrow it: an\n" +
			"entry is shown when all of them fit. Terminal, STAN and RRN are those of its\n" +
			"payment.\n\n" +
			"  reversald tail -f --state stuck,reversed\n" +
			"  reversald tail -n 1000 --stan 000123 --since 2h -o json\n" +
			"  reversald tail -n 5 --mti 0400 -o hex",
		Flags: []Flag{
			{
				Name: "follow", Letter: "f", Kind: Switch, Default: "false",
				Doc: "wait for more entries",
			},
			{
				Name: "lines", Letter: "n", Kind: Number, Default: "20",
				Doc: "how many entries to begin with",
			},
			{
				Name: "output", Letter: "o", Kind: Text, Default: "text",
				OneOf: []string{"text", "json", "hex"},
				Doc:   "text, json (one object a line, with v), or hex (masked messages)",
			},
			{Name: "state", Kind: Text, Doc: "kinds of entries: asked,stuck,...; or open"},
			{Name: "terminal", Kind: Text, Doc: "of this terminal (DE 41)"},
			{Name: "stan", Kind: Text, Doc: "with this trace number (DE 11)"},
			{Name: "rrn", Kind: Text, Doc: "with this reference (DE 37)"},
			{Name: "mti", Kind: Text, Doc: "with this message type: 0200; 0400 is any reversal"},
			{Name: "code", Kind: Text, Doc: "with this response code (DE 39)"},
			{Name: "since", Kind: Text, Doc: "not before: 10m, 2026-03-01 or 2026-03-01T09:30"},
			{Name: "until", Kind: Text, Doc: "not after"},
		},
		Run: runTail,
	}
}

// Entry is one journal entry as tail --json prints it. Its keys are stable.
type Entry struct {
	V int `json:"v"`
	agent.Line
}

func runTail(ctx context.Context, s *Session, in Input) error {
	if err := in.noArgs(s); err != nil {
		return err
	}
	out := in.Text("output")
	switch out {
	case "text", "json", "hex":
	default:
		return s.wrong("--output is text, json or hex, not %q", out)
	}
	if s.JSON {
		out = "json"
	}
	want, err := s.filter(in)
	if err != nil {
		return err
	}
	t := newTailing(ctx, s)
	t.out, t.want, t.follow = out, want, in.On("follow")
	err = t.run(in.Number("lines"))
	if err != nil || !t.follow || ctx.Err() != nil { // whoever stopped it has seen enough
		return err
	}
	return fmt.Errorf("%w: it has ended", api.ErrAway) // or there would be more
}

// tailing is one tail at work. What comes at once is printed with one write: whoever watches takes
// its share of the processor from the payments.
type tailing struct {
	s      *Session        // prints into text
	ctx    context.Context //nolint:containedctx // lives as long as one call of run
	to     io.Writer
	text   bytes.Buffer
	out    string
	want   filter
	follow bool
}

func newTailing(ctx context.Context, s *Session) *tailing {
	t := &tailing{ctx: ctx, to: s.Out}
	own := *s
	own.Out = &t.text
	t.s = &own
	return t
}

// flush prints what there is. A closed pipe ends whoever prints.
func (t *tailing) flush() error {
	defer t.text.Reset()
	if t.text.Len() == 0 {
		return nil
	}
	_, err := t.to.Write(t.text.Bytes())
	return err
}

// run prints the newest entries, and what comes. Without a filter the agent counts them; with one
// all of the journal is looked at, and only as many as are wanted are kept.
func (t *tailing) run(lines uint64) error {
	if t.want.none() {
		return t.each(fmt.Sprintf("last=%d&follow=%t", lines, t.follow), t.print)
	}
	kept := make([]agent.Line, 0, min(lines, keptMax))
	next := uint64(1)
	err := t.s.Client.Journal(t.ctx, "from=1", func(l agent.Line) error {
		next = l.Seq + 1
		fits, err := t.fits(l)
		if err != nil || !fits || lines == 0 {
			return err
		}
		if uint64(len(kept)) == min(lines, keptMax) {
			kept = append(kept[:0], kept[1:]...)
		}
		kept = append(kept, l)
		return nil
	})
	if err != nil {
		return err
	}
	for _, l := range kept {
		if err := errors.Join(t.print(l), t.flush()); err != nil {
			return err
		}
	}
	if !t.follow {
		return nil
	}
	return t.each(fmt.Sprintf("from=%d&follow=true", next),
		func(l agent.Line) error {
			if fits, err := t.fits(l); err != nil || !fits {
				return err
			}
			return t.print(l)
		})
}

// each has the entries asked for printed, as they come. On a console each is a write of its own:
// the cable is slow, and whoever has seen enough must not wait for more of it.
func (t *tailing) each(query string, printed func(agent.Line) error) error {
	forward := t.out == "json" && t.want.none()
	return t.s.Client.Lines(t.ctx, query, func(lines []byte) error {
		for len(lines) > 0 {
			var line []byte
			line, lines = cutLine(lines)
			if forward {
				t.forward(line)
				continue
			}
			var l agent.Line
			if err := json.Unmarshal(line, &l); err != nil {
				return fmt.Errorf("%w: %w", api.ErrAway, err)
			}
			if err := printed(l); err != nil {
				return err
			}
			if !t.s.Console {
				continue
			}
			if err := t.flush(); err != nil {
				return err
			}
		}
		return t.flush()
	})
}

// cutLine takes the first line off a text, with its end.
func cutLine(text []byte) (line, rest []byte) {
	end := bytes.IndexByte(text, '\n') + 1
	if end == 0 {
		end = len(text)
	}
	return text[:end], text[end:]
}

// forward prints the JSON of an Entry whose Line has come as JSON.
func (t *tailing) forward(line []byte) {
	if !plain(line) {
		line = cleanJSON(line)
	}
	fmt.Fprintf(&t.text, `{"v":%d,`, schemaVersion)
	t.text.Write(bytes.TrimPrefix(line, []byte{'{'}))
}

// plain holds for a line in which there is nothing to clean, as nearly all are.
func plain(line []byte) bool {
	for _, c := range bytes.TrimSuffix(line, []byte{'\n'}) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// keptMax bounds what a filtered tail holds in memory before it prints.
const keptMax = 10_000

func (t *tailing) fits(l agent.Line) (bool, error) {
	return t.want.fits(t.ctx, t.s, l)
}

func (t *tailing) print(l agent.Line) error {
	switch t.out {
	case "json":
		return t.s.json(Entry{schemaVersion, l})
	case "hex":
		return t.hex(l)
	}
	return t.s.line(l)
}

// hex prints an entry, and the message that left with it.
func (t *tailing) hex(l agent.Line) error {
	if err := t.s.line(l); err != nil || l.ID == 0 ||
		l.Kind != "asked" && l.Kind != "reversal sent" {
		return err
	}
	frames, err := t.s.Client.Frames(t.ctx, l.ID)
	if err != nil {
		return err
	}
	for _, f := range frames {
		switch {
		case f.Seq != l.Seq:
		case f.Problem != "":
			t.s.tell(2, "  it can not be built again: %s", f.Problem)
		default:
			t.s.hex(f.Hex, "        ")
		}
	}
	return nil
}

// line prints one entry, aligned, or as JSON. A closed pipe ends whoever prints.
func (s *Session) line(l agent.Line) error {
	_, err := fmt.Fprintf(s.Out, "%6d  %s  %5s  %s  %s\n", l.Seq,
		s.clock(l.Time, "2006-01-02 15:04:05.000"), number(l.ID), typeset.Pad(Clean(l.Kind), 17),
		Clean(details(l)))
	return err
}

func number(id uint64) string {
	if id == 0 {
		return "-"
	}
	return fmt.Sprintf("#%d", id)
}

// details is what an entry says besides its kind. It is not translated: people search for it.
func details(l agent.Line) string {
	whose, amount, attempt, reference, approval, missed := "", "", "", "", "", ""
	if l.Terminal != "" {
		whose = l.Terminal + " " + l.STAN
	}
	if l.Amount != 0 {
		amount = iso.Money(l.Amount, l.Currency)
	}
	if l.Attempt != 0 {
		attempt = strconv.Itoa(l.Attempt)
	}
	if l.Kept != nil {
		reference = l.Kept.RRN
	}
	if l.Approves {
		approval = "an approval"
	}
	if l.Missed != 0 {
		missed = strconv.Itoa(l.Missed)
	}
	var text strings.Builder
	for _, part := range [...][3]string{
		{"", whose},
		{"", l.MTI},
		{"", amount},
		{"", l.Card},
		{"", l.Reason},
		{"attempt ", attempt},
		{"to ", l.Host},
		{"code ", l.Code},
		{"RRN ", reference},
		{"", approval},
		{"by ", l.By},
		{"", l.Why},
		{"", l.What},
		{"(", missed, " before it came too fast to be written)"},
	} {
		if part[1] != "" {
			text.WriteString("  " + part[0] + part[1] + part[2])
		}
	}
	return strings.TrimPrefix(text.String(), "  ")
}
