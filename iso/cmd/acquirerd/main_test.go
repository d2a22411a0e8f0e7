package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"reversald/iso/acquirer"
)

// TestMain lets the test binary be the program, so that tests run it as people do.
func TestMain(m *testing.M) {
	if os.Getenv("BE_ACQUIRERD") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "BE_ACQUIRERD=1", "GORACE=atexit_sleep_ms=0")
	return cmd
}

// do runs one command to its end.
func do(t *testing.T, dir string, wantExit int, args ...string) (stdout, stderr string) {
	t.Helper()
	cmd := program(t, dir, args...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != wantExit {
		t.Fatalf("acquirerd %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got, wantExit,
			out.String(), err.String())
	}
	return out.String(), err.String()
}

// server is acquirerd serve.
type server struct {
	*exec.Cmd
	address string
	out     *bytes.Buffer // what it printed, once it has ended
	drained chan struct{}
}

var ready = regexp.MustCompile(`^acquirerd: listening on (127\.0\.0\.1:\d+)\n$`)

func serveIn(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s := &server{
		Cmd: program(t, dir, append([]string{"serve"}, args...)...), out: &bytes.Buffer{},
		drained: make(chan struct{}),
	}
	pipe, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.Stderr = os.Stderr
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(pipe)
	first, err := lines.ReadString('\n')
	match := ready.FindStringSubmatch(first)
	if match == nil {
		t.Fatalf("it said %q, %v", first, err)
	}
	s.address = match[1]
	go func() {
		defer close(s.drained)
		_, _ = lines.WriteTo(s.out)
	}()
	t.Cleanup(func() {
		_ = s.Process.Kill()
		<-s.drained
		_ = s.Wait()
	})
	return s
}

// end stops it with a signal and gives its exit code.
func (s *server) end(signal os.Signal) int {
	_ = s.Process.Signal(signal)
	<-s.drained
	_ = s.Wait()
	return s.ProcessState.ExitCode()
}

func sold(t *testing.T, text string) outcome {
	t.Helper()
	var o outcome
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return o
}

func booksOf(t *testing.T, dir string, args ...string) acquirer.Books {
	t.Helper()
	out, _ := do(t, dir, 0, append([]string{"books", "--json"}, args...)...)
	var b acquirer.Books
	if err := json.Unmarshal([]byte(out), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRehearsal is what an integrator does first: a sale, a lost answer, the
// reversal, the plug pulled from the bank, and books that remember.
func TestRehearsal(t *testing.T) {
	dir := t.TempDir()
	bank := serveIn(t, dir, "--listen", "127.0.0.1:0", "--log")
	sell := func(wantExit int, args ...string) outcome {
		t.Helper()
		out, _ := do(t, dir, wantExit, append([]string{
			"sell", "--json", "--to", bank.address,
			"--timeout", "10s",
		}, args...)...)
		return sold(t, out)
	}
	one := sell(exitOK, "--amount", "12.34", "--stan", "123")
	if one.Outcome != approved || one.MTI != "0210" || one.Code != "00" || one.RRN == "" ||
		one.Auth == "" || one.STAN != "000123" || one.MS <= 0 || one.Words == "" {
		t.Errorf("sold %+v", one)
	}
	do(t, dir, 0, "behave", "0200:silent x1", "0200:decline=51 x1")
	lost := sell(exitUnknown, "--amount", "5", "--stan", "124", "--timeout", "30ms")
	if lost.Outcome != unknown || lost.MTI != "" || lost.Why != "no answer: the time was up" {
		t.Errorf("lost %+v", lost)
	}
	if no := sell(exitDeclined, "--stan", "125"); no.Outcome != declined || no.Code != "51" {
		t.Errorf("declined %+v", no)
	}
	if got := booksOf(t, dir, "--stan", "000124").Entries; len(got) != 1 || got[0].State != "debited" {
		t.Errorf("the lost one is %+v", got)
	}
	if back := sell(exitOK, "--reverse", "--stan", "124", "--amount", "5", "--sent", lost.Sent); back.MTI != "0410" {
		t.Errorf("reversed %+v", back)
	}
	sell(exitOK, "--mti", "0800", "--stan", "1")
	sell(exitOK, "--track", "--stan", "126", "--pan", "6222021234567890128")

	if code := bank.end(os.Kill); code != -1 {
		t.Errorf("killed: %d", code)
	}
	_, stderr := do(t, dir, exitFailed, "books")
	if !strings.HasPrefix(stderr, "acquirerd: no acquirer at acquirer.sock: ") {
		t.Errorf("without a bank: %q", stderr)
	}
	again := serveIn(t, dir, "--listen", bank.address) // over the socket the dead one left
	b := booksOf(t, dir)
	if b.Totals.Debited != 2 || b.Totals.Reversed != 1 || b.Totals.Declined != 1 || b.Totals.Reversals != 1 {
		t.Errorf("totals after the plug was pulled: %+v", b.Totals)
	}
	table, _ := do(t, dir, 0, "books")
	if !strings.Contains(table, "0400 x1 (00)") {
		t.Errorf("books:\n%s", table)
	}
	if code := again.end(syscall.SIGTERM); code != 0 {
		t.Errorf("SIGTERM: exit %d", code)
	}
	seen := []byte(table + bank.out.String())
	for _, name := range []string{defaultBooks, defaultBooks + ".key"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, text...)
	}
	for _, pan := range []string{"4111111111111111", "6222021234567890128"} {
		if bytes.Contains(seen, []byte(pan)) {
			t.Errorf("%s is in the clear", pan[:6])
		}
	}
	if !strings.Contains(bank.out.String(), "622202*********0128") {
		t.Errorf("log:\n%s", bank.out)
	}
}

func TestAwayBackAndStats(t *testing.T) {
	dir := t.TempDir()
	bank := serveIn(t, dir, "--listen", "127.0.0.1:0", "--books", "none", "--control", "c.sock")
	at := []string{"--control", "c.sock"}
	do(t, dir, 0, append([]string{"away"}, at...)...)
	out, _ := do(t, dir, exitUnknown, "sell", "--to", bank.address)
	if !strings.HasPrefix(out, "unknown   TERM0001") || !strings.Contains(out, "no connection") {
		t.Errorf("nobody home: %q", out)
	}
	do(t, dir, 0, append([]string{"back"}, at...)...)
	out, _ = do(t, dir, exitOK, "sell", "--to", bank.address, "--repeat", "20", "--stan", "999990", "--json")
	var s series
	if err := json.Unmarshal([]byte(out), &s); err != nil || s.Approved != 20 || s.LastSTAN != "000010" ||
		s.P50 <= 0 || s.P99 < s.P50 || s.Max < s.P99 {
		t.Errorf("%v: %s", err, out)
	}
	out, _ = do(t, dir, 0, append([]string{"stats"}, at...)...)
	if !strings.Contains(out, "received     0200 x20\n") {
		t.Errorf("stats:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, defaultBooks)); err == nil {
		t.Error("books were kept all the same")
	}
}

// TestLeadingZeros: a STAN is six digits, and people type all of them. None of it is octal or hex.
func TestLeadingZeros(t *testing.T) {
	dir := t.TempDir()
	bank := serveIn(t, dir, "--listen", "127.0.0.1:0", "--books", "none")
	for _, test := range []struct{ typed, sent string }{
		{"000010", "000010"},
		{"000018", "000018"},
		{"010", "000010"},
		{"10", "000010"},
		{"099999", "099999"},
		{"000001", "000001"},
	} {
		out, _ := do(t, dir, exitOK, "sell", "--to", bank.address, "--json", "--stan", test.typed)
		if got := sold(t, out).STAN; got != test.sent {
			t.Errorf("--stan %s is sent as %s, want %s", test.typed, got, test.sent)
		}
	}
	out, _ := do(t, dir, exitOK, "sell", "--to", bank.address, "--json", "--stan", "000020",
		"--repeat", "010")
	var s series
	if err := json.Unmarshal([]byte(out), &s); err != nil || s.Sales != 10 || s.LastSTAN != "000029" {
		t.Errorf("%v: %s", err, out)
	}
	out, _ = do(t, dir, exitUnknown, "sell", "--to", bank.address, "--stan", "000030", "--frozen",
		"--echoes", "008", "--hold", "1ms")
	if !strings.Contains(out, " 8 echoes ") {
		t.Errorf("--echoes 008: %q", out)
	}
	for _, amount := range []string{"0012.34", "007", "08.09"} { // digits before the point
		do(t, dir, exitOK, "sell", "--to", bank.address, "--amount", amount, "--currency", "036")
	}
}

// TestFrozenApp: it sends and never reads; the bank books the sale.
func TestFrozenApp(t *testing.T) {
	dir := t.TempDir()
	bank := serveIn(t, dir, "--listen", "127.0.0.1:0")
	start := time.Now()
	out, _ := do(t, dir, exitUnknown, "sell", "--to", bank.address, "--frozen", "--echoes", "20",
		"--hold", "50ms", "--stan", "77")
	if !strings.HasPrefix(out, "frozen    TERM0001  000077") || time.Since(start) < 50*time.Millisecond {
		t.Errorf("%q", out)
	}
	if got := booksOf(t, dir, "--stan", "000077").Entries; len(got) != 1 || got[0].State != "debited" {
		t.Errorf("booked %+v", got)
	}
}

// TestUsage: what can be mended by typing something else is exit code 64 and two lines.
func TestUsage(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct{ args, want string }{
		{"dance", `unknown command "dance"`},
		{"serve --profile nope", `no profile "nope"`},
		{"serve --manners 0200:sillent", `manners, column 6: no manner "sillent"`},
		{"behave", "want rules, or --forget"},
		{"behave 0200:late", `manners, column 6: "late" wants a value`},
		{"sell --amount 1.234", "want an amount such as 12.34"},
		{"sell --reverse", "--reverse wants the --stan of the sale"},
		{"sell --mti 0210", "asks for nothing"},
		{"sell --stan 1000000", "--stan goes from 1 to 999999"},
		{"sell --sent yesterday", "--sent wants MMDDhhmmss"},
		{"sell --field 1=2", "--field wants N=VALUE"},
		{"sell --stan 0x10", `"0x10" is not a number`},
		{"sell --stan -1", `"-1" is not a number`},
		{"sell --repeat 1_0", `"1_0" is not a number`},
		{"sell --repeat 0", "--repeat and --timeout want more than nothing"},
		{"sell --field 0x10=2", "--field wants N=VALUE"},
		{"sell --nope", "unknown flag: --nope"},
		{"books extra", "unknown command"},
	} {
		_, stderr := do(t, dir, exitUsage, strings.Fields(test.args)...)
		if !strings.Contains(stderr, test.want) || !strings.HasSuffix(stderr, "hint: acquirerd help\n") {
			t.Errorf("%s: %q", test.args, stderr)
		}
	}
}

// TestTills: a shop sells without end until its standard input ends, over a bank that hangs up, and
// what it was told is what the bank's books hold.
func TestTills(t *testing.T) {
	dir := t.TempDir()
	bank := serveIn(t, dir, "--listen", "127.0.0.1:0", "--manners", "p=0.1,0200:cut-before;p=0.1,0200:decline=51")
	cmd := program(t, dir, "tills", "--to", bank.address, "--count", "3", "--tid", "SHOP0000", "--timeout", "5s")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told, lines := map[string]int{}, 0
	for scan := bufio.NewScanner(out); scan.Scan(); {
		var o struct {
			TID, Outcome, STAN string
		}
		if err := json.Unmarshal(scan.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		told[o.Outcome]++
		if o.TID < "SHOP0000" || o.TID > "SHOP0002" {
			t.Errorf("told %s", scan.Bytes())
		}
		if lines++; lines == 300 {
			in.Close()
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	debits := len(booksOf(t, dir, "--state", "debited").Entries)
	if told[approved] != debits || told[declined] == 0 || told[unknown] == 0 {
		t.Errorf("told %v, %d debits", told, debits)
	}
	do(t, dir, exitUsage, "tills", "--count", "0")
	do(t, dir, exitUsage, "tills", "--tid", "X")
}
