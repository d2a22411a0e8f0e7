package verbs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/agent/typeset"
)

// Client is what verbs need of the agent. An [api.Client] is one.
type Client interface {
	Status(ctx context.Context) (api.Status, error)
	Payments(ctx context.Context, state string) ([]agent.Payment, error)
	Payment(ctx context.Context, id uint64) (api.Story, error)
	Journal(ctx context.Context, query string, each func(agent.Line) error) error
	Lines(ctx context.Context, query string, each func(lines []byte) error) error
	Frames(ctx context.Context, id uint64) ([]agent.Frame, error)
	Evidence(ctx context.Context, id uint64, by string) (agent.Bundle, error)

	Replay(ctx context.Context, id uint64, by, why string) (agent.Payment, error)
	Hold(ctx context.Context, id uint64, by, why string) (agent.Payment, error)
	Release(ctx context.Context, id uint64, by, why string) (agent.Payment, error)
	Resolve(ctx context.Context, id uint64, by, why string) (agent.Payment, error)
}

// A screen that nobody has measured.
const (
	widthDefault  = 80
	heightDefault = 24
)

// Session is somebody who says verbs: where their answers go, and how they are read.
type Session struct {
	Out    io.Writer
	Lang   Lang
	Width  int  // columns; 0 is 80
	Height int  // lines; 0 is 24
	Color  bool // ANSI colours may be used
	JSON   bool // for a program: JSON, one object a line, never translated
	// Console: verbs are said as they are, without the program's name in front.
	Console bool
	Who     string // in whose name orders go on file
	Client  Client
	Config  *agent.Config    // of this device
	Zone    *time.Location   // nil: the device's
	Now     func() time.Time // nil: the device's clock
}

// Tr is a text of ours in the session's language. What has no translation stays English.
func (s *Session) Tr(text string) string { return s.Lang.Tr(text) }

// say prints a text of ours in the session's language. What is filled in is cleaned.
func (s *Session) say(format string, args ...any) {
	_, _ = io.WriteString(s.Out, fmt.Sprintf(s.Tr(format), cleaned(args)...))
}

// put prints what is the same in every language.
func (s *Session) put(format string, args ...any) {
	_, _ = fmt.Fprintf(s.Out, format, cleaned(args)...)
}

// tell is say, wrapped to the screen, every line after the first indented.
func (s *Session) tell(indent int, format string, args ...any) {
	text := fmt.Sprintf(s.Tr(format), cleaned(args)...)
	_, _ = io.WriteString(s.Out, typeset.Wrap(text, s.width(), indent)+"\n")
}

// json prints one object in a line, with nothing in it that a screen would obey.
func (s *Session) json(v any) error {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		return err
	}
	_, err := s.Out.Write(cleanJSON(b.Bytes()))
	return err
}

func (s *Session) width() int {
	if s.Width <= 0 {
		return widthDefault
	}
	return s.Width
}

func (s *Session) height() int {
	if s.Height <= 0 {
		return heightDefault
	}
	return s.Height
}

func (s *Session) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// clock is a time as people at the terminal read it.
func (s *Session) clock(t time.Time, layout string) string {
	if s.Zone != nil {
		return t.In(s.Zone).Format(layout)
	}
	return t.Local().Format(layout)
}
