package hal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"reversald/hal"
	"reversald/hal/haltest"
)

// A second open is refused, to root as well, in words that name the holder; after Close it works.
func TestPortIsHeldByOne(t *testing.T) {
	_, slave := haltest.Pty(t)
	s := hal.Serial{LockDir: t.TempDir()}
	port, err := s.Open(context.Background(), slave)
	if err != nil {
		t.Fatal(err)
	}
	link, err := s.Dial(context.Background(), slave)
	if link != nil || !errors.Is(err, hal.ErrBusy) ||
		!strings.Contains(err.Error(), fmt.Sprintf("by pid %d", os.Getpid())) {
		t.Errorf("second open: %v, %v, want ErrBusy naming us", link, err)
	}
	port.Close()
	if left, _ := os.ReadDir(s.LockDir); len(left) != 0 {
		t.Errorf("Close left %v", left)
	}
	if link, err = s.Dial(context.Background(), slave); err != nil {
		t.Fatalf("open after Close: %v", err)
	}
	link.Close()
}

// Lock files of others: one whose process holds the port counts, everything else is stale.
func TestPortAndOtherPeoplesLockFiles(t *testing.T) {
	tests := []struct {
		name string
		pid  string
	}{
		{"of a process that is no more", "4194399"}, // above the kernel's largest
		{"of a process that has another device", "1"},
		{"of our own number, from before a power cut", strconv.Itoa(os.Getpid())},
		{"with rubbish", "minicom"},
		{"with nothing", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.pid == "1" && os.Getuid() != 0 {
				t.Skip("only root may look at another's files")
			}
			_, slave := haltest.Pty(t)
			s := hal.Serial{LockDir: t.TempDir()}
			name := filepath.Join(s.LockDir,
				"LCK.."+strings.ReplaceAll(slave[len("/dev/"):], "/", "_"))
			if err := os.WriteFile(name, []byte(tt.pid), 0o644); err != nil {
				t.Fatal(err)
			}
			port, err := s.Open(context.Background(), slave)
			if err != nil {
				t.Fatal(err)
			}
			defer port.Close()
			text, err := os.ReadFile(name)
			if want := fmt.Sprintf("%10d\n", os.Getpid()); err != nil || string(text) != want {
				t.Errorf("lock file: %q, %v, want %q", text, err, want)
			}
		})
	}
}

// A terminal program knows nothing of flock: its lock file keeps us out while it has the port.
func TestPortRespectsATerminalProgram(t *testing.T) {
	_, slave := haltest.Pty(t)
	tty, err := os.OpenFile(slave, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	program := exec.Command("sleep", "60")
	program.Stdin = tty
	if err := program.Start(); err != nil {
		t.Skip(err)
	}
	defer program.Wait()
	defer program.Process.Kill()
	s := hal.Serial{LockDir: t.TempDir()}
	name := filepath.Join(s.LockDir, "LCK.."+strings.ReplaceAll(slave[len("/dev/"):], "/", "_"))
	pid := fmt.Sprintf("%10d\n", program.Process.Pid)
	if err := os.WriteFile(name, []byte(pid), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(context.Background(), slave); !errors.Is(err, hal.ErrBusy) {
		t.Errorf("Open: %v, want ErrBusy", err)
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != pid {
		t.Errorf("its lock file is now %q, %v", text, err)
	}
}
