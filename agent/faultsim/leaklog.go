package faultsim

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
)

// leakLog is where the agent's log goes: it keeps nothing but the first line with card data in it.
type leakLog struct {
	leak  string
	attrs []slog.Attr
	buf   bytes.Buffer
}

// Enabled implements slog.Handler.
func (l *leakLog) Enabled(context.Context, slog.Level) bool { return l.leak == "" }

// Handle implements slog.Handler.
func (l *leakLog) Handle(_ context.Context, r slog.Record) error {
	l.buf.Reset()
	l.buf.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		l.buf.WriteByte(' ')
		l.buf.WriteString(a.Value.String())
		return true
	})
	line := l.buf.String()
	for _, s := range secrets {
		if strings.Contains(line, s) {
			l.leak = line
		}
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (l *leakLog) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements slog.Handler.
func (l *leakLog) WithGroup(string) slog.Handler { return l }
