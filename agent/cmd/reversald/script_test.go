package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

// patience bounds every wait: ten times what a loaded machine needs.
const patience = 20 * time.Second

// TestScripts runs testdata/script. Beside the commands of testscript there are
//
//	start NAME [NAME_ADDR is set] prog args...   run until it says what it listens on
//	plug NAME                                    KILL it, as a power cut does
//	halt NAME                                    TERM it, and want exit code 0
//	exits CODE prog args...                      run it, and want exactly this exit code
//	complaint                                    the last stderr is an error of two lines
//	until REGEXP prog args...                    run it until its stdout matches
//	jsonkeys FILE INTO                           the keys of a file of JSON values, one a line
//	patch FILE OLD NEW                           replace bytes, Go-quoted, all of them
//	noise FILE BYTES                             write the same noise every time
//	nothing-received SOCKET                      nobody has even called the acquirer
//	shm VAR                                      a directory in memory
//	stranger CODE prog args...                   as exits, but as a user who may not see the files
//	papers                                       certificates, by an authority of the script's
//	nullmodem VAR VAR                            two serial ports with a cable between them
//	pinpad TTY VAR [noisy]                       a PIN pad on that port; VAR is where to sell to it
//	hup NAME [usr1]                              sends SIGHUP, or SIGUSR1
//	listens SOCKET FILE                          collects datagrams, as systemd and syslogd do
//	mkfifo FILE, fed FILE                        a watchdog's device, and whether it was fed well
//	get SOCKET PATH                              asks an HTTP server, prints status and body
//
// What start started writes to NAME.out and NAME.err, and is killed when the script ends.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("TZ", "UTC")
			env.Setenv("GORACE", raceOptions)
			env.Values[running{}] = &programs{byName: map[string]*program{}}
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Geteuid() == 0, nil
			case "durable": // what is written to the temporary folder outlives the power
				var st syscall.Statfs_t
				err := syscall.Statfs(os.TempDir(), &st)
				return st.Type != tmpfs, err
			}
			return false, fmt.Errorf("no condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": start, "plug": plug, "halt": halt, "exits": exits, "complaint": complaint,
			"until": until, "jsonkeys": jsonkeys, "patch": patch, "noise": noise,
			"nothing-received": nothingReceived, "shm": shm, "stranger": stranger,
			"papers": papers(t), "nullmodem": nullModem(t), "pinpad": pinpad(t), "hup": hup, "listens": listens,
			"mkfifo": mkfifo, "fed": fed, "get": get,
		},
	})
}

// raceOptions: under the race detector a program would wait a second before it ends.
const raceOptions = "atexit_sleep_ms=0"

// tmpfs is the number of the file system in memory.
const tmpfs = 0x01021994

type running struct{}

// programs are what a script has running.
type programs struct{ byName map[string]*program }

// program is one that was started, and how it ends.
type program struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func (p *program) end(s os.Signal) int {
	_ = p.cmd.Process.Signal(s)
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	return p.cmd.ProcessState.ExitCode()
}

// firstLine writes to a file, and then hands the first line on.
type firstLine struct {
	mu   sync.Mutex
	file *os.File
	seen []byte
	line chan string
}

func (f *firstLine) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.file.Write(b)
	if f.seen != nil || f.line != nil {
		f.seen = append(f.seen, b...)
		if line, _, whole := bytes.Cut(f.seen, []byte("\n")); whole && f.line != nil {
			f.line <- string(line)
			f.line, f.seen = nil, nil
		}
	}
	return n, err
}

var listening = regexp.MustCompile(`listening on (\S+)`)

// launch starts a program in dir and waits for its listening line.
func launch(dir, name string, env, argv []string) (p *program, address string, err error) {
	out, err := appendTo(filepath.Join(dir, name+".out"))
	if err != nil {
		return nil, "", err
	}
	errout, err := appendTo(filepath.Join(dir, name+".err"))
	if err != nil {
		return nil, "", errors.Join(err, out.Close())
	}
	line := make(chan string, 1)
	cmd := command(dir, env, argv...)
	cmd.Stdout, cmd.Stderr = &firstLine{file: out, line: line}, errout
	p = &program{cmd: cmd, done: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return nil, "", errors.Join(err, out.Close(), errout.Close())
	}
	go func() {
		defer close(p.done)
		_ = cmd.Wait()
		_, _ = out.Close(), errout.Close()
	}()
	select {
	case said := <-line:
		if m := listening.FindStringSubmatch(said); m != nil {
			return p, m[1], nil
		}
		p.end(os.Kill)
		return nil, "", fmt.Errorf("it says %q", said)
	case <-p.done:
	case <-time.After(patience):
		p.end(os.Kill)
	}
	said, _ := os.ReadFile(errout.Name())
	return nil, "", fmt.Errorf("it does not listen, exit code %d: %s",
		cmd.ProcessState.ExitCode(), said)
}

// command is a program that does not outlive the test.
func command(dir string, env []string, argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func appendTo(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME prog args...")
	}
	all, name := ts.Value(running{}).(*programs), args[0]
	if all.byName[name] != nil {
		ts.Fatalf("%s is running already", name)
	}
	p, address, err := launch(ts.Getenv("WORK"), name, environment(ts), args[1:])
	if err != nil {
		ts.Fatalf("start %s: %v", name, err)
	}
	all.byName[name] = p
	ts.Defer(func() {
		p.end(os.Kill)
		said, _ := os.ReadFile(filepath.Join(ts.Getenv("WORK"), name+".err"))
		if bytes.Contains(said, []byte("DATA RACE")) || bytes.Contains(said, []byte("panic:")) {
			ts.Fatalf("%s: %s", name, said)
		}
	})
	ts.Setenv(strings.ToUpper(name)+"_ADDR", address)
	ts.Logf("%s listens on %s", name, address)
}

func stop(ts *testscript.TestScript, args []string, signal os.Signal, wantExit int) {
	if len(args) != 1 {
		ts.Fatalf("one name is wanted")
	}
	all := ts.Value(running{}).(*programs)
	p := all.byName[args[0]]
	if p == nil {
		ts.Fatalf("%s is not running", args[0])
	}
	if code := p.end(signal); code != wantExit {
		ts.Fatalf("%s ended with %d, want %d", args[0], code, wantExit)
	}
	delete(all.byName, args[0])
}

func plug(ts *testscript.TestScript, _ bool, args []string) { stop(ts, args, os.Kill, -1) }

func halt(ts *testscript.TestScript, _ bool, args []string) { stop(ts, args, syscall.SIGTERM, 0) }

// exits wants an exit code, and wants it to be one that is documented.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE prog args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d: %s", got, want, ts.ReadFile("stderr"))
	}
	if args[1] != "reversald" {
		return
	}
	table, err := exitTable()
	ts.Check(err)
	if !bytes.Contains(table, fmt.Appendf(nil, "\n  %2d  ", got)) {
		ts.Fatalf("exit code %d is in no table", got)
	}
}

// exitTable is the table that people read.
var exitTable = sync.OnceValues(func() ([]byte, error) {
	return exec.Command("reversald", "help", "exit-codes").Output()
})

var complaintLines = regexp.MustCompile(`^reversald: .+\nreversald: hint: .+\n$`)

func complaint(ts *testscript.TestScript, _ bool, _ []string) {
	if said := ts.ReadFile("stderr"); !complaintLines.MatchString(said) {
		ts.Fatalf("not an error of two lines: %q", said)
	}
}

func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP prog args...")
	}
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		cmd := exec.Command(args[1], args[2:]...) // only the last one is logged
		cmd.Dir, cmd.Env = ts.Getenv("WORK"), environment(ts)
		if said, _ := cmd.Output(); want.Match(said) {
			_ = ts.Exec(args[1], args[2:]...)
			if want.MatchString(ts.ReadFile("stdout")) {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	_ = ts.Exec(args[1], args[2:]...)
	ts.Fatalf("waited in vain for %s", want)
}

// jsonkeys writes the keys of every JSON value in a file, sorted, one a line, to FILE.keys.
func jsonkeys(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: jsonkeys FILE INTO")
	}
	found := map[string]bool{}
	values := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	for values.More() {
		var v any
		ts.Check(values.Decode(&v))
		collect("", v, found)
	}
	var keys []string
	for key := range found {
		keys = append(keys, key+"\n")
	}
	sort.Strings(keys)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(keys, "")), 0o600))
}

func collect(at string, v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			collect(at+"."+key, value, into)
		}
	case []any:
		for _, value := range v {
			collect(at, value, into)
		}
	default:
		into[at] = true
	}
}

func patch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: patch FILE OLD NEW")
	}
	var texts [2][]byte
	for i, quoted := range args[1:] {
		text, err := strconv.Unquote(`"` + quoted + `"`)
		ts.Check(err)
		texts[i] = []byte(text)
	}
	path := ts.MkAbs(args[0])
	content, err := os.ReadFile(path)
	ts.Check(err)
	if !bytes.Contains(content, texts[0]) {
		ts.Fatalf("%s has no %q", args[0], texts[0])
	}
	patched := bytes.ReplaceAll(content, texts[0], texts[1])
	if len(patched) != len(content) {
		ts.Check(os.WriteFile(path, patched, 0o600))
		return
	}
	// In place, and nothing else is touched: somebody may have the file open.
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	ts.Check(err)
	for i := range patched {
		if patched[i] != content[i] {
			_, err := f.WriteAt(patched[i:i+1], int64(i))
			ts.Check(err)
		}
	}
	ts.Check(f.Close())
}

func noise(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: noise FILE BYTES")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	content, x := make([]byte, n), uint32(2463534242)
	for i := range content {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		content[i] = byte(x)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o600))
}

// nothingReceived: nobody has even called the host.
func nothingReceived(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: nothing-received CONTROL-SOCKET")
	}
	ts.Check(ts.Exec("acquirerd", "stats", "--json", "--control", args[0]))
	var stats struct {
		Received    map[string]int `json:"received"`
		Connections struct {
			Accepted int `json:"accepted"`
		} `json:"connections"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &stats))
	if len(stats.Received) != 0 || stats.Connections.Accepted != 0 {
		ts.Fatalf("the host has received %+v", stats)
	}
}

// shm gives a directory on a file system in memory. Where there is none the script ends, and what
// came before it has been proved.
func shm(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: shm VAR")
	}
	var st syscall.Statfs_t
	for _, at := range []string{"/dev/shm", "/run/shm", "/run"} {
		if err := syscall.Statfs(at, &st); err != nil || st.Type != tmpfs {
			continue
		}
		dir, err := os.MkdirTemp(at, "reversald-test-")
		if err != nil {
			continue
		}
		ts.Defer(func() { _ = os.RemoveAll(dir) })
		ts.Setenv(args[0], dir)
		return
	}
	ts.Fatalf("no file system in memory on this machine")
}

// stranger runs a program as somebody who owns nothing here; whoever is not root is that already,
// once the script has taken the permissions away.
func stranger(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: stranger CODE prog args...")
	}
	if os.Geteuid() != 0 {
		exits(ts, neg, args)
		return
	}
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	for _, dir := range []string{ // these are temporary, and ours
		ts.Getenv("WORK"), filepath.Dir(ts.Getenv("WORK")), filepath.Dir(path),
		filepath.Dir(filepath.Dir(path)),
	} {
		ts.Check(os.Chmod(dir, 0o755))
	}
	const nobody = 65534
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir, cmd.Env = "/", environment(ts)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, Pdeathsig: syscall.SIGKILL,
	}
	var errout bytes.Buffer
	cmd.Stderr = &errout
	_ = cmd.Run()
	ts.Logf("[stderr]\n%s", errout.String())
	if got := strconv.Itoa(cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
	if !complaintLines.Match(errout.Bytes()) {
		ts.Fatalf("not an error of two lines: %q", errout.String())
	}
}

// environment is what a program that is not started by testscript gets of the script's.
func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, key := range []string{
		"PATH", "HOME", "XDG_STATE_HOME", "REVERSALD_CONFIG", "REVERSALD_SOCKET", "TMPDIR", "TZ",
		"GOCOVERDIR", "GORACE",
	} {
		if value := ts.Getenv(key); value != "" {
			env = append(env, key+"="+value)
		}
	}
	return env
}
