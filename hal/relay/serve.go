package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"
)

// lingerAfterEnd is how long the host's side of a call is kept when the terminal has ended its own:
// a host that answers late answers nobody.
const lingerAfterEnd = 2 * time.Second

// dialTimeout is how long a host may take to be reached: less than the terminal waits.
const dialTimeout = 8 * time.Second

// Event is something that happened to a call, for whoever watches the laptop.
type Event struct {
	Address string
	What    string // "opened", "refused", "ended"
	ToHost  int    // bytes
	FromIt  int
	Err     error
}

// Serve answers calls with connections of this machine's network until ctx ends. It dials nothing
// but the addresses its user has allowed, whatever the terminal asks for.
func Serve(ctx context.Context, l *Line, allowed []string, tell func(Event)) error {
	for {
		c, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		serveCall(ctx, c, allowed, tell)
	}
}

// serveCall carries one call. The next one ends it, since the line breaks it then.
func serveCall(ctx context.Context, c *Call, allowed []string, tell func(Event)) {
	address := c.Address()
	if !slices.Contains(allowed, address) {
		err := fmt.Errorf("%s was not offered", printable(address))
		c.Answer(err)
		tell(Event{Address: printable(address), What: "refused", Err: err})
		return
	}
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", address)
	c.Answer(err)
	if err != nil {
		tell(Event{Address: address, What: "refused", Err: err})
		return
	}
	defer conn.Close()
	tell(Event{Address: address, What: "opened"})
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	back := make(chan int64, 1)
	go func() {
		n, err := io.Copy(plainWriter{c}, conn)
		if err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded) {
			c.Break(err) // half an answer must not look like a whole one
		}
		_ = c.CloseWrite()
		back <- n
	}()
	to, err := io.Copy(conn, plainReader{c})
	if err == nil { // the terminal has said all: let the host say the rest, for a while
		_ = conn.(*net.TCPConn).CloseWrite()
		_ = conn.SetReadDeadline(time.Now().Add(lingerAfterEnd))
	} else {
		_ = conn.Close()
	}
	from := <-back
	_ = c.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	tell(Event{Address: address, What: "ended", ToHost: int(to), FromIt: int(from), Err: err})
}

// plainReader and plainWriter keep io.Copy from looking for shortcuts.
type (
	plainReader struct{ r io.Reader }
	plainWriter struct{ w io.Writer }
)

func (p plainReader) Read(b []byte) (int, error)  { return p.r.Read(b) }
func (p plainWriter) Write(b []byte) (int, error) { return p.w.Write(b) }
