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
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytesMax,
		ErrorLog:          h.errors,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if known, ok := c.(interface{ peer() Peer }); ok {
				return context.WithValue(ctx, peerKey{}, known.peer())
			}
			return ctx
		},
	}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	err := srv.Serve(newRoom(listener, h))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// room lets in as many connections as there is room for. The others are told so, and hung up on.
type room struct {
	net.Listener
	door     *Door
	seats    chan struct{}
	reserved chan struct{} // for operators
	refusals chan struct{}
}

func newRoom(l net.Listener, d *Door) *room {
	return &room{
		Listener: l, door: d, seats: make(chan struct{}, d.connectionsMax),
		reserved: make(chan struct{}, operatorsExtra), refusals: make(chan struct{}, refusalsMax),
	}
}

// Accept waits for a connection there is room for.
func (r *room) Accept() (net.Conn, error) {
	for {
		conn, err := r.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer := r.door.access.peerOf(conn)
		if free := r.seat(peer); free != nil {
			return &guest{Conn: conn, who: peer, leave: free}, nil
		}
		r.refuse(conn)
	}
}

// seat finds a place, and says how to give it back; nil when there is none.
func (r *room) seat(p Peer) func() {
	select {
	case r.seats <- struct{}{}:
		return func() { <-r.seats }
	default:
	}
	if p.Role != RoleOperator {
		return nil
	}
	select {
	case r.reserved <- struct{}{}:
		return func() { <-r.reserved }
	default:
		return nil
	}
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
	who   Peer
	once  sync.Once
	leave func()
}

// Close gives the place back.
func (g *guest) Close() error {
	err := g.Conn.Close()
	g.once.Do(g.leave)
	return err
}

// CloseWrite ends our half, so that a client that is still writing reads what it is told before it
// is hung up on.
func (g *guest) CloseWrite() error {
	if half, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (g *guest) peer() Peer { return g.who }

// ServeHTTP finds out who asks and whether they may, and has the request answered. It is the only
// way in.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
