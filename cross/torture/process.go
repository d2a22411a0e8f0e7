package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience bounds every wait for something that must come.
const patience = 30 * time.Second

// process is a program of ours that runs.
type process struct {
	cmd   *exec.Cmd
	ready chan struct{} // closed when it has said its first line, or ended
	first string        // that line
	ended chan struct{}
	err   error // how it ended

	mu   sync.Mutex
	said bytes.Buffer // on standard error, the end of it
}

// saidMax is how much of what a program says is kept.
const saidMax = 64 << 10

// Write keeps what the program says on standard error.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.said.Len()+len(b) > saidMax {
		p.said.Reset()
	}
	return p.said.Write(b)
}

func (p *process) words() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.TrimSpace(p.said.String())
}

// launch starts a program in a group of its own, that dies with us. lines, if not nil, gets every
// line that it prints.
func launch(lines func([]byte), argv ...string) (*process, error) {
	return launchWith(nil, lines, argv...)
}

// launchWith also gives it a standard input.
func launchWith(in *os.File, lines func([]byte), argv ...string) (*process, error) {
	p := &process{ready: make(chan struct{}), ended: make(chan struct{})}
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = p
	if in != nil {
		p.cmd.Stdin = in
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		r := bufio.NewReaderSize(out, 64<<10)
		once := sync.Once{}
		for {
			line, err := r.ReadBytes('\n')
			once.Do(func() {
				p.first = string(line)
				close(p.ready)
			})
			if lines != nil && len(line) > 0 && err == nil {
				lines(line)
			}
			if err != nil {
				break
			}
		}
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// kill is the plug: no handler runs. all takes the children along, as a power cut does.
func (p *process) kill(all bool) {
	if all {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	} else {
		_ = p.cmd.Process.Kill()
	}
	<-p.ended
	if !all {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // what it has left behind, soon after
	}
}

// stop asks it to end, and kills it if it does not.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.kill(true)
	}
}

func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// waitFor waits until it has said that it listens.
func (p *process) waitFor(word string) error {
	select {
	case <-p.ready:
	case <-time.After(patience):
	}
	select {
	case <-p.ready:
	default:
		return fmt.Errorf("said nothing for %s: %s", patience, p.words())
	}
	if !strings.Contains(p.first, word) {
		<-p.ended
		return fmt.Errorf("did not start: %s %w: %s", p.first, p.err, p.words())
	}
	return nil
}

// ask runs a command to its end and decodes what it prints.
func ask(ctx context.Context, into any, argv ...string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", argv[0], argv[1], err, said.Bytes())
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(out, into)
}

// until waits for something to become true.
func until(ctx context.Context, what string, is func() error) error {
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if err = is(); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("waited in vain for %s: %w", what, err)
}

// freeAddress is one on loopback where nobody listens right now. It is not on 127.0.0.1: there the
// next connection of anybody could take the port while the daemon is dead.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.77.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// exitCode is that of a program that ran; -1 of one that was killed.
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

// number is how a seed stands on a command line.
func number(n uint64) string { return strconv.FormatUint(n, 10) }

// sizeOf is the length of a file, 0 of none.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

var _ io.Writer = (*process)(nil)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
