package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"syscall"
)

// terminal is the till's DE41 throughout.
const terminal = "DEMO0001"

// sale is one sale and what its till was told.
type sale struct {
	st     *stage
	scene  string
	stan   string
	amount string
	cmd    *exec.Cmd
	out    bytes.Buffer
	done   bool
	told   told
}

// told is what `acquirerd sell --json` prints.
type told struct {
	Code    string `json:"code"`
	Outcome string `json:"outcome"` // approved, declined, unknown
	Words   string `json:"words"`
	Why     string `json:"why"`
}

// sell sells and waits for what the till is told.
func (st *stage) sell(amount string) (*sale, error) {
	s := st.beginSale(amount)
	return s, s.wait()
}

// beginSale starts a till that sells, and does not wait for it.
func (st *stage) beginSale(amount string) *sale { return st.begin(amount) }

// beginFrozenSale starts a till that asks and then never reads again.
func (st *stage) beginFrozenSale(amount string) *sale {
	s := st.begin(amount, "--frozen", "--echoes", "900")
	s.told = told{Outcome: "unknown", Words: "the app has frozen: nobody is told anything"}
	return s
}

func (st *stage) begin(amount string, more ...string) *sale {
	st.stan++
	s := &sale{st: st, scene: st.scene, stan: fmt.Sprintf("%06d", st.stan), amount: amount}
	argv := slices.Concat(st.acquirerd, []string{
		"sell", "--to", st.appAddr, "--tid", terminal, "--stan", s.stan,
		"--amount", amount, "--timeout", "15s", "--json",
	}, more)
	s.cmd = exec.CommandContext(st.ctx, argv[0], argv[1:]...)
	s.cmd.Stdout = &s.out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.told = told{Outcome: "unknown", Why: err.Error()}
		s.done = true
	}
	st.sales = append(st.sales, s)
	return s
}

// wait takes down what the till was told. Exit codes 1 and 2 (declined, unknown) are answers too.
func (s *sale) wait() error {
	if s.done {
		return nil
	}
	s.done = true
	err := s.cmd.Wait()
	if code := s.cmd.ProcessState.ExitCode(); code > 2 || code < 0 {
		return fmt.Errorf("the till ended with %w: %s", err, s.out.Bytes())
	}
	if err := json.Unmarshal(s.out.Bytes(), &s.told); err != nil {
		return fmt.Errorf("the till said %q: %w", s.out.Bytes(), err)
	}
	s.show()
	return nil
}

// show prints what the cashier sees.
func (s *sale) show() {
	words := s.told.Words
	if words == "" {
		words = s.told.Why
	}
	s.st.say("    cashier   %s %7s  %-8s %2s  %s\n", s.stan, s.amount, s.told.Outcome,
		orDash(s.told.Code), words)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// abandon ends a till that is not going to end by itself.
func (s *sale) abandon() {
	if s.done {
		return
	}
	s.done = true
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	_ = s.cmd.Wait()
	s.show()
}
