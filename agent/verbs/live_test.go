package verbs_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"reversald/agent/doors/api"
	"reversald/agent/verbs"
)

// screen takes what is written to it, and ends who writes after some writes.
type screen struct {
	mu     sync.Mutex
	writes []string
	most   int
	end    context.CancelFunc
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = append(s.writes, string(b))
	if len(s.writes) == s.most {
		s.end()
	}
	return len(b), nil
}

// TestTopFitsItsScreen: every screen is one write, of no more lines and columns than there are, with
// none but the few sequences that every terminal knows, and it ends when it is told.
func TestTopFitsItsScreen(t *testing.T) {
	for _, color := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		to := &screen{most: 3, end: cancel}
		s := session(shop(t), &bytes.Buffer{}, verbs.Chinese)
		s.Out, s.Color, s.Height = to, color, 12
		if err := verbs.Find("top").Do(ctx, s, []string{"--pause=100ms"}); err != nil {
			t.Fatal(err)
		}
		if len(to.writes) != 4 || to.writes[3] != "\r\n" {
			t.Fatalf("%d writes, the last %q", len(to.writes), to.writes[len(to.writes)-1])
		}
		if !strings.HasPrefix(to.writes[0], "\x1b[2J\x1b[H") || !strings.HasPrefix(to.writes[1], "\x1b[H") {
			t.Errorf("begins with %.10q and %.10q", to.writes[0], to.writes[1])
		}
		known := strings.NewReplacer("\x1b[2J", "", "\x1b[H", "", "\x1b[K", "", "\x1b[J", "",
			"\x1b[31;1m", "", "\x1b[1m", "", "\x1b[0m", "")
		if got := strings.Contains(to.writes[1], "\x1b[31;1m"); got != color {
			t.Errorf("red is %t, want %t", got, color)
		}
		lines := strings.Split(known.Replace(to.writes[1]), "\r\n")
		if len(lines) > 12 {
			t.Errorf("%d lines on a screen of 12", len(lines))
		}
		for _, line := range lines {
			if strings.ContainsRune(line, '\x1b') || verbs.Columns(line) > 80 {
				t.Errorf("%d columns: %q", verbs.Columns(line), line)
			}
		}
	}
}

// TestTailEnds: with the agent gone tail -f says so; stopped by who watches it does not.
func TestTailEnds(t *testing.T) {
	s := session(shop(t), &bytes.Buffer{}, verbs.English)
	if err := verbs.Find("tail").Do(t.Context(), s, []string{"-f"}); !errors.Is(err, api.ErrAway) {
		t.Errorf("the agent has ended: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := verbs.Find("tail").Do(ctx, s, []string{"-f"}); err != nil {
		t.Errorf("stopped: %v", err)
	}
	if err := verbs.Find("tail").Do(t.Context(), s, []string{"-n", "2"}); err != nil {
		t.Errorf("a look: %v", err)
	}
}
