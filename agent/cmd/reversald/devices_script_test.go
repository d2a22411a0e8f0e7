package main_test

import (
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

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
