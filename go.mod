module reversald

go 1.26.0

require (
	github.com/cenkalti/backoff/v4 v4.3.0
	github.com/creack/pty v1.1.24
	github.com/google/go-cmp v0.7.0
	github.com/hanwen/go-fuse/v2 v2.12.1 // cross/torture alone: a disk that remembers
	// v0.23.3 … v0.26.1 do not compile on 32-bit ARM (prefix/binary.go overflows int)
	github.com/moov-io/iso8583 v0.23.2
	github.com/rogpeppe/go-internal v1.16.0
	github.com/spf13/cobra v1.10.2
	github.com/spf13/pflag v1.0.10
	go.bug.st/serial v1.8.0
	go.etcd.io/bbolt v1.5.0
	go.yaml.in/yaml/v3 v3.0.4
	golang.org/x/sys v0.49.0
	golang.org/x/term v0.47.0
	golang.org/x/text v0.21.0 // tests only: the table of GBK
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/kr/text v0.2.0 // indirect
	github.com/yerden/go-util v1.1.4 // indirect
	golang.org/x/tools v0.36.0 // indirect
)
