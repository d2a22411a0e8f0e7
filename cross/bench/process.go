package main

import (
	"bufio"
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

// process is a program under measurement.
type process struct {
	cmd     *exec.Cmd
	address string        // what it said it listens on
	took    time.Duration // from start to saying so
	log     *os.File
}

// readyWithin bounds how long a program may take to say that it listens.
const readyWithin = 60 * time.Second

var listening = regexp.MustCompile(`listening on (\S+)`)

// start runs a program and waits for it to say what it listens on. Its log goes to a file.
func startProcess(dir, name string, argv ...string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(dir, name+".log"),
		os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, log: log}
	first := make(chan string, 1)
	go func() {
		lines := bufio.NewReader(out)
		line, _ := lines.ReadString('\n')
		first <- line
		_, _ = io.Copy(io.Discard, lines)
	}()
	select {
	case line := <-first:
		p.took = time.Since(began)
		found := listening.FindStringSubmatch(line)
		if found == nil {
			p.kill()
			said, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("%s did not start: %q %s", name, line, said)
		}
		p.address = found[1]
		return p, nil
	case <-time.After(readyWithin):
		p.kill()
		return nil, fmt.Errorf("%s said nothing for %s", name, readyWithin)
	}
}

// kill ends the process and whatever it started, with KILL.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.cmd.Wait()
	_ = p.log.Close()
}

// stop asks the process to end, and insists after five seconds.
func (p *process) stop() error {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		_ = p.cmd.Wait()
		close(done)
	}()
	select {
	case <-done:
		_ = p.log.Close()
		return nil
	case <-time.After(5 * time.Second):
		p.kill()
		return errors.New("did not end on TERM")
	}
}

// pair is a host and a daemon in front of it.
type pair struct {
	host, daemon *process
	dir          string
}

// startHost starts an acquirer with its books in memory, so that only the daemon's disk counts.
func startHost(o options, dir string) (*process, error) {
	argv := append(strings.Fields(o.acquirerd), "serve", "--listen", "127.0.0.1:0",
		"--profile", "iso87-ascii", "--books", "none", "--control", filepath.Join(dir, "host.sock"))
	return startProcess(dir, "acquirerd", argv...)
}

// startDaemon starts a daemon on dir's journal towards host; before may put another program in
// front of it (strace).
func startDaemon(o options, dir, host string, before ...string) (*process, error) {
	config := filepath.Join(dir, "reversald.yaml")
	text := fmt.Sprintf("host: %q\nlisten: 127.0.0.1:0\njournal: %q\nsocket: %q\n"+
		"log_level: info\nredial_min: 10ms\nredial_max: 20ms\napp_connections_max: 512\n"+
		"any_filesystem: true\njournal_bytes_max: 1073741824\nlinger: %s\n",
		host, filepath.Join(dir, "journal.db"), filepath.Join(dir, "reversald.sock"), o.linger)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	argv := append(append(before, strings.Fields(o.reversald)...), "run", "--config", config)
	return startProcess(dir, "reversald", argv...)
}

func startPair(o options, dir string, before ...string) (*pair, error) {
	host, err := startHost(o, dir)
	if err != nil {
		return nil, err
	}
	daemon, err := startDaemon(o, dir, host.address, before...)
	if err != nil {
		host.kill()
		return nil, err
	}
	return &pair{host: host, daemon: daemon, dir: dir}, nil
}

func (p *pair) stop() {
	_ = p.daemon.stop()
	_ = p.host.stop()
}
