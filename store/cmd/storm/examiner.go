package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"reversald/store"
)

// examiner looks at files in a process of its own, as the daemon has them looked at. The process is
// kept for the next look, until it has found something: what bbolt holds after a panic, a lock
// above all, only goes with its process.
type examiner struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Reader
}

// lookTime is what the daemon gives its examiner.
const lookTime = 5 * time.Second

func (x *examiner) look(o store.Options) (string, error) {
	if x.cmd == nil {
		if err := x.start(); err != nil {
			return "", err
		}
	}
	late := time.AfterFunc(lookTime, func() { _ = x.cmd.Process.Kill() })
	_, err := fmt.Fprintln(x.in, o.Path)
	line := ""
	if err == nil {
		line, err = x.lines.ReadString('\n')
	}
	late.Stop()
	if err != nil {
		x.end()
		return "the process that read it ended", nil //nolint:nilerr // which is a finding
	}
	word, text, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch word {
	case "sound":
		return "", nil
	case "found":
		x.end()
		return text, nil
	}
	x.end()
	return "", errors.New(text)
}

func (x *examiner) start() error {
	cmd := exec.Command(os.Args[0], "examine") //nolint:gosec,noctx // ourselves, killed by end
	cmd.Env = append(os.Environ(), stormAgain)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	x.in, x.lines = in, bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return err
	}
	x.cmd = cmd
	return nil
}

func (x *examiner) end() {
	if x.cmd == nil {
		return
	}
	x.in.Close()
	_ = x.cmd.Process.Kill()
	_ = x.cmd.Wait() // it was killed
	x.cmd = nil
}

// examine is the process: a path a line in, what was found a line out.
func examine(_ []string, stdout, _ io.Writer) error {
	if err := limitMemory(); err != nil {
		return err
	}
	paths := bufio.NewScanner(os.Stdin)
	for paths.Scan() {
		text, err := store.Examine(store.Options{Path: paths.Text()})
		line := "sound"
		switch {
		case err != nil:
			line = "failed " + err.Error()
		case text != "":
			line = "found " + text
		}
		if _, err := fmt.Fprintln(stdout, strings.ReplaceAll(line, "\n", " ")); err != nil {
			return err
		}
	}
	return paths.Err()
}
