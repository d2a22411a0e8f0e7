package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"reversald/agent/badge"
)

const (
	// enterWait is how long each step of logging in may take, at 1200 baud too.
	enterWait = 30 * time.Second
	// knockEvery is how often ENTER is pressed until the console shows itself.
	knockEvery = 2 * time.Second
	// seenMax is how much of what the console said is kept.
	seenMax = 8 << 10
)

var challengeText = regexp.MustCompile(`RC1\.[A-Za-z0-9._-]+[\r\n]`)

// Enter is a laptop's program at the console: it logs in with what sign makes of the challenge,
// gives an order, and returns when the console has said ready. What comes from the port then is
// read from what it returns, and no longer from the port.
func Enter(
	ctx context.Context, port Port, sign func(badge.Challenge) (string, error),
	order, ready string,
) (io.ReadWriter, error) {
	r := guest{ctx: ctx, port: port, feed: newFeed(port, ctx.Done())}
	var shown string
	err := r.until("the console's challenge", "\r", func(seen string) bool {
		shown = strings.TrimSpace(challengeText.FindString(seen))
		return shown != ""
	})
	if err != nil {
		return nil, err
	}
	challenge, err := badge.ParseChallenge(shown)
	if err != nil {
		return nil, err
	}
	answer, err := sign(challenge)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(port, answer+"\r"); err != nil {
		return nil, err
	}
	err = r.until("the console's prompt", "", func(seen string) bool {
		return strings.HasSuffix(seen, "> ")
	})
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(port, order+"\r"); err != nil {
		return nil, err
	}
	err = r.until(ready, "", func(seen string) bool { return strings.HasSuffix(seen, ready+"\r\n") })
	if err != nil {
		return nil, err
	}
	return newTap(r.feed, port), nil
}

// guest is the laptop's program, and what it has seen of the console.
type guest struct {
	ctx  context.Context //nolint:containedctx // lives for one Enter
	port Port
	feed *feed
	seen []byte
}

// until reads until what was wanted is seen. Knock is sent again and again meanwhile.
func (g *guest) until(what, knock string, found func(seen string) bool) error {
	g.seen = g.seen[:0]
	knocked := time.Time{}
	for end := time.Now().Add(enterWait); time.Now().Before(end); {
		if err := g.ctx.Err(); err != nil {
			return err
		}
		if knock != "" && time.Since(knocked) >= knockEvery {
			knocked = time.Now()
			if _, err := io.WriteString(g.port, knock); err != nil {
				return err
			}
		}
		b, err := g.feed.Next(keyTick)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if found(string(g.seen)) {
				return nil
			}
			continue
		}
		if err != nil {
			return err
		}
		g.seen = append(g.seen, b)
		if extra := len(g.seen) - seenMax; extra > 0 {
			g.seen = g.seen[extra:]
		}
		if b == '\n' && found(string(g.seen)) {
			return nil
		}
	}
	return fmt.Errorf("%s did not come; it said %q", what, lastLine(string(g.seen)))
}

// lastLine is the last line with something in it.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return clean(lines[len(lines)-1], lineMax)
}
