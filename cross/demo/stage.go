package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// patience bounds every wait of the demo.
const patience = 20 * time.Second

// stage is what the scenes play on: a daemon, a host, and the tills' memory of what they were told.
type stage struct {
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
	shown     map[string]int // how many sales a scene has shown already
}

func openStage(reversald, acquirerd []string) (*stage, error) {
	dir, err := os.MkdirTemp("", "reversald-demo-")
	if err != nil {
		return nil, err
	}
	st := &stage{dir: dir, reversald: reversald, acquirerd: acquirerd, shown: map[string]int{}}
	st.hostProc, st.hostAddr, err = st.start("acquirerd", append(acquirerd, "serve",
		"--listen", "127.0.0.1:0", "--books", st.path("books.jsonl"),
		"--control", st.path("host.sock"))...)
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
	st.say("reversald on %s, journal and ring in %s\n", st.appAddr, "a temporary folder")
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
		append(st.reversald, "run", "--config", st.path("reversald.yaml"))...)
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
	defer log.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	lines := bufio.NewReader(out)
	line, _ := lines.ReadString('\n')
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
	argv := append(append([]string{}, st.reversald...), args...)
	argv = append(argv, "--socket", st.path("reversald.sock"))
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	return string(out), err
}

// askHost runs a command against the host and returns what it printed.
func (st *stage) askHost(args ...string) (string, error) {
	argv := append(append([]string{}, st.acquirerd...), args...)
	argv = append(argv, "--control", st.path("host.sock"))
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("acquirerd %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
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
func until(what string, is func() bool) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if is() {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("waited in vain for " + what)
}

// waitHost waits until the host's books hold a sale in a state.
func (st *stage) waitHost(stan, state string) error {
	return until("the host to book "+stan, func() bool {
		e, ok := st.bookOf(stan)
		return ok && e.State == state
	})
}

// status is what `reversald status --json` says, as far as the demo needs it.
type status struct {
	Link  string `json:"link"`
	Open  int    `json:"open"`
	Owed  int    `json:"owed"`
	Stuck int    `json:"stuck"`
}

// settle waits until the line is up and nothing is owed.
func (st *stage) settle() error {
	return until("the reversals to be answered", func() bool {
		out, err := st.ask("status", "--json")
		if err != nil {
			return false
		}
		var s status
		if json.Unmarshal([]byte(out), &s) != nil {
			return false
		}
		return s.Link == "up" && s.Owed == 0 && s.Open == s.Stuck
	})
}

func (st *stage) say(format string, args ...any) { fmt.Printf(format, args...) }

// sayLines prints what somebody saw, line by line.
func (st *stage) sayLines(who, text string) {
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		st.say("    %-9s %s\n", who, line)
	}
}
