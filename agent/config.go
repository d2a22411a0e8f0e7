package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"reversald/agent/reversal"
)

// Config is everything an integrator may set, in one YAML file. Every key has a default that works
// on a developer's machine; `reversald config show` prints what is in force.
type Config struct {
	Profile  string // the host's dialect: a built-in profile's name, or the path of a file
	Host     []string
	Listen   string // of the ISO door
	Terminal string

	Journal       string
	Ring          string
	Key           string
	JournalBytes  int
	AnyFilesystem bool
	Socket        string

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
// the user's own folder (root: /var/lib/reversald and /run).
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
	if os.Geteuid() == 0 {
		return "/var/lib/reversald", "/run/reversald.sock"
	}
	base := os.Getenv("XDG_STATE_HOME")
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

// Validate reports every fault of the values taken together.
func (c Config) Validate() error {
	var faults []error
	if len(c.Host) == 0 {
		faults = append(faults, errors.New("host: at least one address is needed"))
	}
	for _, address := range append([]string{c.Listen}, c.Host...) {
		if err := checkAddress(address); err != nil {
			faults = append(faults, err)
		}
	}
	if c.ReversalWaitMin > c.ReversalWaitMax {
		faults = append(faults, errors.New("reversal_wait_min is longer than reversal_wait_max"))
	}
	if c.RedialMin > c.RedialMax {
		faults = append(faults, errors.New("redial_min is longer than redial_max"))
	}
	if c.Journal == "" {
		faults = append(faults, errors.New("journal: a path is needed"))
	}
	return errors.Join(faults...)
}

func checkAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not host:port", address)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q has no port between 0 and 65535", address)
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
