package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// patience bounds every wait of the demo.
const patience = 20 * time.Second

// stage is what the scenes play on: a daemon, a host, and the tills' memory of what they were told.
type stage struct {
	ctx       context.Context //nolint:containedctx // one for the whole of the demo
	dir       string
	reversald []string
	acquirerd []string
	hostProc  *exec.Cmd
	daemon    *exec.Cmd
	hostAddr  string
	appAddr   string
	scene     string
	stan      int
	sales     []*sale
	shown     map[string]int // by STAN: how much of its story was shown
}

func openStage(ctx context.Context, reversald, acquirerd []string) (*stage, error) {
	dir, err := os.MkdirTemp("", "reversald-demo-")
	if err != nil {
		return nil, err
	}
	st := &stage{
		ctx: ctx, dir: dir, reversald: reversald, acquirerd: acquirerd, shown: map[string]int{},
	}
	st.hostProc, st.hostAddr, err = st.start("acquirerd", slices.Concat(acquirerd, []string{
		"serve", "--listen", "127.0.0.1:0", "--books", st.path("books.jsonl"),
		"--control", st.path("host.sock"),
	})...)
	if err != nil {
		st.close(false)
		return nil, err
	}
	// The app's address must survive a restart, as a till's configuration does.
	st.appAddr = "127.0.0.1:0"
	if err := st.restart(); err != nil {
		st.close(false)
		return nil, err
	}
	st.say("host      acquirerd on %s, books in a file\n", st.hostAddr)
	st.say("reversald on %s, journal and ring in a temporary folder\n", st.appAddr)
	return st, nil
}

func (st *stage) path(name string) string { return filepath.Join(st.dir, name) }

// restart starts the daemon on the same journal and the same address.
func (st *stage) restart() error {
	config := fmt.Sprintf("host: %q\nlisten: %q\njournal: %q\nsocket: %q\n"+
		"host_timeout: 2s\nentry_wait: 1s\nredial_min: 50ms\nredial_max: 200ms\n"+
		"app_answers_max: 2048\n"+
		"any_filesystem: true # the temporary folder may be in memory\n",
		st.hostAddr, st.appAddr, st.path("journal.db"), st.path("reversald.sock"))
	if err := os.WriteFile(st.path("reversald.yaml"), []byte(config), 0o600); err != nil {
		return err
	}
	daemon, address, err := st.start("reversald",
		slices.Concat(st.reversald, []string{"run", "--config", st.path("reversald.yaml")})...)
	if err != nil {
		return err
	}
	if st.daemon != nil {
		st.say("    power     is back, reversald runs again\n")
	}
	st.daemon, st.appAddr = daemon, address
	return nil
}

// kill is our plug: no signal handler runs.
func (st *stage) kill() {
	st.say("    power     is cut: reversald is killed with KILL\n")
	_ = syscall.Kill(-st.daemon.Process.Pid, syscall.SIGKILL)
	_ = st.daemon.Wait()
}

var listening = regexp.MustCompile(`listening on (\S+)`)

// start runs a program until it says what it listens on.
func (st *stage) start(name string, argv ...string) (*exec.Cmd, string, error) {
	log, err := os.OpenFile(st.path(name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(st.ctx, argv[0], argv[1:]...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	// A program that says nothing is ended, and so is this wait.
	silent := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	line, _ := lines.ReadString('\n')
	silent.Stop()
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	found := listening.FindStringSubmatch(line)
	if found == nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		said, _ := os.ReadFile(log.Name())
		return nil, "", fmt.Errorf("%s did not start: %s%s", name, line, said)
	}
	return cmd, found[1], nil
}

// close ends both programs and removes what they wrote, unless it is to be kept.
func (st *stage) close(keep bool) {
	for _, cmd := range []*exec.Cmd{st.daemon, st.hostProc} {
		if cmd != nil && cmd.ProcessState == nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
			_ = cmd.Wait()
		}
	}
	for _, s := range st.sales {
		s.abandon()
	}
	if keep {
		st.say("kept in %s\n", st.dir)
		return
	}
	_ = os.RemoveAll(st.dir)
}

// ask runs a command against the daemon and returns what it printed.
func (st *stage) ask(args ...string) (string, error) {
	return st.run(st.reversald, args, "--socket", st.path("reversald.sock"))
}

// askHost runs a command against the host and returns what it printed.
func (st *stage) askHost(args ...string) (string, error) {
	out, err := st.run(st.acquirerd, args, "--control", st.path("host.sock"))
	if err != nil {
		return "", fmt.Errorf("acquirerd %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return out, nil
}

func (st *stage) run(program, args []string, more ...string) (string, error) {
	ctx, cancel := context.WithTimeout(st.ctx, patience)
	defer cancel()
	argv := slices.Concat(program, args, more)
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	return string(out), err
}

// exitCode is that of a program that ran; -1 of one that did not.
func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

func (st *stage) behave(manners ...string) error {
	_, err := st.askHost(append([]string{"behave"}, manners...)...)
	return err
}

func (st *stage) host(verb string) error {
	_, err := st.askHost(verb)
	return err
}

// until waits for something to become true.
func (st *stage) until(what string, is func() bool) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if is() {
			return nil
		}
		select {
		case <-st.ctx.Done():
			return st.ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return errors.New("waited in vain for " + what)
}

// waitHost waits until the host's books hold a sale in a state.
func (st *stage) waitHost(stan, state string) error {
	return st.until("the host to book "+stan, func() bool {
		e, _, err := st.bookOf(stan)
		return err == nil && e.State == state
	})
}

// status is what `reversald status --json` says, as far as the demo needs it.
type status struct {
	Link  string `json:"link"`
	Open  int    `json:"open"`
	Owed  int    `json:"owed"`
	Stuck int    `json:"stuck"`
}

// nothing: no payment needs anything any more, of the daemon or of a person.
func (s status) nothing() bool { return s.Owed == 0 && s.Open == 0 && s.Stuck == 0 }

func (st *stage) status() (status, error) {
	var s status
	out, err := st.ask("status", "--json")
	if err != nil {
		return s, fmt.Errorf("status: %w: %s", err, out)
	}
	return s, json.Unmarshal([]byte(out), &s)
}

// settle waits until the line is up and nothing is owed, open or stuck.
func (st *stage) settle() error {
	return st.until("the reversals to be answered", func() bool {
		s, err := st.status()
		return err == nil && s.Link == "up" && s.nothing()
	})
}

func (*stage) say(format string, args ...any) { fmt.Printf(format, args...) }

// sayLines prints what somebody saw, line by line.
func (st *stage) sayLines(who, text string) {
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		st.say("    %-9s %s\n", who, line)
	}
}
