package acquirer

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// lineLog writes one aligned line a message. A nil writer keeps quiet.
type lineLog struct {
	mu sync.Mutex
	w  io.Writer
}

// message logs a message of connection n; "<-" came in, "->" went out.
func (l *lineLog) message(at time.Time, n int, arrow string, m Seen) {
	amount := ""
	if m.HasAmount {
		amount = FormatMinor(m.AmountMinor)
	}
	l.line(fmt.Sprintf("%s  c%-3d %s %-4s  %-8s %-6s %12s  %-3s  %-19s  %s", clockText(at), n,
		arrow, m.MTI, m.Terminal, m.STAN, amount, m.Code, m.Card, m.Note))
}

// event logs what happened to connection n, or to the bank itself when n is 0.
func (l *lineLog) event(at time.Time, n int, words string) {
	who := "bank"
	if n > 0 {
		who = fmt.Sprintf("c%d", n)
	}
	l.line(fmt.Sprintf("%s  %-4s -- %s", clockText(at), who, words))
}

func (l *lineLog) line(text string) {
	if l.w == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.w, strings.TrimRight(text, " ")+"\n")
}

func clockText(at time.Time) string { return at.Format("15:04:05.000") }
