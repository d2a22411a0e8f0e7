package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How long a peer may take, and how much it may send, before it is dropped.
const (
	headerTimeout  = 5 * time.Second
	requestTimeout = 10 * time.Second // for head and body
	idleTimeout    = time.Minute
	headerBytesMax = 8 << 10
	// writeTimeout is how long a reader may take to accept one page of entries: one that stops
	// reading is dropped, not waited for.
	writeTimeout = 10 * time.Second
)

// Bounds of connections, for each listener.
const (
	// connectionsMaxDefault is more than a device has programs; each costs some 30 KiB.
	connectionsMaxDefault = 128
	// operatorsExtra is how many operators get in beyond that: somebody must be able to look.
	operatorsExtra = 8
	// refusalsMax is how many are told at a time that there is no room; the others are hung up on.
	refusalsMax = 64
	// refusalTimeout is how long one that is told may take.
	refusalTimeout = time.Second
)

// Serve answers on listener until ctx ends.
func Serve(ctx context.Context, listener net.Listener, h *Door) error {
	rooms := newRoom(listener, h)
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytesMax,
		ErrorLog:          h.errors,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			g, ok := c.(*guest)
			if !ok {
				return ctx
			}
			return context.WithValue(context.WithValue(ctx, peerKey{}, g.who), guestKey{}, g)
		},
		ConnState: rooms.noted,
	}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	err := srv.Serve(rooms)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// room lets in as many connections as there is room for. When there is none, one that does nothing
// has to go; where none does nothing the newcomer is told so, and hung up on.
type room struct {
	net.Listener
	door     *Door
	refusals chan struct{}

	mu     sync.Mutex
	guests map[*guest]bool
}

func newRoom(l net.Listener, d *Door) *room {
	return &room{
		Listener: l, door: d, refusals: make(chan struct{}, refusalsMax),
		guests: make(map[*guest]bool, d.connectionsMax+operatorsExtra),
	}
}

// Accept waits for a connection there is room for.
func (r *room) Accept() (net.Conn, error) {
	for {
		conn, err := r.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g := &guest{Conn: conn, who: r.door.access.peerOf(conn), room: r, since: time.Now()}
		if r.seat(g) {
			return g, nil
		}
		r.refuse(conn)
	}
}

// seat finds a place for a connection.
func (r *room) seat(g *guest) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	places := r.door.connectionsMax
	if g.who.Role == RoleOperator {
		places += operatorsExtra
	}
	if len(r.guests) >= places {
		idle := r.idlest()
		if idle == nil {
			return false
		}
		delete(r.guests, idle)
		_ = idle.Conn.Close()
	}
	r.guests[g] = true
	return true
}

// settleIn is how long a connection may be quiet before another may have its place.
const settleIn = 500 * time.Millisecond

// idlest is the connection that has done nothing for the longest time: one that waits for its next
// request, or one that has not finished its first. Whoever has asked something stays.
func (r *room) idlest() *guest {
	var idlest *guest
	for g := range r.guests {
		if g.busy || time.Since(g.since) < settleIn && !g.asked {
			continue
		}
		if idlest == nil || g.since.Before(idlest.since) {
			idlest = g
		}
	}
	return idlest
}

// noted keeps what the server is told of a connection's state.
func (r *room) noted(conn net.Conn, state http.ConnState) {
	g, ok := conn.(*guest)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch state {
	case http.StateActive: // some of a request has come
	case http.StateIdle:
		g.busy, g.asked, g.since = false, true, time.Now()
	case http.StateNew, http.StateHijacked, http.StateClosed:
	}
}

// attend says that a connection's request is being answered.
func (r *room) attend(g *guest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g.busy = true
}

// noRoom is all that is said to a connection too many.
const noRoom = `{"type":"` + typePrefix + typeBusy + `","title":"Too much at once","status":503,` +
	`"detail":"too many connections; nothing was read, and nothing was sent",` +
	`"outcome":"not_sent"}` + "\n"

// refuse reads a little, so that what is said arrives, says that there is no room, and hangs up.
func (r *room) refuse(conn net.Conn) {
	select {
	case r.refusals <- struct{}{}:
	default:
		_ = conn.Close()
		return
	}
	go func() {
		defer func() { <-r.refusals }()
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(refusalTimeout))
		_, _ = conn.Read(make([]byte, headerBytesMax))
		_, _ = conn.Write([]byte("HTTP/1.1 503 Service Unavailable\r\n" +
			"Content-Type: application/problem+json\r\nConnection: close\r\nRetry-After: " +
			retryAfterSeconds + "\r\nContent-Length: " + strconv.Itoa(len(noRoom)) + "\r\n\r\n" +
			noRoom))
	}()
}

// guest is a connection that has a place.
type guest struct {
	net.Conn
	who  Peer
	room *room

	// Guarded by the room.
	busy  bool // a request of it is being answered
	asked bool // one was
	since time.Time
}

// Close gives the place back.
func (g *guest) Close() error {
	g.room.mu.Lock()
	delete(g.room.guests, g)
	g.room.mu.Unlock()
	return g.Conn.Close()
}

// CloseWrite ends our half, so that a client that is still writing reads what it is told before it
// is hung up on.
func (g *guest) CloseWrite() error {
	if half, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

type guestKey struct{}

// ServeHTTP finds out who asks and whether they may, and has the request answered. It is the only
// way in.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g, ok := r.Context().Value(guestKey{}).(*guest); ok {
		g.room.attend(g)
	}
	_, pattern := d.mux.Handler(r)
	at, known := d.routes[pattern]
	peer := peerIn(r.Context())
	switch {
	case !known:
		d.refuse(w, r, d.nowhere(r))
		return
	case at.open:
	case peer.Name == "": // nothing is known of the connection: it came over TCP
		var problem *Problem
		if peer, problem = d.access.overTCP(r); problem != nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			d.refuse(w, r, problem)
			return
		}
		fallthrough
	default:
		if !at.allows(peer.Role) {
			d.refuse(w, r, trouble(typeForbidden, http.StatusForbidden,
				"this peer is "+peer.Role.String()+" here (see api_operators, api_viewers, "+
					"api_apps); wanted: "+at.wanted()))
			return
		}
	}
	r = r.WithContext(context.WithValue(r.Context(), peerKey{}, peer))
	d.mux.ServeHTTP(w, r)
}

// nowhere is a path that is not there, or not for this method.
func (d *Door) nowhere(r *http.Request) *Problem {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := d.mux.Handler(other); pattern != "" {
			methods = append(methods, method)
		}
	}
	if len(methods) > 0 {
		return trouble(typeMethod, http.StatusMethodNotAllowed,
			"this path takes "+strings.Join(methods, " and "))
	}
	return trouble(typeNotFound, http.StatusNotFound, "there is no such path; see /v1/openapi.yaml")
}
