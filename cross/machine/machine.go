package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience bounds every wait: an emulated machine on a busy host is slow, not dead.
const patience = 2 * time.Minute

// machine is one boot of the terminal.
type machine struct {
	cmd   *exec.Cmd
	began time.Time

	mu    sync.Mutex
	lines []moment
	grew  chan struct{} // closed and replaced with every line
}

// moment is a line that the machine printed, and when.
type moment struct {
	at   time.Time
	text string
}

// power switches the machine on. The flash is a file that every write of the machine goes into
// at once, so that a KILL of the emulator leaves what a chip would hold.
func power(ctx context.Context, o options, dir string, appPort int) (*machine, error) {
	cmd := exec.CommandContext(ctx, "qemu-system-arm",
		"-M", "virt,highmem=off", "-cpu", "cortex-a7", "-m", "128", "-nographic", "-no-reboot",
		"-kernel", o.kernel, "-initrd", filepath.Join(dir, "initramfs.gz"),
		"-append", "console=ttyAMA0 quiet panic=1 "+
			"mtdparts=0.flash:64m(boot),64m(data) ubi.mtd=data g_serial.n_ports=2",
		"-drive", "if=pflash,index=1,format=raw,cache=writethrough,file="+flashPath(dir),
		"-netdev", fmt.Sprintf("user,id=net,hostfwd=tcp:127.0.0.1:%d-:8582", appPort),
		"-device", "virtio-net-device,netdev=net",
		"-device", "qemu-xhci",
		"-chardev", "socket,id=cable,server=on,wait=off,path="+cablePath(dir),
		"-device", "usb-serial,chardev=cable,always-plugged=on",
		"-chardev", "socket,id=console,server=on,wait=off,path="+consolePath(dir),
		"-device", "usb-serial,chardev=console,always-plugged=on")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	m := &machine{cmd: cmd, began: time.Now(), grew: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go m.read(out)
	return m, nil
}

func flashPath(dir string) string { return filepath.Join(dir, "flash.img") }
func cablePath(dir string) string { return filepath.Join(dir, "cable.sock") }

// consolePath is a second cable, to the port that the daemon's own console has.
func consolePath(dir string) string { return filepath.Join(dir, "console.sock") }

// read keeps what the machine's console prints, and shows it.
func (m *machine) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), "\r")
		fmt.Printf("    | %s\n", line)
		m.mu.Lock()
		m.lines = append(m.lines, moment{time.Now(), line})
		close(m.grew)
		m.grew = make(chan struct{})
		m.mu.Unlock()
	}
}

// saw waits for a line with this text in it and returns when it came.
func (m *machine) saw(text string) (time.Time, error) {
	limit := time.After(patience)
	for {
		m.mu.Lock()
		grew := m.grew
		for _, line := range m.lines {
			if strings.Contains(line.text, text) {
				m.mu.Unlock()
				return line.at, nil
			}
		}
		m.mu.Unlock()
		select {
		case <-grew:
		case <-limit:
			return time.Time{}, fmt.Errorf("the machine never said %q", text)
		}
	}
}

// pull is our plug: the emulator is killed, and with it everything that was not on the flash.
func (m *machine) pull() {
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
}

// ask sends a line through the cable and returns what came back.
func ask(dir, line string) (string, error) {
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		var answer string
		if answer, err = askOnce(dir, line); err == nil {
			return answer, nil
		}
		time.Sleep(200 * time.Millisecond) // the drivers may still be looking for the cable
	}
	return "", fmt.Errorf("the cable: %w", err)
}

// answerTime is how long one answer may take. What was written before the machine's drivers had
// found the cable is lost, as on a real one, and is asked again after it.
const answerTime = 3 * time.Second

var errSilentCable = errors.New("no answer")

func askOnce(dir, line string) (string, error) {
	cable, err := net.Dial("unix", cablePath(dir))
	if err != nil {
		return "", err
	}
	defer func() { _ = cable.Close() }()
	if err := cable.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return "", err
	}
	// The answer to an earlier question may come late, and is not ours.
	ours := fmt.Sprintf("answer %d", time.Now().UnixNano())
	if _, err := io.WriteString(cable, "echo "+ours+"; "+line+"\n"); err != nil {
		return "", err
	}
	var answer strings.Builder
	begun := false
	lines := bufio.NewScanner(cable)
	for lines.Scan() {
		text := strings.TrimRight(lines.Text(), "\r")
		switch {
		case text == ours:
			begun = true
		case begun && text == "end of answer":
			return answer.String(), nil
		case begun:
			answer.WriteString(text + "\n")
		}
	}
	return "", errSilentCable
}

// listenIn types lines into the daemon's own console and returns what came back in a while.
func listenIn(dir string, lines ...string) (string, error) {
	cable, err := net.Dial("unix", consolePath(dir))
	if err != nil {
		return "", err
	}
	defer func() { _ = cable.Close() }()
	var heard bytes.Buffer
	for _, line := range lines {
		if _, err := io.WriteString(cable, line+"\r"); err != nil {
			return "", err
		}
		if err := cable.SetReadDeadline(time.Now().Add(answerTime)); err != nil {
			return "", err
		}
		// It ends with the deadline: a console says when it is done to people only.
		_, _ = io.Copy(&heard, cable)
	}
	return heard.String(), nil
}
