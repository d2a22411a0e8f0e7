package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// sluggish is a sink that takes nothing until it is let go.
type sluggish struct {
	free chan struct{}
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *sluggish) Write(p []byte) (int, error) {
	<-s.free
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// Rule: no payment waits for a log: what a blocked sink does not take is dropped and counted.
func TestNobodyWaitsForTheLog(t *testing.T) {
	sink := &sluggish{free: make(chan struct{})}
	w := newLogWriter(sink)
	const lines = 3 * linesMax
	for i := range lines {
		if n, err := fmt.Fprintf(w, "line %d\n", i); n == 0 || err != nil {
			t.Fatal(n, err)
		}
	}
	close(sink.free)
	w.Close()
	<-w.done
	got := sink.text.String()
	if !strings.Contains(got, "line 0\n") || !strings.Contains(got, "log lines dropped") {
		t.Errorf("the log: %.200s", got)
	}
	if n := strings.Count(got, "line "); n < linesMax || n > linesMax+2 {
		t.Errorf("%d lines were kept, want %d", n, linesMax)
	}
}

// Rule: what was logged before the end is written at the end.
func TestTheLogIsWrittenAtTheEnd(t *testing.T) {
	var sink bytes.Buffer
	w := newLogWriter(&sink)
	for i := range 100 {
		_, _ = fmt.Fprintf(w, "line %d\n", i)
	}
	w.Close()
	if n := strings.Count(sink.String(), "\n"); n != 100 {
		t.Errorf("%d lines, want 100", n)
	}
}
