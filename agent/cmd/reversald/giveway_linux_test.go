package main_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Rule: whoever watches has only the time of the processor that nobody else wants, with all its
// threads; whoever gives an order is as everybody.
func TestWhoWatchesGivesWay(t *testing.T) {
	for _, c := range []struct {
		args []string
		idle bool
	}{{[]string{"tail", "-f"}, true}, {[]string{"top"}, true}, {[]string{"replay", "1"}, false}} {
		socket := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		cmd := exec.Command("reversald-shipped", append(c.args, "--socket", socket)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		conn, err := l.Accept() // it asks, and has no answer: it stays as it is
		if err != nil {
			t.Fatal(err)
		}
		var policies []string
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if policies = policiesOf(t, cmd.Process.Pid); allAre(policies, c.idle) {
				break
			}
		}
		if !allAre(policies, c.idle) {
			t.Errorf("%v: the policies of its threads are %v", c.args, policies)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = conn.Close()
	}
}

func allAre(policies []string, idle bool) bool {
	want := "0"
	if idle {
		want = fmt.Sprint(unix.SCHED_IDLE)
	}
	for _, p := range policies {
		if p != want {
			return false
		}
	}
	return len(policies) > 0
}

// policiesOf are those of a program's threads (proc_pid_stat(5), the 41st field).
func policiesOf(t *testing.T, pid int) (all []string) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ") // the name may have spaces
		if fields := strings.Fields(rest); len(fields) > 38 {
			all = append(all, fields[38])
		}
	}
	return all
}
