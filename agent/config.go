package agent

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"reversald/agent/badge"
	"reversald/agent/reversal"
	"reversald/hal"
	"reversald/iso"
	"reversald/store"
)

// Config is everything an integrator may set, in one YAML file. Every key has a default that works
// on a developer's machine; `reversald config show` prints what is in force.
type Config struct {
	Profile  string // the host's dialect: a built-in profile's name, or the path of a file
	Host     []string
	Listen   string // of the ISO door
	Terminal string
	Merchant string
	Signer   string

	Journal        string
	Ring           string
	Key            string
	KeySigner      string
	JournalBytes   int
	RetainDays     int
	RetainPayments int
	AnyFilesystem  bool
	Socket         string

	SocketMode        string
	APIOperators      []string
	APIViewers        []string
	APIApps           []string
	APIListen         string
	APIToken          string
	APITokenRole      string
	APIConnectionsMax int

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

	Support Support
	Guard   guardConfig
	Console Console

	LogLevel  string
	LogFormat string

	DeviceConfig
}

// Support is who helps the people at this terminal, and how.
type Support struct {
	Name, Phone, Email string
	Steps              []string
}

// Console is the serial maintenance console. Without a port there is none.
type Console struct {
	Port       string
	Baud       int
	Encoding   string
	Lang       string
	Keys       []string // public keys of technicians, as badge.ParseKey reads them
	PINFile    string
	StateFile  string
	IdleLogout time.Duration
	RelayHosts []string // beside Config.Host
}

// DefaultConfig works on a developer's machine without a file: everything on loopback, state in
// the user's own folder (root's is /var/lib/reversald and /run, unless XDG_STATE_HOME says
// otherwise).
func DefaultConfig() Config {
	state, socket := stateFolder()
	return Config{
		Profile: "iso87-ascii",
		Host:    []string{"127.0.0.1:8583"},
		Listen:  "127.0.0.1:8582",
		Signer:  "none",

		Journal: filepath.Join(state, "journal.db"),
		Socket:  socket,

		SocketMode:        "0600",
		APIOperators:      []string{},
		APIViewers:        []string{},
		APIApps:           []string{},
		APITokenRole:      "app",
		APIConnectionsMax: 64,

		JournalBytes: 64 << 20,
		RetainDays:   400,

		ConfirmTimeout:    time.Minute,
		EntryWait:         10 * time.Second,
		Linger:            5 * time.Millisecond,
		UnconfirmedAtBoot: "reverse",

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

		Support: Support{Steps: []string{}},
		Guard: guardConfig{
			Irreversible: "off", CheckDigit: "off", Expiry: "off", Amount: "off", Zero: "off",
			Repeat: "off", RepeatWithin: time.Minute,
		},
		Console: Console{
			Baud: 115200, Encoding: "utf-8", Lang: "en", Keys: []string{},
			IdleLogout: 10 * time.Minute, RelayHosts: []string{},
		},

		LogLevel:  "info",
		LogFormat: "text",

		DeviceConfig: defaultDevices(),
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

// consoleKeysMax bounds what one answer costs: an ARM926 checks a signature in 10 ms.
const consoleKeysMax = 64

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

// Changes are the keys in which another configuration differs: those that a reload puts in force,
// and those that want a restart.
func (c Config) Changes(next Config) (live, restart []string) {
	for _, s := range settings {
		switch {
		case text(s.value(&c)) == text(s.value(&next)):
		case s.live:
			live = append(live, s.key)
		default:
			restart = append(restart, s.key)
		}
	}
	return live, restart
}

// Merge is this configuration with what a reload may change taken from another.
func (c Config) Merge(next Config) Config {
	for _, s := range settings {
		if s.live {
			assign(s.value(&c), s.value(&next))
		}
	}
	return c
}

// assign copies one value.
func assign(into, from any) {
	switch into := into.(type) {
	case *string:
		*into = *from.(*string)
	case *[]string:
		*into = slices.Clone(*from.(*[]string))
	case *bool:
		*into = *from.(*bool)
	case *int:
		*into = *from.(*int)
	case *time.Duration:
		*into = *from.(*time.Duration)
	}
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

// Limits are what the agent needs of the configuration; what it leaves open is the profile's.
func (c Config) Limits(p *iso.Profile) Limits {
	host := p.Schedule()
	timeout := cmp.Or(c.HostTimeout, p.HostTimeout())
	return Limits{
		Terminal: c.Terminal, Merchant: c.Merchant,
		Hosts: c.Host, HostTimeout: timeout, ConfirmTimeout: c.ConfirmTimeout,
		EntryWait: c.EntryWait, Linger: c.Linger,
		DialTimeout: c.DialTimeout, WriteTimeout: c.WriteTimeout,
		RedialMin: c.RedialMin, RedialMax: c.RedialMax,
		KeepUnconfirmed: c.UnconfirmedAtBoot == "keep",
		OverdueAfter:    cmp.Or(c.OverdueAfter, host.OverdueAfter),
		Retention: store.Retention{
			Age: time.Duration(c.RetainDays) * 24 * time.Hour, Payments: c.RetainPayments,
		},
		Guard: c.Guard.rails(), Contact: c.Support.Phone,
		Schedule: reversal.Schedule{
			AnswerTime: timeout,
			Quick:      cmp.Or(c.ReversalQuick, host.Quick),
			WaitMin:    cmp.Or(c.ReversalWaitMin, host.RetryMin),
			WaitMax: max(cmp.Or(c.ReversalWaitMax, host.RetryMax),
				cmp.Or(c.ReversalWaitMin, host.RetryMin)),
			Jitter: reversal.DefaultSchedule().Jitter,
		},
	}
}

// Show prints every key with its meaning, its default and what is in force, as a file that can be
// read back.
func (c Config) Show() string {
	var b strings.Builder
	standard := DefaultConfig()
	group := ""
	for _, s := range settings {
		in, key, grouped := strings.Cut(s.key, ".")
		indent := "  "
		if !grouped {
			in, key, indent = "", s.key, ""
		}
		if group != in && grouped {
			fmt.Fprintf(&b, "%s:\n", in)
		}
		group = in
		fmt.Fprintf(&b, "%s# %s%s\n", indent, s.doc, s.bounds())
		now, normal := text(s.value(&c)), text(s.value(&standard))
		if now != normal {
			fmt.Fprintf(&b, "%s# default: %s\n", indent, normal)
		}
		fmt.Fprintf(&b, "%s%s: %s\n\n", indent, key, now)
	}
	return b.String()
}

// faults are those of the values taken together, with the keys that can mend them.
func (c Config) faults() []fault {
	var faults []fault
	add := func(err error, keys ...string) { faults = append(faults, fault{keys, err}) }
	if len(c.Host) == 0 {
		add(errors.New("at least one address is needed"), "host")
	}
	for _, address := range c.Host {
		if err := checkHost(address); err != nil {
			add(err, "host")
		}
	}
	for _, address := range c.Console.RelayHosts {
		if err := checkAddress(address, 1); err != nil {
			add(err, "console.relay_hosts")
		}
	}
	if len(c.Console.Keys) > consoleKeysMax {
		add(fmt.Errorf("%d keys, at most %d", len(c.Console.Keys), consoleKeysMax), "console.keys")
	}
	for _, line := range c.Console.Keys {
		if _, err := badge.ParseKey(line); err != nil {
			add(err, "console.keys")
		}
	}
	if err := checkAddress(c.Listen, 0); err != nil {
		add(err, "listen")
	}
	c.DeviceConfig.faults(add)
	c.apiFaults(add)
	if c.ReversalWaitMin > c.ReversalWaitMax && c.ReversalWaitMax != 0 {
		add(errors.New("is longer than reversal_wait_max"),
			"reversal_wait_min", "reversal_wait_max")
	}
	if c.KeySigner != "" {
		if !hal.DerivesKeys(c.KeySigner) {
			add(errors.New("is not kdk or SLOT/kdk"), "key_signer")
		}
		if c.Signer == "none" {
			add(errors.New("needs a signer, and signer is none"), "key_signer", "signer")
		}
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
	if c.Guard.AmountMax != 0 && c.Guard.AmountMin > c.Guard.AmountMax {
		add(errors.New("is above guard_amount_max"), "guard_amount_min", "guard_amount_max")
	}
	sort.SliceStable(faults, func(i, j int) bool { return faults[i].keys[0] < faults[j].keys[0] })
	return faults
}
