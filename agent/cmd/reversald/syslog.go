package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"slices"
)

// rankedLine writes a line as text with its priority in front, <6>, as journald and syslog count,
// and without time: both have their own.
type rankedLine struct {
	to      io.Writer
	options *slog.HandlerOptions
	with    []func(slog.Handler) slog.Handler // attributes and groups given so far
}

func newRanked(w io.Writer, options *slog.HandlerOptions) slog.Handler {
	return rankedLine{to: w, options: options}
}

// Enabled implements slog.Handler.
func (r rankedLine) Enabled(_ context.Context, l slog.Level) bool {
	return l >= r.options.Level.Level()
}

// Handle implements slog.Handler.
func (r rankedLine) Handle(ctx context.Context, record slog.Record) error {
	var line bytes.Buffer
	line.WriteString("<" + string(rune(priority(record.Level))) + ">")
	var text slog.Handler = slog.NewTextHandler(&line, &slog.HandlerOptions{
		Level: r.options.Level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
				return slog.Attr{}
			}
			return a
		},
	})
	for _, with := range r.with {
		text = with(text)
	}
	if err := text.Handle(ctx, record); err != nil {
		return err
	}
	_, err := r.to.Write(line.Bytes())
	return err
}

// WithAttrs implements slog.Handler.
func (r rankedLine) WithAttrs(attrs []slog.Attr) slog.Handler {
	return r.and(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (r rankedLine) WithGroup(name string) slog.Handler {
	return r.and(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (r rankedLine) and(with func(slog.Handler) slog.Handler) slog.Handler {
	r.with = append(slices.Clip(r.with), with)
	return r
}

// priority is syslog's digit for a level.
func priority(l slog.Level) byte {
	switch {
	case l >= slog.LevelError:
		return '3'
	case l >= slog.LevelWarn:
		return '4'
	case l >= slog.LevelInfo:
		return '6'
	}
	return '7'
}
