package agent_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reversald/agent"
	"reversald/iso"
	"reversald/store"
)

// Rule: a bad file names every fault with its line and column, in the order of the file.
func TestEveryFaultOfAConfigurationHasItsPlace(t *testing.T) {
	cases := []struct {
		name, text string
		want       []string // one for each fault, as its line begins and what it holds
	}{
		{"unknown key", "hosts: x:1\n", []string{"c:1:1: hosts: is no setting (did you mean host?)"}},
		{"unknown key, nothing near", "zzz: 1\n", []string{"c:1:1: zzz: is no setting"}},
		{"near the beginning", "\n\nreversal_wait: 1m\n", []string{"c:3:1: reversal_wait: is no setting (did you mean reversal_wait_m"}},
		{"given twice", "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n", []string{"c:2:1: listen: is given twice"}},
		{"no value", "listen:\n", []string{"c:1:1: listen: has no value"}},
		{"not a bool", "any_filesystem: perhaps\n", []string{`c:1:17: any_filesystem: "perhaps" is neither true nor false`}},
		{"not a number", "reversal_quick: three\n", []string{`c:1:17: reversal_quick: "three" is not a number from 1 to 10`}},
		{"number too small", "reversal_quick: -1\n", []string{"c:1:17: reversal_quick:"}},
		{"number too large", "reversal_quick: 11\n", []string{"c:1:17: reversal_quick:"}},
		{"not a time", "host_timeout: 30\n", []string{`c:1:15: host_timeout: "30" is not a time from 100ms to 5m0s`}},
		{"time too short", "host_timeout: 99ms\n", []string{"c:1:15: host_timeout:"}},
		{"time too long", "host_timeout: 301s\n", []string{"c:1:15: host_timeout:"}},
		{"negative time", "linger: -1s\n", []string{"c:1:9: linger:"}},
		{"not one of", "unconfirmed_at_boot: guess\n", []string{`c:1:22: unconfirmed_at_boot: "guess" is not one of reverse, keep`}},
		{"a list for a text", "listen: [a, b]\n", []string{"c:1:9: listen: one value is wanted here"}},
		{"a map for a list", "host: {a: b}\n", []string{"c:1:7: host: a text or a list of texts is wanted here"}},
		{"lists in a list", "host: [[a]]\n", []string{"c:1:7: host: a list of texts is wanted here"}},
		{"no address", "host: []\n", []string{"c:1:7: host: at least one address is needed"}},
		{"no port", "host: acquirer\n", []string{`c:1:7: host: "acquirer" is not host:port`}},
		{"no such port", "listen: 127.0.0.1:65536\n", []string{"c:1:9: listen:"}},
		{"port nobody has", "host: 127.0.0.1:0\n", []string{"c:1:7: host:"}},
		{"TLS without an authority", "tls: {pin: x}\n", []string{"c:1:12: tls.ca_file: a file with the certificate"}},
		{"a certificate without its key", "tls:\n  ca_file: a\n  cert_file: b\n", []string{"c:3:14: tls.cert_file: a certificate and its key are given together"}},
		{"no power source", "power: {source: battery}\n", []string{"c:1:17: power.source: "}},
		{"no serial host", "host: serial:ttyS0\n", []string{"c:1:7: host: "}},
		{"no syslog", "log_syslog: udp:here\n", []string{"c:1:13: log_syslog: "}},
		{"the wrong way round", "redial_min: 1m\nredial_max: 1s\n", []string{"c:1:13: redial_min: is longer than redial_max"}},
		{"empty path", "journal: \"\"\n", []string{"c:1:10: journal: may not be empty"}},
		{"not a map", "- a\n- b\n", []string{"c:1:1: not a list of keys and values"}},
		{"a text", "hello\n", []string{"c:1:1: not a list of keys and values"}},
		{"not YAML", "a: b\n c: d: e\n", []string{"c:2:"}},
		{"a tab", "listen:\t127.0.0.1:1\n\tjournal: x\n", []string{"c:2:"}},
		{"not loopback", "api_listen: 192.168.1.2:80\napi_token: f\n", []string{`c:1:13: api_listen: "192.168.1.2:80" is not on loopback`}},
		{"a name for loopback", "api_listen: localhost:80\napi_token: f\n", []string{`c:1:13: api_listen: "localhost:80" is not on loopback`}},
		{"everywhere", "api_listen: 0.0.0.0:80\napi_token: f\n", []string{`c:1:13: api_listen:`}},
		{"no token", "api_listen: 127.0.0.1:80\n", []string{"c:1:13: api_listen: is given, and api_token is not"}},
		{"no port for it", "api_listen: 127.0.0.1\napi_token: f\n", []string{"c:1:13: api_listen:"}},
		{"a user by name", "api_apps: [uid:1, pos]\n", []string{`c:1:11: api_apps: "pos" is not uid:N, gid:N or any`}},
		{"no such role", "api_token_role: nobody\n", []string{"c:1:17: api_token_role:"}},
		{"no such mode", "socket_mode: \"0777\"\n", []string{"c:1:14: socket_mode:"}},
		{"two documents", "listen: 127.0.0.1:1\n---\nlisten: 127.0.0.1:2\n", []string{"c:2:1: a second document"}},
		{"unknown in a group", "support:\n  nam: x\n", []string{"c:2:3: support.nam: is no setting (did you mean support.name?)"}},
		{"twice, once in a group", "support.name: a\nsupport: {name: b}\n", []string{"c:2:11: support.name: is given twice"}},
		{"a technician key that is none", "console:\n  keys: [ssh-ed25519 AAAA]\n", []string{"c:2:9: console.keys: not a technician's public key"}},
		{"a console's wrong words", "console: {baud: 9, encoding: utf-16, lang: fr}\n", []string{
			"c:1:17: console.baud", "c:1:30: console.encoding", "c:1:44: console.lang"}},
		{"a relay host without a port", "console: {relay_hosts: [gate.example]}\n", []string{"c:1:24: console.relay_hosts"}},
		{"a text for a group", "support: x\n", []string{"c:1:1: support: is no setting (did you mean support.name?)"}},
		{"a group in a group", "support: {steps: {a: b}}\n", []string{"c:1:18: support.steps: a text or a list of texts is wanted here"}},
		{"a key that is none", "[a]: b\n", []string{"c:1:1: "}},
		{"all at once", "listen: x\nzzz: 1\nhost_timeout: never\nlisten: y\nreversal_quick: 99\n", []string{
			`c:1:9: listen: "x" is not host:port`, "c:2:1: zzz:", "c:3:15: host_timeout:",
			"c:4:1: listen: is given twice", "c:5:17: reversal_quick:",
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := agent.ParseConfig("c", []byte(c.text))
			if err == nil {
				t.Fatal("taken")
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(c.want) {
				t.Fatalf("faults:\n%v\nwant %d:\n%s", err, len(c.want), strings.Join(c.want, "\n"))
			}
			for i, want := range c.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("fault %d is\n%s\nwant\n%s", i, got[i], want)
				}
			}
		})
	}
}

// Rule: every bound that a key has is kept on both sides, and said with the key.
func TestEveryBoundIsKept(t *testing.T) {
	for key, c := range map[string]struct{ least, most, under, over string }{
		"journal_bytes_max":   {"2097152", "1073741824", "2097151", "1073741825"},
		"host_timeout":        {"100ms", "5m", "99ms", "5m1s"},
		"confirm_timeout":     {"1s", "1h", "999ms", "61m"},
		"entry_wait":          {"0s", "5m", "-1ns", "301s"},
		"linger":              {"0s", "1s", "-1ns", "1001ms"},
		"reversal_quick":      {"1", "10", "-1", "11"},
		"reversal_wait_min":   {"1s", "30m", "999ms", "61m"},
		"reversal_wait_max":   {"1m", "24h", "999ms", "25h"},
		"overdue_after":       {"1s", "720h", "999ms", "721h"},
		"dial_timeout":        {"100ms", "2m", "0", "3m"},
		"write_timeout":       {"100ms", "2m", "1ms", "121s"},
		"redial_min":          {"10ms", "10s", "9ms", "61s"},
		"redial_max":          {"100ms", "1h", "9ms", "61m"},
		"user_timeout":        {"1s", "5m", "1ms", "301s"},
		"keepalive_idle":      {"1s", "2h", "0s", "121m"},
		"keepalive_interval":  {"1s", "1h", "0s", "61m"},
		"app_connections_max": {"1", "512", "0", "513"},
		"app_frame_timeout":   {"100ms", "1m", "99ms", "61s"},
		"app_answers_max":     {"1", "4096", "0", "4097"},
		"watchdog.timeout":    {"5s", "1h", "4s", "61m"},
		"api_connections_max": {"1", "512", "0", "513"},
		"console.baud":        {"1200", "4000000", "1199", "4000001"},
		"console.idle_logout": {"10s", "1h", "9s", "61m"},
	} {
		for _, good := range []string{c.least, c.most} {
			if _, err := agent.ParseConfig("c", []byte(key+": "+good)); err != nil {
				t.Errorf("%s: %s is refused: %v", key, good, err)
			}
		}
		for _, bad := range []string{c.under, c.over, "1e400", "", "99999999999999999999"} {
			if _, err := agent.ParseConfig("c", []byte(key+": \""+bad+"\"")); err == nil {
				t.Errorf("%s: %s is taken", key, bad)
			}
		}
	}
}

// Rule: the smallest journal that the configuration accepts can be opened.
func TestTheSmallestJournalOpens(t *testing.T) {
	for bytes := int64(1 << 20); bytes <= 4<<20; bytes += 1 << 19 {
		if _, err := agent.ParseConfig("c", fmt.Appendf(nil, "journal_bytes_max: %d", bytes)); err != nil {
			continue
		}
		j, err := store.Open(store.Options{
			Path: filepath.Join(t.TempDir(), "j.db"), SizeMax: bytes, AnyFilesystem: true,
		})
		if err != nil {
			t.Fatalf("%d bytes: %v", bytes, err)
		}
		_ = j.Close()
	}
}

// Rule: without a file, or with an empty one, the defaults are in force, and they are valid.
func TestTheDefaults(t *testing.T) {
	want := agent.DefaultConfig()
	if err := want.Validate(); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"", "\n", "# nothing but a remark\n", "---\n", "~\n"} {
		got, err := agent.ParseConfig("c", []byte(text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
}

// Rule: what `config show` prints is a file that gives the same configuration.
func TestWhatIsShownReadsBack(t *testing.T) {
	odd := agent.DefaultConfig()
	odd.Profile = `a "profile": #1`
	odd.Host = []string{"[::1]:1", "host.example:65535"}
	odd.Journal = "/tmp/\u00e9\u4e2d\u6587/\t\u2028\ufeff\x7f\U0001F600 x"
	odd.Terminal = "yes"
	odd.AnyFilesystem = true
	odd.UnconfirmedAtBoot = "keep"
	odd.HostTimeout = 12345678901 * time.Nanosecond
	odd.EntryWait, odd.Linger = 0, 0
	odd.ReversalQuick = 10
	odd.Support = agent.Support{Name: "客服", Phone: "+86 10 1234", Email: "a@b", Steps: []string{"1: call", ""}}
	for _, c := range []agent.Config{agent.DefaultConfig(), odd} {
		text := c.Show()
		got, err := agent.ParseConfig("c", []byte(text))
		if diff := cmp.Diff(c, got); err != nil || diff != "" {
			t.Errorf("%v\n%s\n%s", err, diff, text)
		}
		if again := got.Show(); again != text {
			t.Error("and is not shown the same again")
		}
	}
	if weak := odd.Overrides(); len(weak) != 2 {
		t.Errorf("overrides: %q", weak)
	}
	profile, err := iso.Builtin("iso87-ascii")
	if err != nil {
		t.Fatal(err)
	}
	grouped, err := agent.ParseConfig("c", []byte("support: {name: Ann, steps: [look]}\n"))
	if err != nil || grouped.Support.Name != "Ann" || len(grouped.Support.Steps) != 1 {
		t.Errorf("a group reads %+v, %v", grouped.Support, err)
	}
	// Rule: what the configuration leaves open is the profile's.
	if l := agent.DefaultConfig().Limits(profile); l.HostTimeout != profile.HostTimeout() ||
		l.Schedule.WaitMax != profile.Schedule().RetryMax || l.Schedule.Quick != profile.Schedule().Quick ||
		l.OverdueAfter == 0 || l.Schedule.WaitMin == 0 {
		t.Errorf("limits of a default configuration: %+v", l)
	}
	l := odd.Limits(profile)
	if !l.KeepUnconfirmed || l.HostTimeout != odd.HostTimeout || l.Schedule.AnswerTime != odd.HostTimeout ||
		l.Schedule.Quick != 10 || l.Schedule.Jitter == 0 {
		t.Errorf("limits: %+v", l)
	}
}

// Rule: a file is read whole or not at all.
func TestLoadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reversald.yaml")
	if _, err := agent.LoadConfig(path); err == nil {
		t.Error("a file that is not there was read")
	}
	if err := os.WriteFile(path, []byte("host: [a:1, b:2]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := agent.LoadConfig(path)
	if err != nil || !cmp.Equal(c.Host, []string{"a:1", "b:2"}) {
		t.Errorf("%v, %v", c.Host, err)
	}
	if err := os.WriteFile(path, []byte("#"+strings.Repeat("x", 2<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := agent.LoadConfig(path); err == nil {
		t.Error("two megabytes of configuration were read")
	}
}

// FuzzParseConfig: any bytes are a configuration that reads back, or faults with a place.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(agent.DefaultConfig().Show()))
	f.Add([]byte("host: [a:1, b:2]\nlisten: \"[::1]:0\"\n"))
	f.Add([]byte("a: &x [1, *x]\nhost: *x\n"))
	f.Add([]byte("host: !!binary aGVsbG8=\n? - x\n: y\n"))
	f.Add([]byte("terminal: \"\\xff\\u2028\\0\"\n"))
	f.Add([]byte("<<: {host: a:1}\nlisten: |\n  127.0.0.1:1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := agent.ParseConfig("c", text)
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				var row, column int
				if _, err := fmt.Sscanf(line, "c:%d:%d: ", &row, &column); err != nil || row < 1 || column < 1 {
					t.Errorf("a fault without a place: %q", line)
				}
			}
			return
		}
		got, err := agent.ParseConfig("shown", []byte(c.Show()))
		if diff := cmp.Diff(c, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}
