package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// knock plays the least visit at the console, over a pty: somebody with a key that the terminal
// does not know is not let in, the technician is, asks how it is, and leaves. No terminal program
// is needed, so that it can be played with a terminal under an emulator.
func knock(p programs) error {
	d, err := open(p, visit)
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
	if err := stranger(d, port, r); err != nil {
		return fmt.Errorf("a stranger: %w", err)
	}
	fmt.Println("  console: a key that it does not know is refused")
	if err := logInRaw(d, port, r); err != nil {
		return fmt.Errorf("the technician: %w", err)
	}
	said, err := ask(port, r, "status", "> ")
	if err != nil {
		return err
	}
	if !strings.Contains(said, d.net.listener.Addr().String()) {
		return fmt.Errorf("status does not name the host: %q", said)
	}
	if _, err := ask(port, r, "logout", "logged out"); err != nil {
		return err
	}
	fmt.Println("  console: the technician's signature lets in, status answers, logged out")
	return nil
}

// ask types an order, and gives what comes up to a text.
func ask(port *os.File, r *listener, order, until string) (string, error) {
	if _, err := port.WriteString(order + "\r"); err != nil {
		return "", err
	}
	if _, err := r.until(order + "\r\n"); err != nil {
		return "", err
	}
	return r.until(until)
}

// stranger signs the challenge with a good key that nobody has put on the terminal.
func stranger(d *drill, port *os.File, r *listener) error {
	_, err := d.command(d.reversald, "tech", "keygen", "mallory", "--no-passphrase",
		"--key", d.path("other.key"))
	if err != nil {
		return err
	}
	time.Sleep(time.Second)
	if _, err := port.WriteString("\r"); err != nil {
		return err
	}
	text, err := r.until("answer: ")
	if err != nil {
		return err
	}
	answer, err := d.command(d.reversald, "tech", "sign", challenge.FindString(text),
		"--key", d.path("other.key"))
	if err != nil {
		return err
	}
	if _, err := port.WriteString(strings.TrimSpace(answer) + "\r"); err != nil {
		return err
	}
	said, err := r.until("No: ")
	if err == nil && strings.Contains(said, "> ") {
		err = errors.New("was let in")
	}
	return err
}
