package main

import (
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"reversald/hal"
)

// watchdogs are those that wait for us: systemd's, and the terminal's own.
type watchdogs struct {
	systemd  time.Duration // how long it waits; 0: it does not
	hardware hal.Watchdog  // nil: there is none
	time     time.Duration // how long that waits
}

// openWatchdogs finds them. A device that can not be opened is said, and stops no sale.
func (s *steward) openWatchdogs() watchdogs {
	var w watchdogs
	wait, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		s.log.Error("systemd's watchdog", slog.Any("error", err))
	}
	w.systemd = wait
	if s.config.Watchdog == "" {
		return w
	}
	dog, err := hal.OpenWatchdog(s.config.Watchdog, s.config.WatchdogTime)
	if err != nil {
		s.log.Error("no watchdog", slog.Any("error", err))
		return w
	}
	w.hardware, w.time = dog, dog.Timeout()
	s.log.Info("watchdog", slog.String("device", s.config.Watchdog),
		slog.String("timeout", w.time.String()))
	return w
}

// every is how often they are fed: most of the time there is nothing else to do.
func (w watchdogs) every(most time.Duration) time.Duration {
	for _, wait := range []time.Duration{w.systemd, w.time} {
		if wait > 0 {
			most = min(most, wait/feedsIn)
		}
	}
	return most
}

func (w watchdogs) feed(log *slog.Logger) {
	if w.systemd > 0 {
		notify(daemon.SdNotifyWatchdog)
	}
	if w.hardware != nil {
		if err := w.hardware.Feed(); err != nil {
			log.Error("watchdog not fed", slog.Any("error", err))
		}
	}
}

// close lets the terminal's watchdog go: whoever ends us in order does not want a reset.
func (w watchdogs) close() {
	if w.hardware != nil {
		_ = w.hardware.Close() // what it does not forgive it says with a reset
	}
}
