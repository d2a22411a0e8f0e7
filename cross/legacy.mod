// The same source for terminals whose kernel is older than 3.2: the newest
// versions that Go 1.23 takes. `make go123` uses it in place of ../go.mod.
module reversald

go 1.23.0

require (
	github.com/cenkalti/backoff/v4 v4.3.0
	github.com/coreos/go-systemd/v22 v22.5.0
	// v0.23.3 … v0.26.1 do not compile on 32-bit ARM (prefix/binary.go overflows int)
	github.com/moov-io/iso8583 v0.23.2
	github.com/spf13/cobra v1.10.2
	go.bug.st/serial v1.6.4 // v1.8.0 asks for Go 1.25
	go.etcd.io/bbolt v1.4.3 // v1.5.0 asks for Go 1.25
	go.yaml.in/yaml/v3 v3.0.4
	golang.org/x/sys v0.35.0 // v0.36.0 asks for Go 1.24
)

require (
	github.com/creack/goselect v0.1.2 // indirect
	github.com/creack/pty v1.1.24 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	github.com/yerden/go-util v1.1.4 // indirect
	golang.org/x/term v0.34.0 // indirect
	golang.org/x/text v0.21.0 // indirect
)
