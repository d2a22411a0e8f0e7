package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// host is acquirerd on this side: the acquirer that the machine calls, and the till that sells.
type host struct {
	ctx     context.Context //nolint:containedctx // one for the whole run
	program string
	dir     string
	serving *exec.Cmd
	port    string
}

// booked is one entry of its books.
type booked struct {
	STAN      string `json:"stan"`
	State     string `json:"state"` // debited, reversed, declined, never-seen
	Reversals int    `json:"reversals"`
}

// told is what a till was told of its sale.
type told struct {
	Code    string `json:"code"`
	Outcome string `json:"outcome"` // approved, declined, unknown
	Words   string `json:"words"`
}

func openHost(ctx context.Context, program, dir string) (*host, error) {
	h := &host{ctx: ctx, program: program, dir: dir}
	h.serving = exec.CommandContext(ctx, program, "serve", "--listen", "127.0.0.1:0",
		"--books", filepath.Join(dir, "books.jsonl"), "--control", h.control())
	h.serving.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	h.serving.Stderr = os.Stderr
	out, err := h.serving.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := h.serving.Start(); err != nil {
		return nil, err
	}
	said := make([]byte, 4096)
	n, err := out.Read(said)
	found := regexp.MustCompile(`listening on 127\.0\.0\.1:(\d+)`).FindSubmatch(said[:n])
	if err != nil || found == nil {
		return nil, fmt.Errorf("acquirerd did not start: %s", said[:n])
	}
	h.port = string(found[1])
	return h, nil
}

func (h *host) control() string { return filepath.Join(h.dir, "host.sock") }

func (h *host) close() {
	_ = h.serving.Process.Signal(syscall.SIGTERM)
	_ = h.serving.Wait()
}

func (h *host) run(args ...string) ([]byte, error) {
	args = append(args, "--control", h.control())
	out, err := exec.CommandContext(h.ctx, h.program, args...).Output()
	if err != nil {
		return nil, fmt.Errorf("acquirerd %s: %w", strings.Join(args, " "), err)
	}
	return out, nil
}

func (h *host) behave(manners string) error {
	_, err := h.run("behave", manners)
	return err
}

func (h *host) books() (map[string]booked, error) {
	out, err := h.run("books", "--json")
	if err != nil {
		return nil, err
	}
	var books struct {
		Entries []booked `json:"entries"`
	}
	if err := json.Unmarshal(out, &books); err != nil {
		return nil, err
	}
	found := map[string]booked{}
	for _, entry := range books.Entries {
		found[entry.STAN] = entry
	}
	return found, nil
}

// waitFor waits until a sale is booked in this state, and returns when that was seen.
func (h *host) waitFor(stan, state string) (time.Time, error) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		books, err := h.books()
		if err != nil {
			return time.Time{}, err
		}
		if books[stan].State == state {
			return time.Now(), nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Time{}, fmt.Errorf("the host never booked sale %s as %s", stan, state)
}

// sale is a till that waits for its answer.
type sale struct {
	stan string
	cmd  *exec.Cmd
	out  bytes.Buffer
}

func (h *host) sell(stan, amount string, appPort int) (*sale, error) {
	s := &sale{stan: stan}
	s.cmd = exec.CommandContext(h.ctx, h.program, "sell", "--json", "--tid", "MACHINE1",
		"--to", fmt.Sprintf("127.0.0.1:%d", appPort), "--stan", stan, "--amount", amount,
		"--timeout", "60s")
	s.cmd.Stdout = &s.out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return s, s.cmd.Start()
}

// wait returns what the till was told; a line that dropped is told as unknown.
func (s *sale) wait() (told, error) {
	var t told
	_ = s.cmd.Wait() // its exit code says the same as its words
	if err := json.Unmarshal(s.out.Bytes(), &t); err != nil {
		return t, fmt.Errorf("sale %s: %w: %s", s.stan, err, s.out.String())
	}
	return t, nil
}
