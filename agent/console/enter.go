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
	// enterWait is how long each step of logging in may take, at 1200 baud too; enterTries is how
	// often it is begun again, when noise has eaten a step.
	enterWait  = 10 * time.Second
	enterTries = 12
	// knockEvery is how often ENTER is pressed until the console shows itself.
	knockEvery = 2 * time.Second
	// seenMax is how much of what the console said is kept.
	seenMax = 8 << 10
)

// errUnheard: what should have come did not.
var errUnheard = errors.New("did not come")

var challengeText = regexp.MustCompile(`RC1\.[A-Za-z0-9._-]+[\r\n]`)

// Enter is a laptop's program at the console: it logs in with what sign makes of the challenge,
// gives an order, and returns when the console has said ready. What comes from the port then is
// read from what it returns, and no longer from the port.
func Enter(
	ctx context.Context, port Port, sign func(badge.Challenge) (string, error),
	order, ready string,
) (io.ReadWriter, error) {
	g := guest{ctx: ctx, port: port, feed: newFeed(port, ctx.Done())}
	err := ctx.Err()
	for try := 0; try < enterTries && ctx.Err() == nil; try++ {
		if err = g.login(sign); errors.Is(err, errUnheard) {
			continue // noise: a slip costs nothing, see visit.tryKey
		}
		if err != nil {
			return nil, err
		}
		if err = g.order(order, ready); err == nil {
			return newTap(g.feed, port), nil
		}
		if !errors.Is(err, errUnheard) {
			return nil, err
		}
	}
	return nil, err
}

// login shows who we are.
func (g *guest) login(sign func(badge.Challenge) (string, error)) error {
	var challenge badge.Challenge
	err := g.until("the console's challenge", "\r", func(seen string) bool {
		for _, shown := range challengeText.FindAllString(seen, -1) {
			c, err := badge.ParseChallenge(strings.TrimSpace(shown))
			if err == nil {
				challenge = c
				return true
			}
		}
		return false
	})
	if err != nil {
		return err
	}
	answer, err := sign(challenge)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(g.port, answer+"\r"); err != nil {
		return err
	}
	refused := false
	err = g.until("the console's prompt", "", func(seen string) bool {
		refused = strings.Contains(seen, "\nNo: ") || strings.Contains(seen, "\n拒绝")
		return refused || strings.HasSuffix(seen, "> ")
	})
	if refused {
		return fmt.Errorf("the console refuses: %s", lastLine(string(g.seen)))
	}
	return err
}

// order gives the order. What answers it is the ready text, or the frames that follow it.
func (g *guest) order(order, ready string) error {
	const frameFlag = "~~"
	if _, err := io.WriteString(g.port, order+"\r"); err != nil {
		return err
	}
	err := g.until(ready, "", func(seen string) bool {
		return strings.Contains(seen, ready+"\r\n") || strings.Contains(seen, frameFlag)
	})
	if errors.Is(err, errUnheard) { // it may have been heard as something else
		_, werr := io.WriteString(g.port, "\x03logout\r")
		return errors.Join(err, werr)
	}
	return err
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
		if len(g.seen) > 0 && strings.Contains(string(g.seen), "mistyped") {
			break
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
	return fmt.Errorf("%s %w; it said %q", what, errUnheard, lastLine(string(g.seen)))
}

// lastLine is the last line with something in it.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return clean(lines[len(lines)-1], lineMax)
}
