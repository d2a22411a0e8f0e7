package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"reversald/agent/reversal"
	"reversald/store"
)

// Config is everything an integrator may set, in one YAML file. Every key has a default that works
// on a developer's machine; `reversald config show` prints what is in force.
type Config struct {
	Profile  string // the host's dialect: a built-in profile's name, or the path of a file
	Host     []string
	Listen   string // of the ISO door
	Terminal string

	Journal        string
	Ring           string
	Key            string
	JournalBytes   int
	RetainDays     int
	RetainPayments int
	AnyFilesystem  bool
	Socket         string

	HostTimeout       time.Duration
	ConfirmTimeout    time.Duration
	EntryWait         time.Duration
	Linger            time.Duration
	UnconfirmedAtBoot string

	ReversalQuick   int
	ReversalWaitMin time.Duration
	ReversalWaitMax time.Duration
	OverdueAfter    time.Duration

	DialTimeout       time.Duration
	WriteTimeout      time.Duration
	RedialMin         time.Duration
	RedialMax         time.Duration
	UserTimeout       time.Duration
	KeepAliveIdle     time.Duration
	KeepAliveInterval time.Duration

	AppConnectionsMax int
	AppFrameTimeout   time.Duration
	AppAnswersMax     int

	LogLevel  string
	LogFormat string
}

// DefaultConfig works on a developer's machine without a file: everything on loopback, state in
// the user's own folder (root's, unless XDG_STATE_HOME says otherwise: /var/lib/reversald and /run).
func DefaultConfig() Config {
	state, socket := stateFolder()
	schedule := reversal.DefaultSchedule()
	return Config{
		Profile: "iso87-ascii",
		Host:    []string{"127.0.0.1:8583"},
		Listen:  "127.0.0.1:8582",

		Journal: filepath.Join(state, "journal.db"),
		Socket:  socket,

		JournalBytes: 64 << 20,
		RetainDays:   400,

		HostTimeout:       schedule.AnswerTime,
		ConfirmTimeout:    time.Minute,
		EntryWait:         10 * time.Second,
		Linger:            5 * time.Millisecond,
		UnconfirmedAtBoot: "reverse",

		ReversalQuick:   schedule.Quick,
		ReversalWaitMin: schedule.WaitMin,
		ReversalWaitMax: schedule.WaitMax,
		OverdueAfter:    15 * time.Minute,

		DialTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		RedialMin:         100 * time.Millisecond,
		RedialMax:         10 * time.Second,
		UserTimeout:       15 * time.Second,
		KeepAliveIdle:     time.Minute,
		KeepAliveInterval: 10 * time.Second,

		AppConnectionsMax: 64,
		AppFrameTimeout:   10 * time.Second,
		AppAnswersMax:     256,

		LogLevel:  "info",
		LogFormat: "text",
	}
}

// stateFolder is where a daemon of this user keeps its journal and its socket.
func stateFolder() (state, socket string) {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" && os.Geteuid() == 0 {
		return "/var/lib/reversald", "/run/reversald.sock"
	}
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = "."
		}
		base = filepath.Join(home, ".local", "state")
	}
	state = filepath.Join(base, "reversald")
	return state, filepath.Join(state, "reversald.sock")
}

// fault is what is wrong with the values of some settings taken together.
type fault struct {
	keys []string // where it can be mended
	err  error
}

// Validate reports every fault of the values taken together.
func (c Config) Validate() error {
	var faults []error
	for _, f := range c.faults() {
		faults = append(faults, fmt.Errorf("%s: %w", f.keys[0], f.err))
	}
	return errors.Join(faults...)
}

func (c Config) faults() []fault {
	var faults []fault
	add := func(err error, keys ...string) { faults = append(faults, fault{keys, err}) }
	if len(c.Host) == 0 {
		add(errors.New("at least one address is needed"), "host")
	}
	for _, address := range c.Host {
		if err := checkAddress(address, 1); err != nil {
			add(err, "host")
		}
	}
	if err := checkAddress(c.Listen, 0); err != nil {
		add(err, "listen")
	}
	if c.ReversalWaitMin > c.ReversalWaitMax {
		add(errors.New("is longer than reversal_wait_max"), "reversal_wait_min", "reversal_wait_max")
	}
	if c.RedialMin > c.RedialMax {
		add(errors.New("is longer than redial_max"), "redial_min", "redial_max")
	}
	for key, path := range map[string]string{
		"profile": c.Profile, "journal": c.Journal, "socket": c.Socket,
	} {
		if path == "" {
			add(errors.New("may not be empty"), key)
		}
	}
	slices.SortStableFunc(faults, func(a, b fault) int { return strings.Compare(a.keys[0], b.keys[0]) })
	return faults
}

// checkAddress: port 0 takes a free one where we listen, and is nobody's where we call.
func checkAddress(address string, portMin int) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not host:port", address)
	}
	if n, err := strconv.Atoi(port); err != nil || n < portMin || n > 65535 {
		return fmt.Errorf("%q has no port between %d and 65535", address, portMin)
	}
	return nil
}

// Overrides are the settings in force that weaken the promise.
func (c Config) Overrides() []string {
	var weak []string
	if c.AnyFilesystem {
		weak = append(weak, "any_filesystem")
	}
	if c.UnconfirmedAtBoot == "keep" {
		weak = append(weak, "unconfirmed_at_boot: keep")
	}
	return weak
}

// Limits are what the agent needs of the configuration.
func (c Config) Limits() Limits {
	return Limits{
		Hosts: c.Host, HostTimeout: c.HostTimeout, ConfirmTimeout: c.ConfirmTimeout,
		EntryWait: c.EntryWait, Linger: c.Linger,
		DialTimeout: c.DialTimeout, WriteTimeout: c.WriteTimeout,
		RedialMin: c.RedialMin, RedialMax: c.RedialMax,
		KeepUnconfirmed: c.UnconfirmedAtBoot == "keep", OverdueAfter: c.OverdueAfter,
		Retention: store.Retention{
			Age: time.Duration(c.RetainDays) * 24 * time.Hour, Payments: c.RetainPayments,
		},
		Schedule: reversal.Schedule{
			AnswerTime: c.HostTimeout, Quick: c.ReversalQuick,
			WaitMin: c.ReversalWaitMin, WaitMax: c.ReversalWaitMax,
			Jitter: reversal.DefaultSchedule().Jitter,
		},
	}
}

// Show prints every key with its meaning, its default and what is in force, as a file that can be
// read back.
func (c Config) Show() string {
	var b strings.Builder
	standard := DefaultConfig()
	for _, s := range settings {
		fmt.Fprintf(&b, "# %s%s\n", s.doc, s.bounds())
		if now, normal := text(s.value(&c)), text(s.value(&standard)); now != normal {
			fmt.Fprintf(&b, "# default: %s\n%s: %s\n\n", normal, s.key, now)
		} else {
			fmt.Fprintf(&b, "%s: %s\n\n", s.key, now)
		}
	}
	return b.String()
}
