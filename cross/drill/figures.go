package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// reversals are relayed on every cable.
const reversals = 20

// figures prints what a cable costs: name value unit goal ok|short.
func figures(p programs) int {
	good := true
	say := func(name string, value float64, unit string, goal float64, atLeast bool) {
		verdict := "ok"
		if atLeast && value < goal || !atLeast && value > goal {
			verdict, good = "short", false
		}
		fmt.Printf("%s %.0f %s %.0f %s\n", name, value, unit, goal, verdict)
	}
	if err := consoleFigures(p, say); err != nil {
		fmt.Fprintf(os.Stderr, "drill: the console at 9600: %v\n", err)
		return 1
	}
	for _, s := range []setting{
		{baud: 9600}, {baud: 9600, noise: 0.001}, {baud: 115200}, {baud: 115200, noise: 0.004},
	} {
		s.timeout = "8s" // noise may cost an answer that long
		name := fmt.Sprintf("relay_%d", s.baud)
		if s.noise > 0 {
			name += fmt.Sprintf("_noise_%.1f%%", 100*s.noise)
		}
		took, right, err := relayFigures(p, s)
		if err != nil {
			fmt.Fprintf(os.Stderr, "drill: %s: %v\n", name, err)
			return 1
		}
		say(name+"_right", float64(right), "of_20", reversals, true)
		say(name+"_median", float64(took[len(took)/2].Milliseconds()), "ms", 2000, false)
		worst := 2000.0
		if s.noise > 0 {
			worst = 8000 // the host's time-out: a longer one is sent again
		}
		say(name+"_worst", float64(took[len(took)-1].Milliseconds()), "ms", worst, false)
	}
	if !good {
		return 1
	}
	return 0
}

// consoleFigures measures an order's way: from its ENTER to the first byte that is no echo, and to
// the prompt that follows.
func consoleFigures(p programs, say func(string, float64, string, float64, bool)) error {
	d, err := open(p, setting{baud: 9600, timeout: "1s"})
	if err != nil {
		return err
	}
	defer d.close(false)
	port, err := os.OpenFile(d.wire.laptop, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = port.Close() }()
	r := &listener{bytes: make(chan byte, 4096)}
	go r.listen(port)
	if err := logInRaw(d, port, r); err != nil {
		return err
	}
	for _, order := range []string{"status", "list", "help"} {
		var first, last []time.Duration
		for range 5 {
			begun := time.Now()
			if _, err := port.WriteString(order + "\r"); err != nil {
				return err
			}
			if _, err := r.until(order + "\r\n"); err != nil {
				return err
			}
			if _, err := r.next(); err != nil {
				return err
			}
			first = append(first, time.Since(begun))
			text, err := r.until("> ")
			for err == nil && strings.Contains(text, "-- more") {
				err = errors.New("the answer has pages")
			}
			if err != nil {
				return err
			}
			last = append(last, time.Since(begun))
		}
		slices.Sort(first)
		slices.Sort(last)
		say("console_9600_"+order+"_first_byte", float64(first[2].Milliseconds()), "ms", 250, false)
		say("console_9600_"+order+"_last_byte", float64(last[2].Milliseconds()), "ms", 3000, false)
	}
	return nil
}

// listener reads the laptop's port.
type listener struct{ bytes chan byte }

func (l *listener) listen(port *os.File) {
	in := bufio.NewReader(port)
	for {
		b, err := in.ReadByte()
		if err != nil {
			close(l.bytes)
			return
		}
		l.bytes <- b
	}
}

func (l *listener) next() (byte, error) {
	select {
	case b, ok := <-l.bytes:
		if !ok {
			return 0, errors.New("the port is gone")
		}
		return b, nil
	case <-time.After(patience):
		return 0, errors.New("nothing comes")
	}
}

// until reads until a text has come, and gives all up to its end. A page is turned.
func (l *listener) until(text string) (string, error) {
	var all []byte
	for !strings.HasSuffix(string(all), text) {
		b, err := l.next()
		if err != nil {
			return "", fmt.Errorf("waiting for %q in %q: %w", text, all, err)
		}
		all = append(all, b)
	}
	return string(all), nil
}

// logInRaw logs in without a terminal program.
func logInRaw(d *drill, port *os.File, r *listener) error {
	time.Sleep(time.Second)
	if _, err := port.WriteString("\r"); err != nil {
		return err
	}
	text, err := r.until("answer: ")
	if err != nil {
		return err
	}
	answer, err := d.command(d.reversald, "tech", "sign", challenge.FindString(text), "--key",
		d.path("tech.key"))
	if err != nil {
		return err
	}
	if _, err := port.WriteString(strings.TrimSpace(answer) + "\rlines 100\r"); err != nil {
		return err
	}
	if _, err := r.until("lines 100\r\n"); err != nil {
		return err
	}
	_, err = r.until("> ")
	return err
}

// relayFigures relays twenty reversals with the real programs at both ends, and takes from the
// journal how long each was on its way. Right are those the host's books show as reversed.
func relayFigures(
	p programs, s setting,
) (took []time.Duration, right int, err error) {
	d, err := open(p, s)
	if err != nil {
		return nil, 0, err
	}
	defer d.close(false)
	up := func(s status) bool { return s.Link == "up" }
	if err := d.waitStatus("the line", up); err != nil {
		return nil, 0, err
	}
	if err := d.behave("0200:silent", "0400:silent"); err != nil {
		return nil, 0, err
	}
	var tills sync.WaitGroup
	for i := range reversals {
		tills.Add(1)
		go func() {
			defer tills.Done()
			_, _ = d.command(d.acquirerd, "sell", "--to", d.app, "--amount", "10.00", "--tid",
				"T0000001", "--stan", strconv.Itoa(100+i), "--timeout", "20s")
		}()
	}
	tills.Wait()
	owed := func(s status) bool { return s.Owed == reversals }
	if err := d.waitStatus("twenty owed reversals", owed); err != nil {
		return nil, 0, err
	}
	d.net.die()
	if err := d.behave("--forget"); err != nil {
		return nil, 0, err
	}
	since := time.Now()
	if err := d.relayAll(); err != nil {
		return nil, 0, err
	}
	if took, err = d.times(since); err != nil {
		return nil, 0, err
	}
	books, err := d.command(d.acquirerd, "books", "--control", d.path("host.sock"))
	return took, len(regexp.MustCompile(`(?m)^T0000001 .* reversed `).FindAllString(books, -1)), err
}

// relayAll runs the laptop's program until nothing is owed.
func (d *drill) relayAll() error {
	name := "relay"
	log, err := os.Create(d.path(name + ".log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := d.program(d.reversald, "relay", "--port", d.wire.laptop, "--baud",
		strconv.Itoa(d.wire.baud), "--to", d.host, "--key", d.path("tech.key"))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}()
	for range 10 { // twenty reversals at 9600 in noise take longer than one patience
		err = d.waitStatus("the reversals", func(s status) bool { return s.Owed == 0 })
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: %s", err, d.tail("relay.log"))
}

// times are how long every reversal was on its way, from its first byte to its answer, sorted.
func (d *drill) times(since time.Time) ([]time.Duration, error) {
	out, err := d.command(d.reversald, "tail", "-n", "10000", "--json", "--socket",
		d.path("reversald.sock"))
	if err != nil {
		return nil, err
	}
	sent := map[uint64]time.Time{}
	var took []time.Duration
	lines := json.NewDecoder(strings.NewReader(out))
	for lines.More() {
		var e struct {
			ID   uint64    `json:"id"`
			Time time.Time `json:"time"`
			Kind string    `json:"kind"`
		}
		if err := lines.Decode(&e); err != nil {
			return nil, err
		}
		switch {
		case e.Time.Before(since):
		case e.Kind == "reversal sent" && sent[e.ID].IsZero():
			sent[e.ID] = e.Time
		case e.Kind == "reversed":
			took = append(took, e.Time.Sub(sent[e.ID]))
		}
	}
	if len(took) == 0 {
		return nil, errors.New("the journal shows no reversal")
	}
	slices.Sort(took)
	return took, nil
}
