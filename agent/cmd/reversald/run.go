package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"reversald/agent"
	"reversald/agent/doors/api"
	doorsiso "reversald/agent/doors/iso"
	"reversald/hal"
	"reversald/iso"
	"reversald/store"
)

// memoryLimit is where the collector starts to work harder: terminals have 64 MB and up.
const memoryLimit = 24 << 20

// gcPercent lets the heap, which is a megabyte or two at rest, triple between two collections: a
// collection in the middle of a sale costs more than the memory is worth.
const gcPercent = 200

func runCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "run the daemon in the foreground",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := o.load()
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, os.Interrupt)
			defer stop()
			return serve(ctx, config, o.out, o.errout)
		},
	}
}

// serve opens everything, says what it listens on, and runs until ctx ends or the journal fails.
// Nothing is sent before the journal is open and folded.
func serve(ctx context.Context, c agent.Config, out, errout io.Writer) error {
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(gcPercent)
	log := newLog(c, errout)
	profile, err := loadProfile(c.Profile)
	if err != nil {
		return configError{err}
	}
	clock, err := hal.OpenSystem()
	if err != nil {
		return err
	}
	journal, err := openJournal(c, clock)
	if err != nil {
		return err
	}
	defer journal.Close()
	app, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return listenError{fmt.Errorf("listen for payment apps: %w", err)}
	}
	defer app.Close()
	socket, err := listenSocket(ctx, c.Socket)
	if err != nil {
		return listenError{fmt.Errorf("listen on the socket: %w", err)}
	}
	defer socket.Close()
	for _, weak := range c.Overrides() {
		log.Warn("setting weakens the promise", slog.String("setting", weak))
	}
	a := agent.New(agent.Parts{
		Profile: profile, Journal: journal, Clock: clock, Log: log,
		Dialer: hal.TCP{
			UserTimeout: c.UserTimeout, KeepAliveIdle: c.KeepAliveIdle,
			KeepAliveInterval: c.KeepAliveInterval,
		},
	}, c.Limits())
	_, _ = fmt.Fprintf(out, "reversald: listening on %s for payment apps (%s), host %v, journal %s, socket %s\n",
		app.Addr(), profile.Name(), c.Host, c.Journal, c.Socket)
	return serveAll(ctx, a, profile, c, log, app, socket)
}

// serveAll runs the agent and its doors, and ends all of them when one ends.
func serveAll(ctx context.Context, a *agent.Agent, profile *iso.Profile, c agent.Config,
	log *slog.Logger, app, socket net.Listener,
) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var doors sync.WaitGroup
	serveDoor := func(serve func() error) {
		doors.Add(1)
		go func() {
			defer doors.Done()
			if err := serve(); err != nil {
				stop(err)
			}
		}()
	}
	serveDoor(func() error {
		return doorsiso.New(a, profile, doorsiso.Limits{
			ConnectionsMax: c.AppConnectionsMax, FrameTimeout: c.AppFrameTimeout,
			WriteTimeout: c.WriteTimeout, AnswersMax: c.AppAnswersMax,
		}, log).Serve(ctx, app)
	})
	serveDoor(func() error {
		return api.Serve(ctx, socket, api.Handler(a, api.About{
			Version: version, PID: os.Getpid(), Listen: app.Addr().String(), Socket: c.Socket,
			Journal: c.Journal, Overrides: c.Overrides(),
		}))
	})
	err := a.Run(ctx)
	stop(err)
	doors.Wait()
	if err != nil {
		return runtimeError{err}
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func openJournal(c agent.Config, clock hal.Clock) (*store.Journal, error) {
	for _, path := range []string{c.Journal, c.Ring, c.Key} {
		if path == "" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
	}
	return store.Open(store.Options{
		Path: c.Journal, RingPath: c.Ring, KeyPath: c.Key,
		SizeMax: int64(c.JournalBytes), Boot: clock.BootID(), Terminal: c.Terminal, AnyFilesystem: c.AnyFilesystem,
	})
}

// loadProfile takes a built-in profile by its name, and any other from its file.
func loadProfile(name string) (*iso.Profile, error) {
	for _, builtin := range iso.BuiltinNames() {
		if name == builtin {
			return iso.Builtin(name)
		}
	}
	p, err := iso.Load(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("profile %q is neither built in (%v) nor a file", name,
			iso.BuiltinNames())
	}
	return p, err
}

// listenSocket opens the Unix socket for this user alone. What a killed daemon left behind is
// removed: the journal's lock, taken before, is the proof that it is dead.
func listenSocket(ctx context.Context, path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		_ = listener.Close()
		return nil, err
	}
	return listener, nil
}

func newLog(c agent.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // one of four words, checked by the configuration
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// noArgs refuses arguments where none are meant, as a mistake in the command line.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected %q", args[0])}
	}
	return nil
}
