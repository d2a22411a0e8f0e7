package iso

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"reversald/agent"
	protocol "reversald/iso"
)

// acceptPause is how long the door waits after the system refused it a connection (no descriptors
// left, say) before it tries again.
const acceptPause = 100 * time.Millisecond

// Agent is what the door needs of the agent.
type Agent interface {
	Frame(app agent.App, body []byte)
	Told(ticket uint64, delivered bool)
	Gone(app agent.App)
}

// Limits bound what one app, or all of them, may cost.
type Limits struct {
	ConnectionsMax int           // open at once; one more is closed at once
	FrameTimeout   time.Duration // from a frame's first byte to its last
	WriteTimeout   time.Duration // for one answer to an app that does not read
	AnswersMax     int           // waiting for one app that does not read
}

// Door listens for payment apps.
type Door struct {
	agent   Agent
	profile *protocol.Profile
	limits  Limits
	log     *slog.Logger

	mu      sync.Mutex // guards open and refused; the agent knows nothing of connections
	open    int
	refused uint64
}

// New makes a door for apps that speak profile.
func New(a Agent, profile *protocol.Profile, l Limits, log *slog.Logger) *Door {
	return &Door{agent: a, profile: profile, limits: l, log: log}
}

// Serve accepts apps until ctx ends, then closes them all and returns.
func (d *Door) Serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	var sessions sync.WaitGroup
	defer sessions.Wait()
	for {
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("door: %w", err)
		case err != nil:
			d.log.Warn("app not accepted", slog.Any("error", err))
			time.Sleep(acceptPause)
			continue
		}
		if !d.enter(conn) {
			_ = conn.Close()
			continue
		}
		sessions.Add(1)
		go func() {
			defer sessions.Done()
			defer d.leave()
			d.serve(ctx, conn)
		}()
	}
}

// enter counts a connection in, unless there are too many; it logs the first of a run of refusals.
func (d *Door) enter(conn net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open < d.limits.ConnectionsMax {
		d.open++
		d.refused = 0
		return true
	}
	if d.refused++; d.refused == 1 {
		d.log.Warn("too many apps, connection closed",
			slog.String("app", conn.RemoteAddr().String()), slog.Int("open", d.open))
	}
	return false
}

func (d *Door) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open--
}
