package main

import (
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"reversald/agent"
)

// linesMax is how many log lines wait for a sink that does not take them: a minute of a busy shop.
// More are dropped and counted: no payment waits for a log.
const linesMax = 1024

// flushTime is how long the end of the process waits for the last lines to be taken.
const flushTime = time.Second

// logWriter writes lines in a goroutine of its own.
type logWriter struct {
	sink    io.Writer
	lines   chan []byte
	dropped atomic.Uint64
	end     chan struct{}
	done    chan struct{}
}

func newLogWriter(sink io.Writer) *logWriter {
	w := &logWriter{
		sink: sink, lines: make(chan []byte, linesMax),
		end: make(chan struct{}), done: make(chan struct{}),
	}
	go w.drain()
	return w
}

// Write takes a line, or drops it; it never waits and never fails.
func (w *logWriter) Write(line []byte) (int, error) {
	select {
	case w.lines <- append([]byte(nil), line...):
	default:
		w.dropped.Add(1)
	}
	return len(line), nil
}

// Close waits for what was taken to be written, for as long as flushTime. It is called once; what
// is logged later goes nowhere.
func (w *logWriter) Close() {
	close(w.end)
	select {
	case <-w.done:
	case <-time.After(flushTime):
	}
}

func (w *logWriter) drain() {
	defer close(w.done)
	for {
		select {
		case line := <-w.lines:
			w.put(line)
		case <-w.end:
			for len(w.lines) > 0 {
				w.put(<-w.lines)
			}
			return
		}
	}
}

// put writes one line, and before it how many were dropped.
func (w *logWriter) put(line []byte) {
	if n := w.dropped.Swap(0); n > 0 {
		_, _ = fmt.Fprintf(w.sink, "reversald: %d log lines dropped, nobody took them\n", n)
	}
	_, _ = w.sink.Write(line)
}

// logFormat is the configuration's; text becomes journald's where journald reads it.
func logFormat(c agent.Config, errout io.Writer) string {
	if c.LogFormat == "text" && journaldReads(errout) {
		return "journald"
	}
	return c.LogFormat
}

// newLog is the log the configuration asks for, and the level that a reload may change.
func newLog(format string, c agent.Config, w io.Writer) (*slog.Logger, *slog.LevelVar) {
	level := &slog.LevelVar{}
	level.Set(levelOf(c))
	options := &slog.HandlerOptions{Level: level}
	switch format {
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), level
	case "journald", "syslog":
		return slog.New(newRanked(w, options)), level
	}
	return slog.New(slog.NewTextHandler(w, options)), level
}

// levelOf is one of four words, checked by the configuration.
func levelOf(c agent.Config) (level slog.Level) {
	_ = level.UnmarshalText([]byte(c.LogLevel))
	return level
}
