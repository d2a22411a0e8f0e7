// Command footprint measures what a shipped reversald takes of a terminal: resident memory at rest
// and with 64 apps connected, and the time from its start to its first listening.
//
// An empty Go program is started in the same way and its memory told beside it: the difference is
// ours. Under an emulator that difference still holds the emulator's translation of our code, twice
// the code itself, so it has no goal there; make smoke-system reads the memory of a whole ARM
// machine from its own kernel. One figure a line: name, value, unit, goal, ok or short.
package main

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// clients is the default of app_connections_max, so as many as can be connected at once.
	clients = 64
	// settle is how long memory is left alone before it is read.
	settle = 1500 * time.Millisecond
	// patience is how long a program may take to start, under an emulator on a busy machine.
	patience = time.Minute

	idleGoal, loadedGoal = 16.0, 32.0 // MiB
)

func main() {
	name := flag.String("name", "amd64", "what the figures are called")
	reversald := flag.String("reversald", "bin/amd64/reversald", "its command line")
	emulator := flag.String("emulator", "", "command line of the emulator; empty: none")
	environment := flag.String("goenv", "", "environment that builds for the target")
	flag.Parse()
	if err := measure(*name, *reversald, *emulator, strings.Fields(*environment)); err != nil {
		fmt.Fprintln(os.Stderr, "footprint:", err)
		os.Exit(1)
	}
}

func measure(name, reversald, emulator string, environment []string) error {
	dir, err := os.MkdirTemp("", "footprint-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	empty, err := emptyProgram(dir, environment)
	if err != nil {
		return err
	}
	nothing, err := start(append(strings.Fields(emulator), empty)...)
	if err != nil {
		return err
	}
	least, err := nothing.resident()
	nothing.stop()
	if err != nil {
		return err
	}
	config := filepath.Join(dir, "reversald.yaml")
	text := fmt.Sprintf("host: \"127.0.0.1:9\"\nlisten: \"127.0.0.1:0\"\njournal: %q\nsocket: %q\n"+
		"any_filesystem: true\n", filepath.Join(dir, "journal.db"), filepath.Join(dir, "s.sock"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	daemon, err := start(append(strings.Fields(reversald), "run", "--config", config)...)
	if err != nil {
		return err
	}
	defer daemon.stop()
	idle, err := daemon.resident()
	if err != nil {
		return err
	}
	loaded, err := daemon.loaded()
	if err != nil {
		return err
	}
	goal := emulator == ""
	figure("start_to_listening_"+name, float64(daemon.took.Microseconds())/1000, "ms", 0)
	figure("resident_empty_program_"+name, least, "MiB", 0)
	figure("resident_idle_"+name, idle, "MiB", when(goal, idleGoal))
	figure("resident_idle_less_empty_"+name, idle-least, "MiB", 0)
	figure("resident_64_clients_"+name, loaded, "MiB", when(goal, loadedGoal))
	figure("resident_64_clients_less_empty_"+name, loaded-least, "MiB", 0)
	return nil
}

func when(is bool, goal float64) float64 {
	if is {
		return goal
	}
	return 0
}

// figure prints one; a goal of 0 is none.
func figure(name string, value float64, unit string, goal float64) {
	verdict, wanted := "ok", "none"
	if goal > 0 {
		wanted = fmt.Sprintf("<=%g", goal)
		if value > goal {
			verdict = "short"
		}
	}
	fmt.Printf("%s %.2f %s %s %s\n", name, value, unit, wanted, verdict)
}

// emptyProgram builds a Go program that listens and does nothing else.
func emptyProgram(dir string, environment []string) (string, error) {
	source, path := filepath.Join(dir, "empty.go"), filepath.Join(dir, "empty")
	err := os.WriteFile(source, []byte(`package main

import (
	"fmt"
	"net"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("listening on", l.Addr())
	_, _ = l.Accept()
}
`), 0o600)
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, source)
	// Outside of any module, so that the Go of the oldest target takes it as well.
	build.Dir = dir
	build.Env = append(append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux"), environment...)
	build.Env = append(build.Env, "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the empty program: %w: %s", err, out)
	}
	return path, nil
}

// process is a program that has said what it listens on.
type process struct {
	cmd     *exec.Cmd
	address string
	took    time.Duration
}

var listening = regexp.MustCompile(`listening on (\S+)`)

func start(argv ...string) (*process, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	silent := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	took := time.Since(began)
	silent.Stop()
	found := listening.FindStringSubmatch(line)
	if found == nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, fmt.Errorf("%s did not start: %q", strings.Join(argv, " "), line)
	}
	return &process{cmd, found[1], took}, nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

var residentLine = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// resident is what the kernel says the process holds, in MiB, after it was left alone.
func (p *process) resident() (float64, error) {
	time.Sleep(settle)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	found := residentLine.FindSubmatch(status)
	if found == nil {
		return 0, errors.New("the kernel tells no VmRSS")
	}
	kilobytes, err := strconv.ParseFloat(string(found[1]), 64)
	return kilobytes / 1024, err
}

// loaded connects as many apps as may, and reads again.
func (p *process) loaded() (float64, error) {
	var failed error
	for range clients {
		app, err := net.Dial("tcp", p.address)
		if err != nil {
			failed = cmp.Or(failed, err)
			continue
		}
		defer func() { _ = app.Close() }()
	}
	if failed != nil {
		return 0, failed
	}
	return p.resident()
}
