package main_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// stage is an acquirer and a daemon in front of it, as real processes in a directory of their own.
type stage struct {
	t         *testing.T
	dir       string
	reversald string // which binary
	env       []string
	hostAddr  string
	posAddr   string
	pos       *program
	said      bytes.Buffer // everything any command printed
}

// quick lets a rehearsal pass in seconds; terminals use the defaults.
const quick = `host_timeout: 1s
entry_wait: 5s
redial_min: 20ms
redial_max: 100ms
app_frame_timeout: 1s
any_filesystem: true
`

func newStage(t *testing.T, reversald, profile, config string, manners ...string) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir(), reversald: reversald}
	s.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "XDG_STATE_HOME=" + s.dir, "GORACE=" + raceOptions,
	}
	if err := os.WriteFile(s.path("pos.yaml"), []byte(quick+config+"profile: "+profile+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	host, address, err := launch(s.dir, "host", s.env, []string{
		"acquirerd", "serve", "--listen", "127.0.0.1:0", "--log", "--profile", profile,
		"--manners", strings.Join(manners, ";"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.end(os.Kill) })
	s.hostAddr, s.posAddr = address, "127.0.0.1:0"
	s.start()
	return s
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) start() {
	s.t.Helper()
	var err error
	s.pos, s.posAddr, err = launch(s.dir, "pos", s.env, []string{
		s.reversald, "run", "-c", "pos.yaml", "--listen", s.posAddr, "--host", s.hostAddr,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	p := s.pos
	s.t.Cleanup(func() {
		p.end(os.Kill)
		if log := s.read("pos.err"); strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic:") {
			s.t.Errorf("the daemon's log: %s", log)
		}
	})
}

// do runs a command to its end, and gives what it printed and its exit code.
func (s *stage) do(prog string, args ...string) (stdout string, code int) {
	s.t.Helper()
	if prog == "reversald" {
		prog = s.reversald
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, prog, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	var out, errout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errout
	_ = cmd.Run()
	s.said.Write(out.Bytes())
	s.said.Write(errout.Bytes())
	if cmd.ProcessState == nil {
		s.t.Fatalf("%s did not start", prog)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// sell wants an exit code of a till.
func (s *stage) sell(wantExit, stan int, more ...string) {
	s.t.Helper()
	args := append([]string{"sell", "--to", s.posAddr, "--stan", strconv.Itoa(stan), "--timeout", "15s"}, more...)
	if out, code := s.do("acquirerd", args...); code != wantExit {
		s.t.Errorf("sale %d: exit code %d, want %d: %s", stan, code, wantExit, out)
	}
}

func (s *stage) read(name string) string {
	content, err := os.ReadFile(s.path(name))
	if err != nil {
		s.t.Error(err)
	}
	return string(content)
}

// wait waits until something holds.
func (s *stage) wait(what string, holds func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	s.t.Fatalf("waited in vain for %s; the daemon's log:\n%s", what, s.read("pos.err"))
}

func (s *stage) waitStatus(word string) {
	s.t.Helper()
	s.wait(word, func() bool {
		out, _ := s.do("reversald", "status", "--json")
		return strings.Contains(out, word)
	})
}

// peakKiB is the most memory the daemon has had at once.
func (s *stage) peakKiB() int {
	s.t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pos.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, line := range strings.Split(string(content), "\n") {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			if err != nil {
				s.t.Fatal(err)
			}
			return n
		}
	}
	s.t.Fatal("the kernel does not say how much memory the daemon has")
	return 0
}
