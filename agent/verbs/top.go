package verbs

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/agent/typeset"
)

// topPause is how often top looks: twice a second is as live as a person reads, and on a line of
// 9600 baud the screen takes two seconds anyway.
const topPause = 500 * time.Millisecond

// topLines are how many of the newest entries top shows at most.
const topLines = 12

func topVerb() *Verb {
	return &Verb{
		Name: "top", Short: "what goes on, live, on one screen; Ctrl-C ends it", Live: true,
		Flags: []Flag{
			{Name: "once", Kind: Switch, Default: "false", Doc: "one screen, without clearing it"},
			{
				Name: "pause", Kind: Text, Default: topPause.String(),
				Doc: "how long one screen stands: 500ms, 5s",
			},
		},
		Run: func(ctx context.Context, s *Session, in Input) error {
			if err := in.noArgs(s); err != nil {
				return err
			}
			pause, err := time.ParseDuration(in.Text("pause"))
			if err != nil || pause < topPause/5 {
				return s.wrong("--pause is a time of 100ms or more, not %q", in.Text("pause"))
			}
			return s.top(ctx, in.On("once"), pause)
		},
	}
}

// The only sequences that top sends: they work on a VT100 and on everything since.
const (
	clearScreen = "\x1b[2J\x1b[H"
	homeCursor  = "\x1b[H"
	clearToEnd  = "\x1b[K"
	clearBelow  = "\x1b[J"
)

func (s *Session) top(ctx context.Context, once bool, pause time.Duration) error {
	first := true
	for {
		lines, err := s.topScreen(ctx)
		if err != nil {
			return err
		}
		if once {
			_, err := io.WriteString(s.Out, strings.Join(lines, "\n")+"\n")
			return err
		}
		begin := homeCursor
		if first {
			begin, first = clearScreen, false
		}
		// One write a screen, and no line end behind the last line: the screen must not roll.
		_, err = io.WriteString(s.Out,
			begin+strings.Join(lines, clearToEnd+"\r\n")+clearToEnd+clearBelow)
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			_, err := io.WriteString(s.Out, "\r\n")
			return err
		case <-time.After(pause):
		}
	}
}

// topScreen is one screen, at most as high and as wide as there is room.
func (s *Session) topScreen(ctx context.Context) ([]string, error) {
	st, err := s.Client.Status(ctx)
	if err != nil {
		return nil, err
	}
	open, err := s.Client.Payments(ctx, "")
	if err != nil {
		return nil, err
	}
	news := make([]agent.Line, 0, topLines)
	err = s.Client.Journal(ctx, "last="+strconv.Itoa(topLines), func(l agent.Line) error {
		news = append(news, l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	lines := s.topHead(st)
	room := s.height() - len(lines) - 3 // two headings, and a blank line
	forOpen := min(len(open), max(room-min(len(news), room/2), 0))
	lines = append(lines, s.bold(s.f("open: %d, oldest first", len(open))))
	for i := range forOpen {
		lines = append(lines, s.marked(&open[i]))
	}
	lines = append(lines, "", s.bold(s.Tr("newest entries")))
	for _, l := range news[max(0, len(news)-max(0, room-forOpen)):] {
		line := fmt.Sprintf("%6d %s %5s %s %s", l.Seq, s.clock(l.Time, "15:04:05"), number(l.ID),
			typeset.Pad(l.Kind, 17), details(l))
		lines = append(lines, typeset.Cut(Clean(line), s.width()))
	}
	return lines[:min(len(lines), s.height())], nil
}

func (s *Session) topHead(st api.Status) []string {
	link := s.linkWord(st.Link)
	if st.Host != "" {
		link = s.f("%s to %s", link, st.Host)
	}
	link = typeset.Cut(s.Tr("link")+" "+link+"  "+s.heard(st), s.width())
	if st.Link != "up" {
		link = s.red(link)
	}
	left := "reversald " + Clean(st.Version) + "  " + Clean(st.Profile)
	right := s.clock(s.now(), "2006-01-02 15:04:05")
	head := typeset.Pad(typeset.Cut(left, s.width()-len(right)-1), s.width()-len(right)) + right
	counts := s.f("owed %d  held %d  overdue %d  stuck %d  waiting %d  entries %d", st.Owed,
		st.Held, st.Overdue, st.Stuck, st.Waiting, st.Entries)
	counts = typeset.Cut(counts, s.width())
	if st.Stuck+st.Overdue > 0 {
		counts = s.red(counts)
	}
	return []string{head, link, counts}
}

// marked is an open payment, in red where it needs a person.
func (s *Session) marked(p *agent.Payment) string {
	line := s.openLine(p)
	if p.Phase == "stuck" || p.Overdue {
		return s.red(line)
	}
	return line
}

func (s *Session) red(text string) string   { return s.sgr("31;1", text) }
func (s *Session) bold(text string) string  { return s.sgr("1", text) }
func (s *Session) green(text string) string { return s.sgr("32", text) }

// sgr colours a text that is as wide as it will be.
func (s *Session) sgr(code, text string) string {
	if !s.Color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
