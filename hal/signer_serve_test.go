package hal_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"reversald/hal"
)

// The server answers what it can, and hangs up on whoever does not speak the protocol.
func TestServeSigner(t *testing.T) {
	noLeaks(t)
	path := socketPath(t)
	serve(t, path, softKeys(t))
	const hello = `{"id":1,"op":"hello","version":1}` + "\n"
	for name, c := range map[string]struct{ say, want string }{
		"hello":            {hello, `{"id":1,"ok":true,"version":1}` + "\n"},
		"a carriage":       {strings.ReplaceAll(hello, "\n", "\r\n"), `{"id":1,"ok":true,"version":1}` + "\n"},
		"no hello":         {`{"id":7,"op":"info"}` + "\n", `{"id":7,"ok":false,"error":"request"`},
		"version 2":        {`{"id":7,"op":"hello","version":2}` + "\n", `{"id":7,"ok":false,"error":"version"`},
		"no JSON":          {"hello\n", `{"id":0,"ok":false,"error":"request"`},
		"a long line":      {strings.Repeat("x", 30<<10), `{"id":0,"ok":false,"error":"request"`},
		"half a line":      {`{"id":1`, ``},
		"no such op":       {hello + `{"id":2,"op":"export"}` + "\n", `{"id":2,"ok":false,"error":"request"`},
		"no such alg":      {hello + `{"id":2,"op":"sign","alg":"rot13"}` + "\n", `{"id":2,"ok":false,"error":"algorithm"`},
		"no hex":           {hello + `{"id":2,"op":"sign","data":"0g"}` + "\n", `{"id":2,"ok":false,"error":"request"`},
		"a blob too short": {hello + `{"id":2,"op":"load","blob":"00"}` + "\n", `{"id":2,"ok":false,"error":"blob"`},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(conn, c.say) // it may have hung up before the end
			_ = conn.(*net.UnixConn).CloseWrite()
			said, err := io.ReadAll(conn)
			if err != nil && !errors.Is(err, syscall.ECONNRESET) { // it did not read to the end
				t.Fatal(err)
			}
			got := strings.TrimPrefix(string(said), `{"id":1,"ok":true,"version":1}`+"\n")
			if c.want == string(said) {
				return
			}
			if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) || strings.Count(got, "\n") > 1 {
				t.Errorf("answered %q, want %q", said, c.want)
			}
		})
	}
}

// A socket left behind by a dead process is replaced, one that is in use and any other file not.
func TestListenSigner(t *testing.T) {
	noLeaks(t)
	path := socketPath(t)
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hal.ListenSigner(t.Context(), path); !errors.Is(err, hal.ErrBusy) {
		t.Errorf("in use: %v, want ErrBusy", err)
	}
	old.SetUnlinkOnClose(false)
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	ln, err := hal.ListenSigner(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	ln.Close()
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := hal.ListenSigner(t.Context(), path); err == nil {
		t.Error("an ordinary file was taken for a socket")
	}
	if text, err := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("the file is %q, %v", text, err)
	}
}
