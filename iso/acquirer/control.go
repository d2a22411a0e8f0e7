package acquirer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

const (
	controlLineMax  = 16 << 10        // bytes of one command
	controlConnsMax = 8               // people and scripts at once
	controlTimeout  = 5 * time.Second // for one command and its answer
)

// Command is one line of JSON to the control socket.
//
//	{"do":"books","filter":{"tid":"T1","stan":"000123","state":"debited"}}
//	{"do":"behave","spec":"0200:silent"}   {"do":"forget"}
//	{"do":"stats"}   {"do":"away"}   {"do":"back"}
type Command struct {
	Do     string `json:"do"`
	Spec   string `json:"spec,omitempty"`
	Filter Filter `json:"filter,omitzero"`
}

// Result is the line that answers a Command.
type Result struct {
	OK      bool   `json:"ok"`
	Error   string `json:"error,omitempty"`
	Books   *Books `json:"books,omitempty"`
	Stats   *Stats `json:"stats,omitempty"`
	Manners string `json:"manners,omitempty"` // in force after behave
}

// Control sends one command to the acquirer at a control socket. A command it refuses is an error.
func Control(ctx context.Context, path string, command Command) (Result, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return Result{}, fmt.Errorf("no acquirer at %s: %w", path, err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(2 * controlTimeout)); err != nil {
		return Result{}, err
	}
	if err := json.NewEncoder(c).Encode(command); err != nil {
		return Result{}, fmt.Errorf("ask the acquirer: %w", err)
	}
	var result Result
	if err := json.NewDecoder(c).Decode(&result); err != nil {
		return Result{}, fmt.Errorf("hear the acquirer: %w", err)
	}
	if !result.OK {
		return result, errors.New(result.Error)
	}
	return result, nil
}

// listenControl makes the socket, for its owner only. A socket nobody answers at is left from an
// acquirer that was killed, and is replaced.
func listenControl(ctx context.Context, path string) (net.Listener, error) {
	dialer := net.Dialer{Timeout: controlTimeout}
	if c, err := dialer.DialContext(ctx, "unix", path); err == nil {
		_ = c.Close()
		return nil, fmt.Errorf("another acquirer answers at %s", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("replace the control socket: %w", err)
		}
	}
	listener, err := listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("control socket: %w", err), listener.Close())
	}
	return listener, nil
}

func (a *Acquirer) serveControl(ctx context.Context) {
	places := make(chan struct{}, controlConnsMax)
	for ctx.Err() == nil {
		c, err := a.control.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			_ = a.pause(ctx, 10*time.Millisecond)
			continue
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			_ = c.Close()
			return
		}
		started := a.start(func() {
			defer func() { <-places }()
			a.converse(ctx, c)
		})
		if !started {
			_ = c.Close()
		}
	}
}

// converse answers commands until the other side closes, stays quiet too long, or we stop.
func (a *Acquirer) converse(ctx context.Context, c net.Conn) {
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	lines := bufio.NewReaderSize(c, controlLineMax)
	for {
		_ = c.SetDeadline(time.Now().Add(controlTimeout))
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) > 0 {
			err = nil // the last line may go without its end
		}
		if err != nil {
			return
		}
		var result Result
		var command Command
		if err := json.Unmarshal(line, &command); err != nil {
			result.Error = "want one line of JSON, such as {\"do\":\"stats\"}"
		} else {
			result = a.obey(ctx, command)
		}
		if json.NewEncoder(c).Encode(result) != nil {
			return
		}
	}
}

// obey carries out one command.
func (a *Acquirer) obey(ctx context.Context, command Command) Result {
	switch command.Do {
	case "books":
		books, err := a.ledger.Books(command.Filter)
		if err != nil {
			return Result{Error: err.Error()}
		}
		return Result{OK: true, Books: &books}
	case "behave":
		m, err := ParseManners(command.Spec)
		if err != nil {
			return Result{Error: err.Error()}
		}
		a.Behave(m)
		a.log.event(a.options.Clock.Now(), 0, "manners: "+m.String())
		return Result{OK: true, Manners: m.String()}
	case "forget":
		a.Behave(nil)
		a.log.event(a.options.Clock.Now(), 0, "behaves")
		return Result{OK: true}
	case "stats":
		stats := a.Stats()
		return Result{OK: true, Stats: &stats}
	case "away":
		a.Away()
		return Result{OK: true}
	case "back":
		if err := a.Back(ctx); err != nil {
			return Result{Error: err.Error()}
		}
		return Result{OK: true}
	}
	return Result{Error: fmt.Sprintf("no command %q; there are books, behave, forget, stats, "+
		"away, back", command.Do)}
}
