package agent

import (
	"slices"
	"time"
)

// setting is one key: what it is called, what it means, and where it lives.
type setting struct {
	key, doc string
	value    func(*Config) any // a pointer to string, []string, int, bool or time.Duration
	min, max any               // bounds, of the same kind; nil where there are none
	zero     string            // what 0 means, where it is no value of its own
	oneOf    []string
	live     bool // a reload puts it in force; otherwise a restart does
}

// settings lists every key in the order in which `config show` prints them.
var settings = slices.Concat(coreSettings, guardSettings, deviceSettings)

var coreSettings = []setting{
	{
		key:   "profile",
		doc:   "the host's dialect: a built-in name, or the path of a profile file",
		value: func(c *Config) any { return &c.Profile },
	},
	{
		key:   "host",
		doc:   "addresses of the acquirer's host, host:port, tried in turn",
		value: func(c *Config) any { return &c.Host },
	},
	{
		key: "listen",
		doc: "where payment apps connect with their own ISO 8583, one or a list: host:port, " +
			"unix:/PATH, or serial:/DEVICE?baud=9600&mode=8N1&envelope=stx|none&ack=yes|no for " +
			"an app at the end of a cable; sockets that systemd hands over take the place of " +
			"all but the cables",
		value: func(c *Config) any { return &c.Listen },
	},
	{
		key:   "listen_mode",
		doc:   "the file mode of a unix:/PATH of listen: who can open it, and sell",
		value: func(c *Config) any { return &c.ListenMode },
		oneOf: []string{"0600", "0660", "0666"},
	},
	{
		key: "terminal",
		doc: "name recorded in the journal; a journal of another is refused; empty: not " +
			"checked",
		value: func(c *Config) any { return &c.Terminal },
	},
	{
		key: "merchant",
		doc: "DE42 of the messages the agent makes itself, sign-on and echo; empty: the newest " +
			"payment's",
		value: func(c *Config) any { return &c.Merchant },
	},
	{
		key: "signer",
		doc: "who owns the MAC keys: none, soft:FILE (development), or unix:SOCKET (the vendor's " +
			"secure module, hal/SIGNER.md)",
		value: func(c *Config) any { return &c.Signer },
	},
	{
		key:   "journal",
		doc:   "the journal; on ext4, f2fs or ubifs",
		value: func(c *Config) any { return &c.Journal },
	},
	{
		key: "ring",
		doc: "its second copy, better on another partition; empty: the journal's name " +
			"with .ring",
		value: func(c *Config) any { return &c.Ring },
	},
	{
		key: "key",
		doc: "the key that seals card numbers, mode 0600; empty: the journal's name " +
			"with .key",
		value: func(c *Config) any { return &c.Key },
	},
	{
		key: "key_signer",
		doc: "the signer's key, kdk or SLOT/kdk, with which the journal's key is made; " +
			"empty: the key file holds it in clear",
		value: func(c *Config) any { return &c.KeySigner },
	},
	{
		key:   "journal_bytes_max",
		doc:   "the journal's size at most; closed payments are forgotten to keep below it",
		value: func(c *Config) any { return &c.JournalBytes },
		min:   2 << 20, max: 1 << 30,
	},
	{
		key:   "retain_days",
		live:  true,
		doc:   "how many days closed payments are kept; 0: as long as there is room",
		value: func(c *Config) any { return &c.RetainDays },
		min:   0, max: 3650,
	},
	{
		key:   "retain_payments",
		live:  true,
		doc:   "how many payments are kept, open ones in any case; 0: as there is room for",
		value: func(c *Config) any { return &c.RetainPayments },
		min:   0, max: 1_000_000,
	},
	{
		key:   "any_filesystem",
		doc:   "accept a file system that can not keep a journal (tests and demos only)",
		value: func(c *Config) any { return &c.AnyFilesystem },
	},
	{
		key:   "socket",
		doc:   "the Unix socket of the API, which status, tail, show, stuck and replay ask too",
		value: func(c *Config) any { return &c.Socket },
	},
	{
		key: "socket_mode",
		doc: "its file mode: who can open it at all; with more than 0600 give the others a role " +
			"below",
		value: func(c *Config) any { return &c.SocketMode },
		oneOf: []string{"0600", "0660", "0666"},
	},
	{
		key: "api_operators",
		doc: "who may do everything on the socket: uid:N, gid:N (first group) or any; " +
			"root and the daemon's own user in any case",
		value: func(c *Config) any { return &c.APIOperators },
	},
	{
		key:   "api_viewers",
		doc:   "who may see everything and order nothing",
		value: func(c *Config) any { return &c.APIViewers },
	},
	{
		key:   "api_apps",
		doc:   "who may sell, confirm and cancel, and see their own payments",
		value: func(c *Config) any { return &c.APIApps },
	},
	{
		key:   "api_listen",
		doc:   "the API over TCP too, 127.0.0.1:PORT or [::1]:PORT; empty: not",
		value: func(c *Config) any { return &c.APIListen },
	},
	{
		key:   "api_token",
		doc:   "the file with the token for that, mode 0600, one word of 16 to 512 characters",
		value: func(c *Config) any { return &c.APIToken },
	},
	{
		key:   "api_token_role",
		doc:   "what whoever knows the token may do",
		value: func(c *Config) any { return &c.APITokenRole },
		oneOf: []string{"app", "viewer", "operator"},
	},
	{
		key:   "api_connections_max",
		doc:   "connections to the API at once, for each listener; operators get a few more",
		value: func(c *Config) any { return &c.APIConnectionsMax },
		min:   1, max: 512,
	},
	{
		key:   "host_timeout",
		live:  true,
		doc:   "how long the host has to answer",
		value: func(c *Config) any { return &c.HostTimeout },
		min:   100 * time.Millisecond, max: 5 * time.Minute,
		zero: "the profile's",
	},
	{
		key:   "confirm_timeout",
		live:  true,
		doc:   "how long an app that confirms has to do so",
		value: func(c *Config) any { return &c.ConfirmTimeout },
		min:   time.Second, max: time.Hour,
	},
	{
		key:  "entry_wait",
		live: true,
		doc: "how long a payment waits for the line, or for an older reversal, before " +
			"it is refused",
		value: func(c *Config) any { return &c.EntryWait },
		min:   time.Duration(0), max: 5 * time.Minute,
	},
	{
		key:   "linger",
		live:  true,
		doc:   "how long a record nobody waits for may wait for a commit to ride with",
		value: func(c *Config) any { return &c.Linger },
		min:   time.Duration(0), max: time.Second,
	},
	{
		key:   "unconfirmed_at_boot",
		doc:   "an approval found at power-up whose delivery is not on file: reverse or keep",
		value: func(c *Config) any { return &c.UnconfirmedAtBoot },
		oneOf: []string{"reverse", "keep"},
	},
	{
		key:   "reversal_quick",
		live:  true,
		doc:   "sends of a reversal one host_timeout apart before the waits grow",
		value: func(c *Config) any { return &c.ReversalQuick },
		min:   1, max: 10,
		zero: "the profile's",
	},
	{
		key:   "reversal_wait_min",
		live:  true,
		doc:   "the first of the growing waits",
		value: func(c *Config) any { return &c.ReversalWaitMin },
		min:   time.Second, max: time.Hour,
		zero: "the profile's",
	},
	{
		key:   "reversal_wait_max",
		live:  true,
		doc:   "the longest of them; a reversal is sent for ever",
		value: func(c *Config) any { return &c.ReversalWaitMax },
		min:   time.Second, max: 24 * time.Hour,
		zero: "the profile's",
	},
	{
		key:   "overdue_after",
		live:  true,
		doc:   "a reversal older than this is shown as overdue",
		value: func(c *Config) any { return &c.OverdueAfter },
		min:   time.Second, max: 30 * 24 * time.Hour,
		zero: "the profile's",
	},
	{
		key:   "dial_timeout",
		doc:   "how long one address may take to answer a connection",
		value: func(c *Config) any { return &c.DialTimeout },
		min:   100 * time.Millisecond, max: 2 * time.Minute,
	},
	{
		key:   "write_timeout",
		doc:   "how long a line or an app may take no bytes",
		value: func(c *Config) any { return &c.WriteTimeout },
		min:   100 * time.Millisecond, max: 2 * time.Minute,
	},
	{
		key:   "redial_min",
		doc:   "the first wait after a failed connection",
		value: func(c *Config) any { return &c.RedialMin },
		min:   10 * time.Millisecond, max: time.Minute,
	},
	{
		key:   "redial_max",
		doc:   "the longest wait between connections",
		value: func(c *Config) any { return &c.RedialMax },
		min:   10 * time.Millisecond, max: time.Hour,
	},
	{
		key: "user_timeout",
		doc: "how long the host may leave bytes unacknowledged before the line counts " +
			"as dead",
		value: func(c *Config) any { return &c.UserTimeout },
		min:   time.Second, max: 5 * time.Minute,
	},
	{
		key:   "keepalive_idle",
		doc:   "silence on the line before the first TCP probe",
		value: func(c *Config) any { return &c.KeepAliveIdle },
		min:   time.Second, max: 2 * time.Hour,
	},
	{
		key:   "keepalive_interval",
		doc:   "time between TCP probes",
		value: func(c *Config) any { return &c.KeepAliveInterval },
		min:   time.Second, max: time.Hour,
	},
	{
		key:   "app_connections_max",
		doc:   "payment apps connected at once",
		value: func(c *Config) any { return &c.AppConnectionsMax },
		min:   1, max: 512,
	},
	{
		key:   "app_frame_timeout",
		doc:   "how long an app may take over one frame",
		value: func(c *Config) any { return &c.AppFrameTimeout },
		min:   100 * time.Millisecond, max: time.Minute,
	},
	{
		key:   "app_answers_max",
		doc:   "answers that wait for one app that does not read",
		value: func(c *Config) any { return &c.AppAnswersMax },
		min:   1, max: 4096,
	},
	{
		key:   "support.name",
		doc:   "who helps, for reversald support; these may stand under support: as well",
		value: func(c *Config) any { return &c.Support.Name },
	},
	{
		key:   "support.phone",
		doc:   "their telephone",
		value: func(c *Config) any { return &c.Support.Phone },
	},
	{
		key:   "support.email",
		doc:   "their address",
		value: func(c *Config) any { return &c.Support.Email },
	},
	{
		key:   "support.steps",
		doc:   "what to do before calling them, one step an item, in the language of the shop",
		value: func(c *Config) any { return &c.Support.Steps },
	},
	{
		key: "console.port",
		doc: "the serial port of the maintenance console, such as /dev/ttyS1; empty: no console; " +
			"these may stand under console: as well",
		value: func(c *Config) any { return &c.Console.Port },
	},
	{
		key:   "console.baud",
		doc:   "its speed, 8N1 without flow control",
		value: func(c *Config) any { return &c.Console.Baud },
		min:   1200, max: 4_000_000,
	},
	{
		key:   "console.encoding",
		doc:   "its characters",
		value: func(c *Config) any { return &c.Console.Encoding },
		oneOf: []string{"utf-8", "gbk"},
	},
	{
		key:   "console.lang",
		doc:   "its language",
		value: func(c *Config) any { return &c.Console.Lang },
		oneOf: []string{"en", "zh"},
	},
	{
		key:   "console.keys",
		doc:   "public keys of technicians, as reversald tech keygen prints them",
		value: func(c *Config) any { return &c.Console.Keys },
	},
	{
		key:   "console.pin_file",
		doc:   "what reversald tech pin printed, mode 0600; empty: no PIN; there is no default",
		value: func(c *Config) any { return &c.Console.PINFile },
	},
	{
		key:   "console.state_file",
		doc:   "counts failed log-ins; empty: the journal's name with .console",
		value: func(c *Config) any { return &c.Console.StateFile },
	},
	{
		key:   "console.idle_logout",
		doc:   "who does not type for so long is logged out",
		value: func(c *Config) any { return &c.Console.IdleLogout },
		min:   10 * time.Second, max: time.Hour,
	},
	{
		key: "console.relay_hosts",
		doc: "addresses that a technician's laptop may relay to, host:port, beside host's: " +
			"the same acquirer's, seen from outside",
		value: func(c *Config) any { return &c.Console.RelayHosts },
	},
	{
		key:   "log_level",
		live:  true,
		doc:   "what is logged",
		value: func(c *Config) any { return &c.LogLevel },
		oneOf: []string{"debug", "info", "warn", "error"},
	},
	{
		key: "log_format",
		doc: "how it is logged, to standard error; syslog: to log_syslog; text becomes journald " +
			"where journald reads it",
		value: func(c *Config) any { return &c.LogFormat },
		oneOf: []string{"text", "json", "journald", "syslog"},
	},
}
