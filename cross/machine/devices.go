package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// devicesConfig gives the daemon what init.sh and the kernel have made: a line of a simulated GPIO
// chip that is high while the power fails, and the kernel's watchdog in software, which resets the
// machine as a chip would.
const devicesConfig = `power.source: "gpio:/dev/gpiochip0:0"
watchdog.device: "/dev/watchdog"
watchdog.timeout: 30s
`

// powerLine is where the kernel lets a test pull the line up and down.
const powerLine = "/sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio0/pull"

// warning has the power line say that the power goes, and that it stays after all. In between no
// sale may leave the machine.
func (s *story) warning(stan string) error {
	fmt.Printf("\nthe power line (GPIO) warns, and a sale, %s, is tried\n", stan)
	if err := s.pullLine("pull-up"); err != nil {
		return err
	}
	if err := s.says(true, `"power_failing":true`); err != nil {
		return err
	}
	till, err := s.host.sell(stan, "5.00", s.appPort)
	if err != nil {
		return err
	}
	t, err := till.wait()
	if err != nil {
		return err
	}
	s.sales[stan] = t
	fmt.Printf("  cashier %s %s: %s\n", t.Outcome, t.Code, t.Words)
	books, err := s.host.books()
	if err != nil {
		return err
	}
	if books[stan].State != "" {
		return errors.New("a sale left while the power was failing")
	}
	if err := s.pullLine("pull-down"); err != nil {
		return err
	}
	return s.says(false, `"power_failing":true`)
}

// pullLine sets the power line. A shell looks for no pattern behind a ">".
func (s *story) pullLine(to string) error {
	answer, err := ask(s.dir, "echo "+to+" | tee "+powerLine)
	if err == nil && strings.TrimSpace(answer) != to {
		err = fmt.Errorf("the GPIO line: %s", answer)
	}
	return err
}

// hang stops the daemon dead in the middle of a sale. Nobody feeds the watchdog any more: it resets
// the machine, and the next boot reverses.
func (s *story) hang(stan string) error {
	if err := s.settled(); err != nil {
		return err
	}
	if err := s.host.behave("0200:silent x1"); err != nil {
		return err
	}
	fmt.Printf("\na sale, %s, and the daemon is stopped dead (SIGSTOP) in the middle of it\n", stan)
	till, err := s.host.sell(stan, "66.00", s.appPort)
	if err != nil {
		return err
	}
	if _, err := s.host.waitFor(stan, "debited"); err != nil {
		return err
	}
	if _, err := ask(s.dir, "kill -STOP $(pidof reversald)"); err != nil {
		return err
	}
	stopped := time.Now()
	if err := s.machine.resets(); err != nil {
		return err
	}
	figure("machine_hang_to_reset", time.Since(stopped).Seconds(), "s", "none", true)
	t, err := till.wait()
	if err != nil {
		return err
	}
	s.sales[stan] = t
	fmt.Printf("  cashier %s; host debited\n", t.Outcome)
	if err := s.boot("by the watchdog, the same flash"); err != nil {
		return err
	}
	return s.afterwards(stan, "debited")
}

// says waits until the status has this text in it, or has it no more.
func (s *story) says(want bool, text string) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		status, err := ask(s.dir, "reversald status --json")
		if err != nil {
			return err
		}
		if strings.Contains(status, `"link"`) && strings.Contains(status, text) == want {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("the status was to have %s: %v", text, want)
}

// resets waits until the machine has reset itself, at which qemu ends.
func (m *machine) resets() error {
	ended := make(chan struct{})
	go func() {
		_ = m.cmd.Wait() // how it ended is not the question
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-time.After(patience):
		return errors.New("the watchdog did not reset the machine")
	}
}
