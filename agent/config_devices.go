package agent

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"reversald/agent/slip"
	"reversald/hal"
)

// DeviceConfig is what an integrator may set about the terminal's devices. Its keys have a dot in
// their name here and are nested in the file: tls: {ca_file: …}.
type DeviceConfig struct {
	TLS          hal.TLSOptions // without files: the line is not encrypted
	NetworkWatch bool
	PowerSource  string
	Watchdog     string // device
	WatchdogTime time.Duration
	SyslogTo     string
	Printer      PrinterConfig
}

// PrinterConfig is the slip printer.
type PrinterConfig struct {
	Device, Encoding, Lang string
	Width                  int // columns
}

func defaultDevices() DeviceConfig {
	return DeviceConfig{
		TLS:          hal.TLSOptions{MinVersion: "1.2"},
		NetworkWatch: true,
		WatchdogTime: time.Minute,
		SyslogTo:     "/dev/log",
		Printer:      PrinterConfig{Encoding: "utf-8", Lang: "both", Width: 32},
	}
}

// Encrypted tells whether the line is to speak TLS.
func (d DeviceConfig) Encrypted() bool {
	return cmp.Or(d.TLS.CAFile, d.TLS.CertFile, d.TLS.KeyFile, d.TLS.ServerName, d.TLS.Pin) != ""
}

// faults are those of the devices' values taken together. Files are read by whoever uses them.
func (d DeviceConfig) faults(add func(err error, keys ...string)) {
	if d.Encrypted() && d.TLS.CAFile == "" {
		add(hal.ErrNoAuthority, "tls.ca_file", "tls.cert_file", "tls.key_file", "tls.server_name",
			"tls.pin")
	}
	if (d.TLS.CertFile == "") != (d.TLS.KeyFile == "") {
		add(errors.New("a certificate and its key are given together"),
			"tls.cert_file", "tls.key_file")
	}
	if d.PowerSource != "" {
		if _, err := hal.ParsePower(d.PowerSource); err != nil {
			add(err, "power.source")
		}
	}
	if d.Printer.Device != "" {
		if err := hal.CheckPrinter(d.Printer.Device); err != nil {
			add(err, "printer.device")
		}
	}
	if host, ok := strings.CutPrefix(d.SyslogTo, "udp:"); ok {
		if err := checkAddress(host, 1); err != nil {
			add(err, "log_syslog")
		}
	} else if !strings.HasPrefix(d.SyslogTo, "/") {
		add(fmt.Errorf("%q is neither a socket's path nor udp:HOST:PORT", d.SyslogTo),
			"log_syslog")
	}
}

// deviceSettings are their keys.
var deviceSettings = []setting{
	{
		key: "tls.ca_file",
		doc: "the certificate of the host's authority, PEM; given, the line is encrypted. " +
			"The system's authorities are never used",
		value: func(c *Config) any { return &c.TLS.CAFile },
		live:  true,
	},
	{
		key:   "tls.cert_file",
		doc:   "our certificate for the host, PEM, with tls.key_file",
		value: func(c *Config) any { return &c.TLS.CertFile },
		live:  true,
	},
	{
		key:   "tls.key_file",
		doc:   "its key, PEM",
		value: func(c *Config) any { return &c.TLS.KeyFile },
		live:  true,
	},
	{
		key:   "tls.server_name",
		doc:   "the name in the host's certificate; empty: the host of its address",
		value: func(c *Config) any { return &c.TLS.ServerName },
		live:  true,
	},
	{
		key:   "tls.min_version",
		doc:   "the oldest TLS that is spoken",
		value: func(c *Config) any { return &c.TLS.MinVersion },
		oneOf: []string{"1.2", "1.3"},
		live:  true,
	},
	{
		key: "tls.pin",
		doc: "sha256:HEX of a public key that the host's chain must have; empty: whichever the " +
			"authority vouches for",
		value: func(c *Config) any { return &c.TLS.Pin },
		live:  true,
	},
	{
		key:   "network_watch",
		doc:   "a carrier or an address gone is a line lost now, and back is a try now",
		value: func(c *Config) any { return &c.NetworkWatch },
	},
	{
		key: "power.source",
		doc: "what warns of a power cut: file:PATH, supply:PATH, gpio:CHIP:LINE[:low] or " +
			"evdev:DEVICE:key|switch:CODE; while it does no sale is taken; empty: nothing",
		value: func(c *Config) any { return &c.PowerSource },
	},
	{
		key: "watchdog.device",
		doc: "a hardware watchdog to feed while agent and journal answer, /dev/watchdog; empty: " +
			"none. systemd's is fed by itself",
		value: func(c *Config) any { return &c.Watchdog },
	},
	{
		key:   "watchdog.timeout",
		doc:   "how long it waits before it resets the terminal",
		value: func(c *Config) any { return &c.WatchdogTime },
		min:   5 * time.Second, max: time.Hour,
	},
	{
		key: "printer.device",
		doc: "where customers' slips are printed, in ESC/POS: file:/dev/usb/lp0 or " +
			"serial:/dev/ttyS2?baud=9600&mode=8N1; empty: nowhere",
		value: func(c *Config) any { return &c.Printer.Device },
	},
	{
		key:   "printer.width",
		doc:   "its columns: 32 on paper of 58 mm, 48 on 80 mm",
		value: func(c *Config) any { return &c.Printer.Width },
		min:   slip.WidthMin, max: slip.WidthMax,
	},
	{
		key:   "printer.encoding",
		doc:   "its characters",
		value: func(c *Config) any { return &c.Printer.Encoding },
		oneOf: []string{"utf-8", "gbk"},
	},
	{
		key:   "printer.lang",
		doc:   "the language of slips",
		value: func(c *Config) any { return &c.Printer.Lang },
		oneOf: []string{"en", "zh", "both"},
	},
	{
		key:   "log_syslog",
		doc:   "where log_format syslog sends to: a socket, or udp:HOST:PORT",
		value: func(c *Config) any { return &c.SyslogTo },
	},
}

// checkHost: a host is at an address, or at the end of a serial line.
func checkHost(address string) error {
	if strings.HasPrefix(address, hal.SerialScheme) {
		_, _, err := hal.ParseSerialHost(address)
		return err
	}
	return checkAddress(address, 1)
}
