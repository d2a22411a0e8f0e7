package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"reversald/agent"
	"reversald/hal"
	"reversald/iso"
)

// memoryLimit is where the collector starts to work harder: terminals have 64 MB and up.
const memoryLimit = 24 << 20

// gcPercent lets the heap, which is a megabyte or two at rest, triple between two collections: a
// collection in the middle of a sale costs more than the memory is worth.
const gcPercent = 200

// limitMemory sets both, unless the environment does (GOMEMLIMIT, GOGC): the runtime has taken
// those already.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// steward does what a supervisor expects of a daemon: it says when it is ready and how it is, feeds
// the watchdogs, and takes signals.
type steward struct {
	agent   *agent.Agent
	load    func() (agent.Config, error)
	config  agent.Config // in force; changed by serve alone
	profile *iso.Profile
	line    *dialer
	times   *agent.Timekeeper
	log     *slog.Logger
	level   *slog.LevelVar

	refused atomic.Bool // the last reload was
}

// Supervision, our choice. The agent is asked a third as often as the watchdogs want to hear of it,
// and has another third to answer.
const (
	statusEvery = 10 * time.Second // the status line is brought up to date
	feedsIn     = 3                // a watchdog's time is divided by this
)

// reloadedWell tells whether the configuration on file, as of the last reload, is in force.
func (s *steward) reloadedWell() bool { return !s.refused.Load() }

// serve is the steward's work, until ctx ends.
func (s *steward) serve(ctx context.Context) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, signalRetry)
	defer signal.Stop(signals)
	dogs := s.openWatchdogs()
	defer dogs.close()
	every := dogs.every(statusEvery)
	if s.alive(ctx, every) { // the journal is folded
		notify("READY=1\n" + s.status(ctx))
		dogs.feed(s.log)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			notify(daemon.SdNotifyStopping)
			return nil
		case got := <-signals:
			if got == syscall.SIGHUP {
				s.reload(ctx)
			} else if err := s.agent.RetryNow(ctx); err == nil {
				s.log.Info("everything is tried again now", slog.String("by", got.String()))
			}
		case <-tick.C:
			if s.alive(ctx, every) {
				notify(s.status(ctx))
				dogs.feed(s.log)
			}
		}
	}
}

// alive asks agent and journal. Neither watchdog is fed while they do not answer, because a sync
// that hangs is healed by a reset and by nothing else.
func (s *steward) alive(ctx context.Context, patience time.Duration) bool {
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := s.agent.Alive(asking)
	if err != nil && ctx.Err() == nil {
		s.log.Error("agent or journal do not answer, the watchdog is not fed",
			slog.Any("error", err))
	}
	return err == nil
}

// status is one line for people, as systemctl status shows it.
func (s *steward) status(ctx context.Context) string {
	asking, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	now, err := s.agent.Status(asking)
	if err != nil {
		return "STATUS=does not answer"
	}
	text := "STATUS=link " + now.Link + ", " + strconv.Itoa(now.Owed) + " reversals owed, " +
		strconv.Itoa(now.Stuck) + " stuck"
	if now.Clock != "trusted" {
		text += ", clock " + now.Clock
	}
	if now.PowerFailing {
		text += ", power is failing"
	}
	return text
}

// notify tells systemd, if it is there.
func notify(state string) {
	_, _ = daemon.SdNotify(false, state) // who did not ask does not hear
}

// reload reads the configuration again. A bad one changes nothing.
func (s *steward) reload(ctx context.Context) {
	notify(daemon.SdNotifyReloading + "\nMONOTONIC_USEC=" +
		strconv.FormatInt(hal.Monotonic().Microseconds(), 10))
	defer notify(daemon.SdNotifyReady)
	next, err := s.load()
	if err == nil {
		err = s.change(ctx, next)
	}
	s.refused.Store(err != nil)
	if err != nil {
		s.log.Error("configuration not reloaded, the old one stays in force",
			slog.String("faults", strings.ReplaceAll(err.Error(), "\n", "; ")))
	}
}

// change puts in force what can change while we run, and says what can not.
func (s *steward) change(ctx context.Context, next agent.Config) error {
	live, restart := s.config.Changes(next)
	merged := s.config.Merge(next)
	if err := merged.Validate(); err != nil {
		return err
	}
	if err := s.line.set(merged, s.profile, s.times); err != nil { // the files may be new
		return err
	}
	if err := s.agent.Reload(ctx, merged.Limits(s.profile)); err != nil {
		return err
	}
	s.config = merged
	s.level.Set(levelOf(merged))
	s.log.Info("configuration reloaded", slog.String("changed", strings.Join(live, " ")))
	if len(restart) > 0 {
		s.log.Warn("these settings change at the next start only",
			slog.String("settings", strings.Join(restart, " ")))
	}
	return nil
}
