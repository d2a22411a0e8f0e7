package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longest is how long after a till has asked the plug is pulled at the latest; the host answers
// only after five seconds, so that is always in the middle of the sale.
const longest = 600 * time.Millisecond

// clients is how many apps are connected when the loaded memory is read.
const clients = 64

// story is one run: a host, a flash, and a machine that is switched on again and again.
type story struct {
	ctx     context.Context //nolint:containedctx // one for the whole run
	o       options
	dir     string
	host    *host
	machine *machine
	appPort int
	sales   map[string]told // by STAN
	chance  *rand.Rand
}

func play(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "reversald-machine-")
	if err != nil {
		return err
	}
	if o.keep {
		defer fmt.Println("kept in", dir)
	} else {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	fmt.Printf("seed %d\n", o.seed)
	s := &story{
		ctx: ctx, o: o, dir: dir, sales: map[string]told{},
		chance: rand.New(rand.NewPCG(o.seed, 0)),
	}
	if s.appPort, err = freePort(); err != nil {
		return err
	}
	if s.host, err = openHost(ctx, o.acquirerd, dir); err != nil {
		return err
	}
	defer s.host.close()
	// 10.0.2.2 is this side, seen through qemu's network.
	config := fmt.Sprintf("host: \"10.0.2.2:%s\"\nlisten: \"0.0.0.0:8582\"\n", s.host.port)
	config += devicesConfig
	if o.console {
		config += "console.port: \"/dev/ttyGS1\"\n"
	}
	err = initramfs(filepath.Join(dir, "initramfs.gz"), o.busybox, o.reversald, config)
	if err != nil {
		return err
	}
	if err := newFlash(flashPath(dir)); err != nil {
		return err
	}
	defer func() {
		if s.machine != nil {
			s.machine.pull()
		}
	}()
	return s.tell()
}

// tell is the whole story, and the figures at its end.
func (s *story) tell() error {
	if err := s.boot("a new terminal, its flash empty"); err != nil {
		return err
	}
	if err := s.goodSale("000001"); err != nil {
		return err
	}
	if err := s.memory(); err != nil {
		return err
	}
	for round := range s.o.rounds {
		if err := s.cut(round); err != nil {
			return err
		}
	}
	if err := s.warning(fmt.Sprintf("%06d", s.o.rounds+2)); err != nil {
		return err
	}
	if err := s.hang(fmt.Sprintf("%06d", s.o.rounds+3)); err != nil {
		return err
	}
	if err := s.goodSale(fmt.Sprintf("%06d", s.o.rounds+4)); err != nil {
		return err
	}
	answer, err := ask(s.dir, "reversald status; reversald tail -n 12")
	if err != nil {
		return err
	}
	fmt.Printf("\nthrough the cable (USB serial gadget), the newest of the journal\n")
	for _, line := range strings.Split(strings.TrimSpace(answer), "\n") {
		fmt.Println("    >", line)
	}
	if s.o.console {
		if err := s.visit(); err != nil {
			return err
		}
	}
	return s.balance()
}

// visit is that of somebody at the daemon's own console. The machine has nobody's key, so what is
// shown is that the cable reaches the console, and that it tells a stranger nothing else.
func (s *story) visit() error {
	heard, err := listenIn(s.dir, "", "", "help", "status")
	if err != nil {
		return err
	}
	fmt.Printf("\nat the daemon's own console, through another cable\n")
	for _, line := range strings.Split(strings.TrimSpace(heard), "\n") {
		fmt.Println("    >", strings.TrimRight(line, "\r"))
	}
	switch {
	case !strings.Contains(heard, "reversald"):
		return errors.New("the console did not answer")
	case strings.Contains(heard, "journal "):
		return errors.New("the console told a stranger the status")
	}
	return nil
}

// boot switches the machine on and waits until apps can connect.
func (s *story) boot(why string) error {
	fmt.Printf("\npower on: %s\n", why)
	var err error
	if s.machine, err = power(s.ctx, s.o, s.dir, s.appPort); err != nil {
		return err
	}
	started, err := s.machine.saw("starting reversald")
	if err != nil {
		return err
	}
	listening, err := s.machine.saw("listening on")
	if err != nil {
		return err
	}
	sincePower, sinceStart := listening.Sub(s.machine.began), listening.Sub(started)
	figure("machine_power_to_listening", sincePower.Seconds(), "s", "none", true)
	figure("machine_start_to_listening", sinceStart.Seconds(), "s", "none", true)
	return nil
}

func (s *story) goodSale(stan string) error {
	if err := s.settled(); err != nil {
		return err
	}
	if err := s.host.behave("good"); err != nil {
		return err
	}
	fmt.Printf("\na good sale, %s\n", stan)
	till, err := s.host.sell(stan, "12.34", s.appPort)
	if err != nil {
		return err
	}
	t, err := till.wait()
	if err != nil {
		return err
	}
	s.sales[stan] = t
	fmt.Printf("  cashier %s %s: %s\n", t.Outcome, t.Code, t.Words)
	if t.Outcome != "approved" {
		return errors.New("a good sale was not approved")
	}
	_, err = s.host.waitFor(stan, "debited")
	return err
}

// cut pulls the plug while the host has the sale and the till has no answer, at another moment in
// every round; the first time the host has certainly booked it.
func (s *story) cut(round int) error {
	stan := fmt.Sprintf("%06d", round+2)
	if err := s.settled(); err != nil {
		return err
	}
	if err := s.host.behave("0200:late=5s x1"); err != nil {
		return err
	}
	fmt.Printf("\na sale, %s, and the plug is pulled in the middle of it\n", stan)
	till, err := s.host.sell(stan, "77.00", s.appPort)
	if err != nil {
		return err
	}
	moment := "when the host had booked it"
	if round == 0 {
		if _, err := s.host.waitFor(stan, "debited"); err != nil {
			return err
		}
	} else {
		wait := time.Duration(s.chance.Int64N(int64(longest)))
		time.Sleep(wait)
		moment = fmt.Sprintf("%d ms after the till had asked", wait.Milliseconds())
	}
	s.machine.pull()
	fmt.Printf("  power off: %s\n", moment)
	t, err := till.wait()
	if err != nil {
		return err
	}
	s.sales[stan] = t
	books, err := s.host.books()
	if err != nil {
		return err
	}
	before := books[stan].State
	if before == "" {
		before = "never heard of it"
	}
	fmt.Printf("  cashier %s; host %s\n", t.Outcome, before)
	if err := s.boot("the same flash"); err != nil {
		return err
	}
	return s.afterwards(stan, before)
}

// afterwards waits for what must come of a sale that was cut.
func (s *story) afterwards(stan, before string) error {
	if before == "debited" {
		reversed, err := s.host.waitFor(stan, "reversed")
		if err != nil {
			return err
		}
		figure("machine_power_to_reversal", reversed.Sub(s.machine.began).Seconds(), "s", "<=60",
			reversed.Sub(s.machine.began) <= time.Minute)
		fmt.Printf("  host %s reversed\n", stan)
	}
	return s.settled()
}

// settled waits until the line is up and nothing is owed.
func (s *story) settled() error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		status, err := ask(s.dir, "reversald status --json")
		if err != nil {
			return err
		}
		if strings.Contains(status, `"link":"up"`) &&
			strings.Contains(status, `"open":0,"owed":0`) {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("something is still owed, or the line is down")
}

var resident = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// memory reads what the kernel says that the daemon holds, at rest and with apps connected.
func (s *story) memory() error {
	read := func() (float64, error) {
		answer, err := ask(s.dir, "grep VmRSS /proc/$(pidof reversald)/status")
		if err != nil {
			return 0, err
		}
		found := resident.FindStringSubmatch(answer)
		if found == nil {
			return 0, fmt.Errorf("no memory figure in %q", answer)
		}
		kilobytes, err := strconv.ParseFloat(found[1], 64)
		return kilobytes / 1024, err
	}
	idle, err := read()
	if err != nil {
		return err
	}
	figure("machine_resident_idle", idle, "MiB", "<=16", idle <= 16)
	for range clients {
		app, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.appPort))
		if err != nil {
			return err
		}
		defer func() { _ = app.Close() }()
	}
	time.Sleep(time.Second) // for the machine to take them in
	loaded, err := read()
	if err != nil {
		return err
	}
	figure("machine_resident_64_clients", loaded, "MiB", "<=32", loaded <= 32)
	return nil
}

// balance compares what tills were told with the host's books.
func (s *story) balance() error {
	books, err := s.host.books()
	if err != nil {
		return err
	}
	wrong := 0
	fmt.Println("\nthe books")
	for i := range s.o.rounds + 4 {
		stan := fmt.Sprintf("%06d", i+1)
		state := books[stan].State
		if state == "" {
			state = "never heard of it"
		}
		verdict := "ok"
		if (s.sales[stan].Outcome == "approved") != (state == "debited") {
			verdict = "WRONG"
			wrong++
		}
		fmt.Printf("  %s  cashier %-9s host %-18s %s\n",
			stan, s.sales[stan].Outcome, state, verdict)
	}
	if wrong > 0 {
		return fmt.Errorf("%d sales do not balance", wrong)
	}
	fmt.Println("they balance")
	return nil
}

func figure(name string, value float64, unit, goal string, good bool) {
	verdict := "ok"
	if !good {
		verdict = "short"
	}
	fmt.Printf("%s %.2f %s %s %s\n", name, value, unit, goal, verdict)
}

// freePort is a port of this machine that nobody had a moment ago.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.New("a TCP listener without a TCP address")
	}
	return address.Port, nil
}
