package iso

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
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
	ConnectionsMax int           // open at once; one more takes a mute one's place, or is closed
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

	mu      sync.Mutex // guards all below; the agent knows nothing of connections
	open    int
	mute    []*session // of those, the ones that have not sent a whole frame yet, oldest first
	refused uint64     // in this run of too many
	entered uint64     // since the start

	leaving chan struct{} // holds one for each that was sent away for another, and is not gone yet
}

// New makes a door for apps that speak profile.
func New(a Agent, profile *protocol.Profile, l Limits, log *slog.Logger) *Door {
	return &Door{
		agent: a, profile: profile, limits: l, log: log,
		leaving: make(chan struct{}, l.ConnectionsMax),
	}
}

// Serve accepts apps until ctx ends, then closes them all and returns. One door may serve several
// listeners, and cables, at once; the limits are for all of them together.
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
		s := d.enter(conn)
		if s == nil {
			_ = conn.Close()
			continue
		}
		sessions.Add(1)
		go func() {
			defer sessions.Done()
			defer d.leave(s)
			d.serve(ctx, s, conn)
		}()
	}
}

// enter counts a connection in. When all places are taken, the app that has been silent since it
// connected gives up its own, the oldest first: strangers that only connect can not lock out the
// app that wants to sell. It returns nil when every place is that of an app that speaks. Of a run
// of too many it logs the first.
func (d *Door) enter(conn net.Conn) *session {
	name := conn.RemoteAddr().String()
	if !d.makeRoom(name) {
		return nil
	}
	s := &session{door: d, conn: conn, name: name, profile: d.profile}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.entered++; name == "" || name == "@" { // a Unix socket's other end has no name
		s.name = fmt.Sprintf("unix app %d", d.entered)
	}
	d.mute = append(d.mute, s)
	return s
}

// makeRoom takes a place; it is false when there is none. When more are leaving than may be here at
// once it waits for them, and whoever comes waits with the kernel.
func (d *Door) makeRoom(name string) bool {
	d.mu.Lock()
	if d.open < d.limits.ConnectionsMax {
		d.refused = 0
		d.open++
		d.mu.Unlock()
		return true
	}
	if d.refused++; d.refused == 1 {
		d.log.Warn("too many apps, connection closed",
			slog.String("app", name), slog.Int("open", d.open))
	}
	if len(d.mute) == 0 {
		d.mu.Unlock()
		return false
	}
	oldest := d.mute[0]
	d.mute = d.mute[1:]
	oldest.sentAway = true // and its place is the newcomer's
	d.mu.Unlock()
	_ = oldest.conn.Close()
	d.leaving <- struct{}{}
	return true
}

// spoke: the app has sent a whole frame, and keeps its place.
func (d *Door) spoke(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mute = slices.DeleteFunc(d.mute, func(other *session) bool { return other == s })
}

func (d *Door) leave(s *session) {
	d.spoke(s)
	d.mu.Lock()
	sentAway := s.sentAway
	if !sentAway {
		d.open--
	}
	d.mu.Unlock()
	if sentAway {
		<-d.leaving
	}
}
