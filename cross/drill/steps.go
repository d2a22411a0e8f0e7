package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// step is one thing the technician does, and what must be seen.
type step struct {
	title string
	do    func(*drill) error
}

func steps() []step {
	return []step{
		{"before the visit: one reversal is stuck, one is owed, and the network dies", trouble},
		{"the technician plugs in, and starts picocom", plugIn},
		{"log in: the laptop signs the terminal's challenge", logIn},
		{"list what is stuck", listStuck},
		{"explain one: a number alone shows it", explain},
		{"replay it, and confirm by typing its number", replay},
		{"relay: the laptop lends its network", relay},
		{"back at the console: log in again, nothing is owed", nothingOwed},
		{"pull the evidence by YMODEM", evidence},
		{"log out", logOut},
		{"the books of the host", books},
	}
}

// sell plays a sale in front of the terminal. Its outcome is nobody's business here.
func (d *drill) sell(amount string) error {
	d.stan++
	out, err := d.command(d.acquirerd, "sell", "--to", d.app, "--amount", amount, "--tid",
		"T0000001", "--stan", strconv.Itoa(d.stan), "--timeout", "10s")
	if err != nil && out == "" {
		return err
	}
	return nil
}

func (d *drill) behave(manners ...string) error {
	_, err := d.command(append([]string{d.acquirerd, "behave", "--control", d.path("host.sock")},
		manners...)...)
	return err
}

type status struct {
	Link  string `json:"link"`
	Owed  int    `json:"owed"`
	Stuck int    `json:"stuck"`
}

func (d *drill) waitStatus(what string, is func(status) bool) error {
	return d.until(what, func() bool {
		var s status
		out, err := d.command(d.reversald, "status", "--json", "--socket", d.path("reversald.sock"))
		return err == nil && json.Unmarshal([]byte(out), &s) == nil && is(s)
	})
}

// trouble makes the terminal that somebody has to drive to.
func trouble(d *drill) error {
	if err := d.waitStatus("the line", func(s status) bool { return s.Link == "up" }); err != nil {
		return err
	}
	if err := d.behave("0200:silent x1", "0400:code=58 x1"); err != nil {
		return err
	}
	if err := d.sell("55.00"); err != nil {
		return err
	}
	stuck := func(s status) bool { return s.Stuck == 1 }
	if err := d.waitStatus("a stuck reversal", stuck); err != nil {
		return err
	}
	if err := d.behave("0200:silent x1", "0400:silent"); err != nil {
		return err
	}
	if err := d.sell("12.34"); err != nil {
		return err
	}
	owed := func(s status) bool { return s.Owed == 1 && s.Stuck == 1 }
	if err := d.waitStatus("an owed reversal", owed); err != nil {
		return err
	}
	d.net.die()
	if err := d.behave("--forget"); err != nil {
		return err
	}
	return d.waitStatus("a dead network", func(s status) bool { return s.Link != "up" })
}

func (d *drill) picocom() error {
	err := d.line("clear; picocom -q -b 115200 --noreset --receive-cmd 'rb -y' " + d.wire.laptop)
	if err != nil {
		return err
	}
	return d.until("picocom", func() bool {
		name, err := d.tmux("display-message", "-p", "#{pane_current_command}")
		return err == nil && strings.TrimSpace(name) == "picocom"
	})
}

func plugIn(d *drill) error { return d.picocom() }

var challenge = regexp.MustCompile(`RC1\.[A-Za-z0-9._-]+`)

const prompt = `reversald T0000001( \[\d stuck\])?>$`

func logIn(d *drill) error {
	var screen string
	err := d.until("a challenge", func() bool {
		if d.press("Enter") != nil {
			return false
		}
		for range 10 {
			var err error
			if screen, err = d.sees1(`answer:$`); err == nil {
				return true
			}
		}
		return false
	})
	if err != nil {
		return err
	}
	answer, err := d.command(d.reversald, "tech", "sign", challenge.FindString(screen), "--key",
		d.path("tech.key"))
	if err != nil {
		return err
	}
	if err := d.line(strings.TrimSpace(answer)); err != nil {
		return err
	}
	if err := d.sees(prompt); err != nil {
		return err
	}
	return d.show()
}

// sees1 looks once.
func (d *drill) sees1(want string) (string, error) {
	screen, err := d.screen()
	if err == nil && !regexp.MustCompile(want).MatchString(screen) {
		err = errors.New("not yet")
	}
	return screen, err
}

func (d *drill) say(line, want string) error {
	if err := d.line(line); err != nil {
		return err
	}
	err := d.sees(`(?s)> ` + regexp.QuoteMeta(line) + `\n.*` + want + `.*` + prompt)
	if err != nil {
		return err
	}
	return d.show()
}

func listStuck(d *drill) error {
	return d.say("stuck", `55\.00.*refuses`)
}

func explain(d *drill) error {
	return d.say("1", `55\.00`)
}

func replay(d *drill) error {
	id, err := d.stuckID()
	if err != nil {
		return err
	}
	if err := d.line("replay " + id + " --reason 'the host has mended its tables'"); err != nil {
		return err
	}
	if err := d.sees("again:$"); err != nil {
		return err
	}
	if err := d.line(id); err != nil {
		return err
	}
	if err := d.sees(`(?s)being reversed again.*` + prompt); err != nil {
		return err
	}
	return d.show()
}

func (d *drill) stuckID() (string, error) {
	out, _ := d.command(d.reversald, "stuck", "--json", "--socket", d.path("reversald.sock"))
	var first struct {
		ID uint64 `json:"id"`
	}
	line, _, _ := strings.Cut(strings.TrimLeft(out, "[\n "), "\n")
	if err := json.Unmarshal([]byte(strings.TrimRight(line, ",]")), &first); err != nil {
		return "", fmt.Errorf("what is stuck: %w: %s", err, out)
	}
	return strconv.FormatUint(first.ID, 10), nil
}

func relay(d *drill) error {
	if err := d.line("relay"); err != nil {
		return err
	}
	if err := d.sees("RELAY READY"); err != nil {
		return err
	}
	if err := d.show(); err != nil {
		return err
	}
	if err := d.press("C-a", "C-q"); err != nil {
		return err
	}
	if err := d.sees(`laptop\$ *$`); err != nil {
		return err
	}
	err := d.line("clear; reversald relay --port " + d.wire.laptop + " --to " + d.host)
	if err != nil {
		return err
	}
	done := func(s status) bool { return s.Owed == 0 && s.Stuck == 0 }
	if err := d.waitStatus("the reversals to go out over the cable", done); err != nil {
		return err
	}
	if err := d.press("C-c"); err != nil {
		return err
	}
	if err := d.sees(`(?s)opened.*the relay has ended.*laptop\$ *$`); err != nil {
		return err
	}
	return d.show()
}

func nothingOwed(d *drill) error {
	if err := d.picocom(); err != nil {
		return err
	}
	if err := logIn(d); err != nil {
		return err
	}
	return d.say("list", `none`)
}

func evidence(d *drill) error {
	if err := d.line("send evidence 1"); err != nil {
		return err
	}
	if err := d.sees("Start YMODEM receive"); err != nil {
		return err
	}
	if err := d.press("C-a", "C-r"); err != nil {
		return err
	}
	if err := d.sees(`file:|\*\*\*`); err != nil {
		return err
	}
	if err := d.press("Enter"); err != nil {
		return err
	}
	if err := d.sees(`(?s)sent\n.*` + prompt); err != nil {
		return err
	}
	files, err := filepath.Glob(d.path("evidence-T0000001-1.json"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("the laptop has %v, %w", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	var bundle struct {
		Evidence  json.RawMessage `json:"evidence"`
		Signature string          `json:"signature"`
	}
	if err := json.Unmarshal(text, &bundle); err != nil || bundle.Signature == "" {
		return fmt.Errorf("the evidence is no bundle: %w", err)
	}
	return d.show()
}

func logOut(d *drill) error {
	if err := d.line("logout"); err != nil {
		return err
	}
	if err := d.sees("logged out"); err != nil {
		return err
	}
	if err := d.press("C-a", "C-x"); err != nil {
		return err
	}
	return d.sees(`laptop\$ *$`)
}

// books: both debits are gone.
func books(d *drill) error {
	out, err := d.command(d.acquirerd, "books", "--control", d.path("host.sock"))
	if err != nil {
		return err
	}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		fmt.Printf("    %s\n", line)
	}
	if n := strings.Count(out, "reversed"); n < 2 {
		return errors.New("a debit is left")
	}
	return nil
}
