package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// outcome is what a whole run came to, the JSON of storm judge -json.
type outcome struct {
	States  map[string]int `json:"states"` // by kind
	All     int            `json:"all"`
	Bad     map[string]int `json:"bad"` // by what is wrong
	AllBad  int            `json:"all_bad"`
	Died    int            `json:"died"` // states that ended the process of their judge
	Rebuilt int            `json:"rebuilt"`
	Gone    int            `json:"gone"`
	First   []string       `json:"first"` // the first few of the bad
}

// firstMax is how many bad states are told of one by one.
const firstMax = 5

func (o *outcome) add(r *report, tr *trial) {
	for kind, n := range r.States {
		o.States[kind] += n
		o.All += n
	}
	o.Rebuilt += r.Rebuilt
	o.Gone += r.Gone
	for _, b := range r.Bad {
		o.Bad[b.Which]++
		o.AllBad++
		if len(o.First) < firstMax {
			o.First = append(o.First, fmt.Sprintf("state %d, %s: %s: %s\n    %s", b.N, b.Kind,
				b.Which, b.Text, tr.replay(b.N)))
		}
	}
}

// judge runs the workers, survives them, and says what they found.
func judge(args []string, stdout, stderr io.Writer) error {
	var tr trial
	flags := tr.flags(stderr)
	if err := flags.Parse(args); err != nil || tr.Log == "" {
		return exitError{exitUsage, errors.Join(errors.New("judge wants -log"), err)}
	}
	if tr.Only >= 0 {
		tr.Parts = 1
	}
	if err := tr.count(); err != nil {
		return err
	}
	if tr.Dir == "" {
		dir, err := memoryDir()
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		tr.Dir = dir
	}
	tr.Marks = tr.Dir + "/progress"
	if err := os.WriteFile(tr.Marks, make([]byte, 8*tr.Parts), 0o600); err != nil {
		return err
	}
	out := outcome{States: map[string]int{}, Bad: map[string]int{}}
	var mu sync.Mutex
	var wait sync.WaitGroup
	errs := make([]error, tr.Parts)
	for part := range tr.Parts {
		wait.Add(1)
		go func() {
			defer wait.Done()
			errs[part] = tr.follow(part, &out, &mu)
		}()
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := json.NewEncoder(stdout).Encode(out); err != nil {
		return err
	}
	if out.AllBad > 0 {
		return exitError{exitFound, fmt.Errorf("%d of %d states are bad", out.AllBad, out.All)}
	}
	return nil
}

// count finds how many states there are, where not all are wanted.
func (tr *trial) count() error {
	if tr.States == 0 {
		return nil
	}
	log, err := readLog(tr.Log)
	if err != nil {
		return err
	}
	return tr.each(log, func(s *state) error {
		tr.Total = s.n + 1
		return nil
	})
}

// memoryDir is where thousands of journals are opened that prove nothing about this disk.
func memoryDir() (string, error) {
	dir, err := os.MkdirTemp("/dev/shm", "storm-")
	if err != nil {
		return os.MkdirTemp("", "storm-")
	}
	return dir, nil
}

// follow runs one part to its end, over the dead bodies of its workers.
func (tr *trial) follow(part int, out *outcome, mu *sync.Mutex) error {
	const deathsMax = 20000
	after := tr.After
	for range deathsMax {
		err := tr.oneWorker(part, after, out, mu)
		if err == nil {
			return nil
		}
		at, perr := tr.progress(part)
		if perr != nil {
			return errors.Join(err, perr)
		}
		if at <= after {
			return err // it did not even begin
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() == exitFound || exit.ExitCode() == exitUsage {
			return err
		}
		mu.Lock()
		out.Died++
		out.add(&report{
			States: map[string]int{"ended the process": 1},
			Bad:    []bad{{at, "any", "DIED", err.Error()}},
		}, tr)
		mu.Unlock()
		after = at
	}
	return errors.New("the judges die like flies")
}

// progress is the last state that a worker of this part has begun; -1: none.
func (tr *trial) progress(part int) (int, error) {
	all, err := os.ReadFile(tr.Marks)
	if err != nil {
		return 0, err
	}
	return int(binary.LittleEndian.Uint64(all[part*8:])) - 1, nil
}

func (tr *trial) oneWorker(part, after int, out *outcome, mu *sync.Mutex) error {
	//nolint:gosec,noctx // ourselves, and it ends when its part does
	cmd := exec.Command(os.Args[0], tr.args(part, after)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.Env = append(os.Environ(), "GOTRACEBACK=none", "GOMAXPROCS=1", stormAgain)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := json.NewDecoder(bufio.NewReader(pipe))
	for {
		var r report
		if lines.Decode(&r) != nil {
			break
		}
		mu.Lock()
		out.add(&r, tr)
		mu.Unlock()
	}
	if err := cmd.Wait(); err != nil {
		text, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n\n")
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

// stormAgain tells a test binary that it is to be storm.
const stormAgain = "STORM_AGAIN=1"
