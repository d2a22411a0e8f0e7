package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// patience bounds every wait of the drill.
const patience = 30 * time.Second

// drill is a terminal with a dead network, a technician's laptop, and the cable between them.
type drill struct {
	ctx                  context.Context //nolint:containedctx // one for the whole of the drill
	dir                  string
	reversald, acquirerd string
	running              []*exec.Cmd
	host, app            string // addresses
	net                  *network
	wire                 *wire
	screens              bool
	shown                []string // every screen so far that a document may show
	stan                 int
}

// setting is a cable and a terminal to drill with.
type setting struct {
	baud    int
	noise   float64 // the part of the bytes that is hit
	timeout string  // of the host
}

var visit = setting{baud: 115200, timeout: "1s"}

// programs are what is drilled, and until when.
type programs struct {
	ctx                  context.Context //nolint:containedctx // one for the whole of the drill
	reversald, acquirerd string
	terminal             []string // the daemon, if it is not the laptop's reversald
}

func open(p programs, s setting) (_ *drill, err error) {
	dir, err := os.MkdirTemp("", "reversald-drill-")
	if err != nil {
		return nil, err
	}
	d := &drill{ctx: p.ctx, dir: dir}
	defer func() {
		if err != nil {
			d.close(false)
		}
	}()
	if d.reversald, err = filepath.Abs(p.reversald); err != nil {
		return nil, err
	}
	if d.acquirerd, err = filepath.Abs(p.acquirerd); err != nil {
		return nil, err
	}
	if d.wire, err = layWire(dir, s.baud, s.noise); err != nil {
		return nil, err
	}
	d.host, err = d.start("acquirerd", d.acquirerd, "serve", "--listen", "127.0.0.1:0",
		"--books", d.path("books.jsonl"), "--control", d.path("host.sock"))
	if err != nil {
		return nil, err
	}
	if d.net, err = newNetwork(d.host); err != nil {
		return nil, err
	}
	public, err := d.command(d.reversald, "tech", "keygen", "li.wei", "--no-passphrase",
		"--key", d.path("tech.key"))
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf("terminal: T0000001\nhost: %q\nlisten: 127.0.0.1:0\njournal: %q\n"+
		"socket: %q\nhost_timeout: %s\nentry_wait: 1s\nredial_min: 50ms\nredial_max: 500ms\n"+
		"any_filesystem: true\nconsole:\n  port: %q\n  baud: %d\n  keys: [%q]\n  relay_hosts: %q\n",
		d.net.listener.Addr(), d.path("journal.db"), d.path("reversald.sock"), s.timeout,
		d.wire.terminal, s.baud, strings.TrimSpace(public), d.host)
	if err := os.WriteFile(d.path("reversald.yaml"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	daemon := p.terminal
	if len(daemon) == 0 {
		daemon = []string{d.reversald}
	}
	daemon = append(slices.Clone(daemon), "run", "--config", d.path("reversald.yaml"))
	d.app, err = d.start("reversald", daemon...)
	return d, err
}

// sit puts a technician in front of a screen.
func (d *drill) sit() error {
	_, err := d.tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", d.dir,
		"env", "PS1=laptop$ ", "HISTFILE=",
		"PATH="+filepath.Dir(d.reversald)+":"+os.Getenv("PATH"), "bash", "--norc")
	return err
}

func (d *drill) path(name string) string { return filepath.Join(d.dir, name) }

var listening = regexp.MustCompile(`listening on (\S+)|listening (\S+)`)

// start runs a program until it says what it listens on.
func (d *drill) start(name string, argv ...string) (address string, err error) {
	log, err := os.OpenFile(d.path(name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { _ = log.Close() }()
	cmd := d.program(argv...)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	d.running = append(d.running, cmd)
	silent := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	line, _ := lines.ReadString('\n')
	silent.Stop()
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	found := listening.FindStringSubmatch(line)
	if found == nil {
		return "", fmt.Errorf("%s did not start: %s%s", name, line, d.tail(name+".log"))
	}
	return found[1] + found[2], nil
}

// program is one that dies with the drill.
func (d *drill) program(argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(d.ctx, argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// close ends every program, and removes what they wrote unless it is to be kept.
func (d *drill) close(keep bool) {
	_, _ = d.tmux("kill-server")
	for _, cmd := range d.running {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = cmd.Wait()
	}
	if d.net != nil {
		d.net.die()
	}
	if d.wire != nil {
		d.wire.close()
	}
	if keep {
		fmt.Printf("kept in %s\n", d.dir)
		return
	}
	_ = os.RemoveAll(d.dir)
}

// tail is the end of a log.
func (d *drill) tail(name string) string {
	const most = 3000
	text, _ := os.ReadFile(d.path(name))
	return string(text[max(0, len(text)-most):])
}

// command runs a program to its end, and gives what it printed.
func (d *drill) command(argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(d.ctx, patience)
	defer cancel()
	//nolint:gosec // G702: it runs what it was told to run
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return string(out), fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, exit.Stderr)
		}
	}
	return string(out), err
}

// tmux talks to a server of its own, with no configuration of this user.
func (d *drill) tmux(args ...string) (string, error) {
	return d.command(append([]string{"tmux", "-f", "/dev/null", "-S", d.path("tmux.sock")},
		args...)...)
}

// screen is what the technician sees: 24 lines of 80.
func (d *drill) screen() (string, error) {
	text, err := d.tmux("capture-pane", "-p")
	return strings.TrimRight(text, "\n "), err
}

// press types keys by tmux's names; write types a text.
func (d *drill) press(keys ...string) error {
	_, err := d.tmux(append([]string{"send-keys"}, keys...)...)
	return err
}

func (d *drill) write(text string) error {
	_, err := d.tmux("send-keys", "-l", text)
	return err
}

// line types a line and ENTER on a screen that has been wiped.
func (d *drill) line(text string) error {
	return errors.Join(d.write(text), d.press("Enter"))
}

// sees waits until the screen matches an expression.
func (d *drill) sees(want string) error {
	pattern := regexp.MustCompile(want)
	return d.until(fmt.Sprintf("%q on the screen", want), func() bool {
		screen, err := d.screen()
		return err == nil && pattern.MatchString(screen)
	})
}

// show keeps the screen for the document, and prints it where that is wanted.
func (d *drill) show() error {
	screen, err := d.screen()
	if err != nil {
		return err
	}
	screen = strings.ReplaceAll(screen, d.dir+"/", "")
	d.shown = append(d.shown, screen)
	if !d.screens {
		return nil
	}
	for _, line := range strings.Split(screen, "\n") {
		fmt.Printf("    %s\n", line)
	}
	return nil
}

func (d *drill) until(what string, is func() bool) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if is() {
			return nil
		}
		select {
		case <-d.ctx.Done():
			return d.ctx.Err()
		case <-time.After(30 * time.Millisecond):
		}
	}
	return errors.New("waited in vain for " + what)
}
