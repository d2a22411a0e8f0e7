package main_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reversald/agent/doors/api"
)

// Rule: on a real network, a carrier that goes is a line lost now, and one that is back brings the
// line, and what is owed, back at once, though the wait between two dials is an hour.
//
// A pair of interfaces is the cable, each in a network of its own; so root is needed, and ip.
func TestTheCableIsPulled(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("networks of our own need root")
	}
	pos, bank := "reversald-test-pos", "reversald-test-bank"
	ip := func(args string) bool {
		out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
		if err != nil {
			t.Logf("ip %s: %v: %s", args, err, out)
		}
		return err == nil
	}
	for _, ns := range []string{pos, bank} {
		_ = exec.Command("ip", "netns", "del", ns).Run() // of a run that was killed
		if !ip("netns add " + ns) {
			t.Skip("no networks of our own here")
		}
		defer ip("netns del " + ns)
	}
	for _, do := range []string{
		"link add cable0 netns " + pos + " type veth peer name cable1 netns " + bank,
		"-n " + pos + " addr add 10.99.0.1/24 dev cable0",
		"-n " + bank + " addr add 10.99.0.2/24 dev cable1",
		"-n " + pos + " link set lo up", "-n " + bank + " link set lo up",
		"-n " + pos + " link set cable0 up", "-n " + bank + " link set cable1 up",
	} {
		if !ip(do) {
			t.Skip("no pair of interfaces here")
		}
	}
	dir := t.TempDir()
	config := "host_timeout: 20s\nredial_min: 100ms\nredial_max: 1h\nany_filesystem: true\n"
	if err := os.WriteFile(filepath.Join(dir, "c.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "XDG_STATE_HOME="+dir, "HOME="+dir)
	host, address, err := launch(dir, "host", env, []string{
		"ip", "netns", "exec", bank, "acquirerd", "serve", "--listen", "10.99.0.2:0",
		"--manners", "0200:silent x1",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer host.end(os.Kill)
	till, door, err := launch(dir, "pos", env, []string{
		"ip", "netns", "exec", pos, "reversald-shipped", "run", "-c", "c.yaml",
		"--listen", "127.0.0.1:0", "--host", address,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer till.end(os.Kill)
	client := api.NewClient(filepath.Join(dir, "reversald", "reversald.sock"), patience)
	awaits := func(what string, is func(api.Status) bool) {
		t.Helper()
		for limit := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			s, err := client.Status(context.Background())
			if err == nil && is(s) {
				return
			}
			if time.Now().After(limit) {
				text, _ := json.Marshal(s)
				t.Fatalf("%s in vain: %s %v", what, text, err)
			}
		}
	}
	awaits("waited for the line", func(s api.Status) bool { return s.Link == "up" })
	sale := command(dir, env, "ip", "netns", "exec", pos, "acquirerd", "sell", "--to", door,
		"--stan", "000001", "--amount", "1.00", "--timeout", "30s")
	if err := sale.Start(); err != nil {
		t.Fatal(err)
	}
	awaits("waited for the sale", func(s api.Status) bool { return s.Counts.Records["asked"] == 1 })
	ip("-n " + bank + " link set cable1 down")
	// Its time is not up for long: only the carrier can have said it.
	awaits("waited for the doubt", func(s api.Status) bool {
		return s.Owed == 1 && s.Link != "up" && s.Counts.Records["doubted"] == 1
	})
	_ = sale.Wait()
	ip("-n " + bank + " link set cable1 up")
	awaits("waited for the reversal", func(s api.Status) bool {
		return s.Owed == 0 && s.Counts.Records["reversed"] == 1
	})
	said, err := os.ReadFile(filepath.Join(dir, "pos.err"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`what="carrier lost"`, `what="carrier back"`, "line_lost=true"} {
		if !strings.Contains(string(said), want) {
			t.Errorf("the log does not say %s:\n%s", want, said)
		}
	}
}
