package main_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"reversald/agent/doors/api"
	"reversald/hal/haltest"
)

// papers writes certificates into the script's folder: ca.pem of an authority, and host, pos and old
// by it, the last of which ended yesterday; stranger-ca.pem is of another.
func papers(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 0 {
			ts.Fatalf("usage: papers")
		}
		put := func(name, from string) {
			data, err := os.ReadFile(from)
			ts.Check(err)
			ts.Check(os.WriteFile(ts.MkAbs(name), data, 0o600))
		}
		authority := haltest.NewAuthority(t)
		put("ca.pem", authority.File())
		put("stranger-ca.pem", haltest.NewAuthority(t).File())
		now := time.Now()
		for name, until := range map[string]time.Time{
			"host": now.AddDate(1, 0, 0), "pos": now.AddDate(0, 0, 30).Add(time.Hour),
			"old": now.AddDate(0, 0, -1),
		} {
			paper := authority.Issue(name, now.AddDate(-1, 0, 0), until)
			put(name+".pem", paper.CertFile)
			put(name+".key", paper.KeyFile)
		}
	}
}

// nullModem joins two serial ports, whose paths it puts into two variables.
func nullModem(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 2 {
			ts.Fatalf("usage: nullmodem VAR VAR")
		}
		one, oneName := haltest.Pty(t)
		two, twoName := haltest.Pty(t)
		ts.Setenv(args[0], oneName)
		ts.Setenv(args[1], twoName)
		go func() { _, _ = io.Copy(one, two) }()
		go func() { _, _ = io.Copy(two, one) }()
		ts.Defer(func() { _, _ = one.Close(), two.Close() })
	}
}

// hup sends a program SIGHUP, or the signal USR1.
func hup(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: hup NAME [usr1]")
	}
	p := ts.Value(running{}).(*programs).byName[args[0]]
	if p == nil {
		ts.Fatalf("%s is not running", args[0])
	}
	sig := syscall.SIGHUP
	if len(args) == 2 {
		sig = syscall.SIGUSR1
	}
	ts.Check(p.cmd.Process.Signal(sig))
}

// listens collects what is sent to a datagram socket in a file, as systemd and a syslog daemon do.
func listens(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: listens SOCKET FILE")
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: ts.MkAbs(args[0])})
	ts.Check(err)
	file, err := appendTo(ts.MkAbs(args[1]))
	ts.Check(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			_, _ = file.Write(append(buf[:n:n], '\n'))
		}
	}()
	ts.Defer(func() {
		_ = conn.Close()
		<-done
		_ = file.Close()
	})
}

// mkfifo makes a file that takes what a device takes. Somebody reads it, so that writing never
// waits; fed looks at what came.
func mkfifo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: mkfifo FILE")
	}
	path := ts.MkAbs(args[0])
	ts.Check(syscall.Mkfifo(path, 0o600))
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	ts.Check(err)
	file, err := appendTo(path + ".eaten")
	ts.Check(err)
	go func() { _, _ = io.Copy(file, reader) }()
	ts.Defer(func() { _, _ = reader.Close(), file.Close() })
}

// fed: the watchdog got more than one meal, and the magic V as the last thing.
func fed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fed FILE")
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		eaten, err := os.ReadFile(ts.MkAbs(args[0] + ".eaten"))
		ts.Check(err)
		n := len(eaten)
		if n > 2 && eaten[n-1] == 'V' && !strings.ContainsRune(string(eaten[:n-1]), 'V') {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("it has eaten %q", eaten)
		}
	}
}

// get asks an HTTP server behind a Unix socket, and prints status and body.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: get SOCKET PATH")
	}
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", ts.MkAbs(args[0]))
		},
	}}
	answer, err := client.Get("http://reversald" + args[1])
	ts.Check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	_, _ = fmt.Fprintf(ts.Stdout(), "%d %s", answer.StatusCode, body)
}

// Rule: sockets that systemd hands over by name are used as they are, and nothing else is opened.
func TestSocketsHandedOver(t *testing.T) {
	dir := t.TempDir()
	app, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer app.Close()
	socket, err := net.Listen("unix", dir+"/handed.sock")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	appFile, err := app.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	socketFile, err := socket.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/c.yaml", []byte("any_filesystem: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for names, want := range map[string]int{"iso:api": 0, "iso:web": exitUnavailable} {
		cmd := command(dir, append(os.Environ(), "XDG_STATE_HOME="+dir), "sh", "-c",
			"LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES="+names+" exec reversald-shipped run -c c.yaml")
		cmd.ExtraFiles = []*os.File{appFile, socketFile}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		if want == 0 {
			if !strings.Contains(line, "listening on "+app.Addr().String()) {
				t.Errorf("it says %q", line)
			}
			client := api.NewClient(dir+"/handed.sock", patience)
			if s, err := client.Status(context.Background()); err != nil || s.PID != cmd.Process.Pid {
				t.Errorf("status: pid %d, %v", s.PID, err)
			}
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit code %d, want %d", names, got, want)
		}
	}
}

const exitUnavailable = 69
