package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"time"
)

// answerHeadBytesMax is more than the head of any answer has: whoever else sits behind the socket
// does not fill our memory.
const answerHeadBytesMax = 64 << 10

// ask sends one request over a connection of its own, and reads the head of the answer; closing the
// body closes the connection, and so does the end of ctx. The client of net/http would do, but it
// brings proxies, redirects and international names to a Unix socket: a third of a megabyte.
func (c *Client) ask(
	ctx context.Context, method, path string, body []byte,
) (*http.Response, error) {
	if strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("the path %q is not encoded", path)
	}
	dialer := net.Dialer{Timeout: c.wait}
	conn, err := dialer.DialContext(ctx, "unix", c.socket)
	if err != nil {
		return nil, err
	}
	l := &line{conn: conn, ended: ctx.Err}
	l.forget = context.AfterFunc(ctx, func() { _ = conn.Close() })
	resp, err := c.exchange(l, method, path, body)
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	return resp, nil
}

func (c *Client) exchange(l *line, method, path string, body []byte) (*http.Response, error) {
	if c.wait > 0 {
		_ = l.conn.SetDeadline(time.Now().Add(c.wait))
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: reversald\r\nConnection: close\r\n", method, path)
	if body != nil {
		fmt.Fprintf(&head, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	head.WriteString("\r\n")
	head.Write(body)
	// Who refuses before it has read all has answered nevertheless.
	_, unsent := l.conn.Write(head.Bytes())
	limited := &io.LimitedReader{R: l, N: answerHeadBytesMax}
	resp, err := http.ReadResponse(bufio.NewReader(limited), &http.Request{Method: method})
	if err != nil {
		return nil, errors.Join(unsent, err)
	}
	limited.N = math.MaxInt64
	_ = l.conn.SetDeadline(time.Time{})
	resp.Body = answerBody{Reader: resp.Body, Closer: l}
	return resp, nil
}

// answerBody is what an answer holds, and the connection that it came over.
type answerBody struct {
	io.Reader
	io.Closer
}

// line is a connection that closes when its context ends; reading says that then.
type line struct {
	conn   net.Conn
	ended  func() error
	forget func() bool
}

func (l *line) Read(p []byte) (int, error) {
	n, err := l.conn.Read(p)
	if ended := l.ended(); err != nil && ended != nil {
		err = ended
	}
	return n, err
}

func (l *line) Close() error {
	l.forget()
	return l.conn.Close()
}
