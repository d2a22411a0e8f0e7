package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// apiConfig is the pos.yaml of API.md.
const apiConfig = "socket: api.sock\nconfirm_timeout: 5s\n"

// shell runs a line as a person would type it in the stage's folder.
func (s *stage) shell(line string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = s.dir, s.env
	var errout bytes.Buffer
	cmd.Stderr = &errout
	out, _ := cmd.Output() // what it prints is what counts: curl -m ends with an error
	s.said.Write(out)
	s.said.Write(errout.Bytes())
	if errout.Len() > 0 {
		s.t.Errorf("%s\n%s", line, errout.String())
	}
	return string(out)
}

// TestTheGuideIsTrue runs every line with a $ of API.md exactly as it is printed there, and wants
// what is printed there.
func TestTheGuideIsTrue(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	guide, err := os.ReadFile(filepath.Join("..", "..", "doors", "api", "API.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, "reversald", "iso87-ascii", apiConfig)
	s.env = append(s.env, "REVERSALD_SOCKET=api.sock")
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	lines := 0
	for _, block := range blocks {
		for _, part := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			line, want, _ := strings.Cut(part, "\n")
			lines++
			got := s.shell(line)
			pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want)), "…", "(?s:.*)")
			if !regexp.MustCompile("^" + pattern + "\\s*$").MatchString(got) {
				t.Errorf("$ %s\nprints\n%s\nand API.md says\n%s", line, got, want)
			}
		}
	}
	if lines < 15 {
		t.Errorf("only %d lines were run", lines)
	}
	s.search(secrets(t))
}

// TestTheSampleInC builds and runs the sample for vendors' apps as its first lines say.
func TestTheSampleInC(t *testing.T) {
	t.Parallel()
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler (cc): the sample is not built")
	}
	s := newStage(t, "reversald", "iso87-ascii", apiConfig)
	s.env = append(s.env, "REVERSALD_SOCKET=api.sock")
	source, err := filepath.Abs(filepath.Join("..", "..", "doors", "api", "examples", "sell.c"))
	if err != nil {
		t.Fatal(err)
	}
	sample := filepath.Join(t.TempDir(), "sell") // it has a card number in it
	build := exec.Command(cc, "-std=c99", "-Wall", "-Wextra", "-Werror", "-o", sample, source)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	run := func(wantExit int, wantOut string, args ...string) {
		t.Helper()
		out, code := s.do(sample, args...)
		if code != wantExit || !regexp.MustCompile(wantOut).MatchString(out) {
			t.Errorf("sell %s: exit %d, want %d:\n%s", args, code, wantExit, out)
		}
	}
	run(0, "(?s)^approved: Approved\nconfirmed\n$", "api.sock", "c-1", "1234", "TERM0001")
	run(0, "(?s)^approved: Approved\nconfirmed\n$", "api.sock", "c-1", "1234", "TERM0001")
	run(3, "^refused", "api.sock", "c-1", "99", "TERM0001")
	s.do("acquirerd", "behave", "0200:decline=51 x1", "0200:silent x1")
	run(1, "^declined: Not enough money", "api.sock", "c-2", "500", "TERM0001")
	run(2, "^unknown: Result not known", "api.sock", "c-3", "600", "TERM0001")
	s.waitStatus(`"owed":0,`)
	run(1, "^reversed: Reversed", "api.sock", "c-3", "600", "TERM0001")
	run(3, "", "api.sock")

	// The answer is lost on the way: of the sale once, and once of the confirm.
	s.losesAnswers("lossy.sock", 1, 3)
	run(0, "(?s)^no answer, asking again.*approved: Approved\nno answer, confirming again\nconfirmed\n$",
		"lossy.sock", "c-4", "700", "TERM0001")
	// The daemon is killed with the sale at the host, and comes back: the app asks again by itself.
	s.do("acquirerd", "behave", "0200:silent x1")
	ended := make(chan string, 1)
	go func() {
		sell := command(s.dir, s.env, sample, "api.sock", "c-5", "800", "TERM0001")
		out, _ := sell.Output()
		ended <- string(out)
	}()
	s.wait("the sale to be at the host", func() bool {
		out, _ := s.do("acquirerd", "books")
		return strings.Contains(out, "8.00")
	})
	s.pos.end(os.Kill)
	s.start()
	if out := <-ended; !regexp.MustCompile("(?s)^no answer, asking again.*(unknown|reversed): Re").MatchString(out) {
		t.Errorf("killed in the middle: %s", out)
	}
	s.waitStatus(`"owed":0,`)
	out, _ := s.do("acquirerd", "books")
	if n := len(regexp.MustCompile(` debited +00 `).FindAllString(out, -1)); n != 2 {
		t.Errorf("%d debits, want those of c-1 and c-4:\n%s", n, out)
	}
	s.do("reversald", "show", "1")
	s.search(secrets(t))
}

// losesAnswers is a socket in front of the daemon's that forwards every request, and cuts the
// answers to some of them.
func (s *stage) losesAnswers(name string, lost ...int) {
	s.t.Helper()
	listener, err := net.Listen("unix", s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for n := 1; ; n++ {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", s.path("api.sock"))
			if err != nil {
				_ = near.Close()
				continue
			}
			go func() { _, _ = io.Copy(far, near) }()
			answer, _ := io.ReadAll(far)
			for _, l := range lost {
				if l == n {
					answer = answer[:len(answer)/2]
				}
			}
			_, _ = near.Write(answer)
			_ = near.Close()
			_ = far.Close()
		}
	}()
}

// TestOverTCPWithAToken: the API over loopback TCP is for whoever knows the token.
func TestOverTCPWithAToken(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := probe.Addr().String()
	_ = probe.Close()
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	const word = "a-token-nobody-guesses"
	if err := os.WriteFile(token, []byte(word+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newStage(t, "reversald", "iso87-ascii",
		fmt.Sprintf("%sapi_listen: %s\napi_token: %s\n", apiConfig, address, token))
	ask := func(path, bearer string) string {
		return s.shell(fmt.Sprintf("curl -s -m 10 -H 'Authorization: Bearer %s' http://%s%s", bearer, address, path))
	}
	if out := ask("/v1/status", word); !strings.Contains(out, `"link"`) {
		t.Errorf("with the token: %s", out)
	}
	for _, wrong := range []string{"", "x", word + "x", strings.ToUpper(word)} {
		if out := ask("/v1/status", wrong); !strings.Contains(out, "no-token") {
			t.Errorf("with %q: %s", wrong, out)
		}
	}
	if out := ask("/v1/journal", word); !strings.Contains(out, "problem:forbidden") {
		t.Errorf("an app reads the journal: %s", out)
	}
	if strings.Contains(s.read("pos.out")+s.read("pos.err"), word) {
		t.Error("the token is printed")
	}
	if err := os.Chmod(token, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, code := s.do("reversald", "run", "-c", "pos.yaml", "--listen", "127.0.0.1:0"); code == 0 {
		t.Errorf("runs with a token that all can read: %s", out)
	}
}

// TestRolesByPeer: the kernel says who asks. It takes root to be somebody else.
func TestRolesByPeer(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can ask as somebody else")
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	dir, err := os.MkdirTemp("", "api")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	newStage(t, "reversald", "iso87-ascii", "socket: "+socket+`
socket_mode: "0666"
api_apps: [uid:1101, uid:1102]
api_viewers: ["uid:1103"]
api_operators: ["gid:1200"]
`)
	as := func(uid, gid uint32, method, path, body string) string {
		t.Helper()
		cmd := exec.Command(curl, "-s", "-m", "20", "--unix-socket", socket, "-X", method,
			"http://reversald"+path, "-H", "Content-Type: application/json", "-H",
			fmt.Sprintf("Idempotency-Key: key-%d", time.Now().UnixNano()), "-d", body)
		cmd.Dir = "/"
		cmd.SysProcAttr = asUser(uid, gid)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	const sale = `{"amount":100,"currency":"156","pan":"4111111111111111","terminal":"TERM0001"}`
	const first, second, viewer, stranger, operators = 1101, 1102, 1103, 1104, 1200
	allowed := func(what, answer string, want bool) {
		t.Helper()
		if strings.Contains(answer, "problem:") == want {
			t.Errorf("%s, allowed %t: %s", what, want, answer)
		}
	}
	allowed("an app sells", as(first, 1, "POST", "/v1/payments", sale), true)
	allowed("its own", as(first, 1, "GET", "/v1/payments/1", ""), true)
	allowed("another's", as(second, 1, "GET", "/v1/payments/1", ""), false)
	allowed("another's confirm", as(second, 1, "POST", "/v1/payments/1/confirm", "{}"), false)
	if out := as(second, 1, "GET", "/v1/payments?state=all", ""); strings.TrimSpace(out) != "[]" {
		t.Errorf("an app sees %s", out)
	}
	allowed("the journal for an app", as(first, 1, "GET", "/v1/journal", ""), false)
	allowed("an order by an app", as(first, 1, "POST", "/v1/payments/1/replay", `{"by":"x"}`), false)
	allowed("a viewer looks", as(viewer, 1, "GET", "/v1/payments/1", ""), true)
	allowed("a viewer reads", as(viewer, 1, "GET", "/v1/journal", ""), true)
	allowed("a viewer sells", as(viewer, 1, "POST", "/v1/payments", sale), false)
	allowed("a viewer confirms", as(viewer, 1, "POST", "/v1/payments/1/confirm", "{}"), false)
	allowed("a stranger", as(stranger, 1, "GET", "/v1/status", ""), false)
	allowed("its own confirm", as(first, 1, "POST", "/v1/payments/1/confirm", "{}"), true)
	if out := as(stranger, operators, "POST", "/v1/payments/1/replay", `{"by":"x"}`); !strings.Contains(out, "problem:not-found") {
		t.Errorf("an operator by group: %s", out)
	}
	if out := as(first, 1, "GET", "/v1/payments?state=all", ""); !strings.Contains(out, "api uid 1101") {
		t.Errorf("whose it is: %s", out)
	}
}
