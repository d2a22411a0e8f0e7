package hal_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"reversald/hal"
)

// signerLimit is the time in tests that run out of it.
const signerLimit = 100 * time.Millisecond

// socketPath is short enough for a socket: the system takes 107 bytes, test names can be longer.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "signer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// serve runs ServeSigner until stop, which waits for its end.
func serve(t *testing.T, path string, s hal.Signer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := hal.ListenSigner(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- hal.ServeSigner(ctx, ln, s) }()
	stop = sync.OnceFunc(func() {
		cancel()
		soon(t, "ServeSigner", func() {
			if err := <-done; err != nil {
				t.Errorf("ServeSigner = %v", err)
			}
		})
	})
	t.Cleanup(stop)
	return stop
}

func external(t *testing.T, path string, timeout time.Duration) *hal.ExternalSigner {
	t.Helper()
	e := hal.NewExternalSigner(path, timeout)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// module is the far end of the socket with a script: each step takes one line it has accepted.
// A line for which there is no step is closed.
func module(t *testing.T, path string, steps ...func(*moduleLine)) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		ln.Close()
		all.Wait()
	})
	all.Add(1)
	go func() {
		defer all.Done()
		for i := 0; ; i++ {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			if i >= len(steps) {
				conn.Close()
				continue
			}
			all.Add(1)
			go func() {
				defer all.Done()
				defer conn.Close()
				steps[i](&moduleLine{Conn: conn, lines: bufio.NewReaderSize(conn, 64<<10)})
			}()
		}
	}()
}

type moduleLine struct {
	net.Conn
	lines *bufio.Reader
	asked string
}

// hear waits for a question; false is the end of the line.
func (m *moduleLine) hear() bool {
	line, err := m.lines.ReadString('\n')
	m.asked = line
	return err == nil
}

func (m *moduleLine) say(format string, args ...any) { fmt.Fprintf(m, format, args...) }

// hello plays the greeting, whose id is not known before.
func (m *moduleLine) hello() {
	if m.hear() {
		m.say(`{"id":%d,"ok":true,"version":1}`+"\n", m.id())
	}
}

func (m *moduleLine) id() (id int) {
	_, _ = fmt.Sscanf(m.asked, `{"id":%d,`, &id) // 0 is nobody's id
	return id
}

// hold keeps the line open until the other side ends it.
func (m *moduleLine) hold() { _, _ = io.Copy(io.Discard, m.lines) }

func (m *moduleLine) sign() { m.say(`{"id":%d,"ok":true,"mac":"%X"}`+"\n", m.id(), publishedMAC) }
