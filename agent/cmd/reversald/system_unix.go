//go:build !windows

package main

import (
	"fmt"
	"io"
	"log/syslog"
	"os"
	"strings"
	"syscall"

	"reversald/agent"
)

// signalRetry has everything tried again now.
const signalRetry = syscall.SIGUSR1

// logSink is where log lines go.
func logSink(c agent.Config, errout io.Writer) io.Writer {
	if c.LogFormat != "syslog" {
		return errout
	}
	return &syslogSink{to: c.SyslogTo, errout: errout}
}

// journaldReads tells whether errout goes to journald, which takes a priority in front of a line:
// JOURNAL_STREAM names the file by device and inode (systemd.exec(5)).
func journaldReads(errout io.Writer) bool {
	file, ok := errout.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}

// syslogSink sends ranked lines to a syslog daemon. The library connects again by itself; while
// there is nobody, lines go to standard error.
type syslogSink struct {
	to     string
	errout io.Writer
	daemon *syslog.Writer
}

// Write implements io.Writer. It is called by one goroutine, which no payment waits for.
func (s *syslogSink) Write(line []byte) (int, error) {
	if s.daemon == nil {
		network, address := "unixgram", s.to
		if host, ok := strings.CutPrefix(s.to, "udp:"); ok {
			network, address = "udp", host
		}
		daemon, err := syslog.Dial(network, address, syslog.LOG_DAEMON, "reversald")
		if err != nil {
			return s.errout.Write(line)
		}
		s.daemon = daemon
	}
	rank, text := byte('6'), line
	if len(line) > 3 && line[0] == '<' && line[2] == '>' {
		rank, text = line[1], line[3:]
	}
	send := map[byte]func(string) error{
		'3': s.daemon.Err, '4': s.daemon.Warning, '7': s.daemon.Debug,
	}[rank]
	if send == nil {
		send = s.daemon.Info
	}
	if err := send(strings.TrimSuffix(string(text), "\n")); err != nil {
		return s.errout.Write(line)
	}
	return len(line), nil
}
