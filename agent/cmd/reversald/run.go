package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"reversald/agent"
	"reversald/agent/console"
	"reversald/agent/doors/api"
	doorsiso "reversald/agent/doors/iso"
	"reversald/agent/link"
	"reversald/agent/spool"
	"reversald/hal"
	"reversald/iso"
	"reversald/store"
)

func runCommand(o *options) *cobra.Command {
	var listen, hosts []string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "run the daemon in the foreground",
		Long: "run is the daemon. Without a file it runs on loopback defaults. When it is ready\n" +
			"it prints one line with \"listening on ADDRESS\"; the log goes to standard error.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			again := func() (agent.Config, error) {
				config, err := o.load()
				if err != nil {
					return config, err
				}
				if len(listen) > 0 {
					config.Listen = listen
				}
				if len(hosts) > 0 {
					config.Host = hosts
				}
				if err := config.Validate(); err != nil {
					return config, usageError{err} // a file's faults were found when it was loaded
				}
				return config, nil
			}
			config, err := again()
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, os.Interrupt)
			defer stop()
			return serve(ctx, config, again, o.out, o.errout)
		},
	}
	cmd.Flags().StringSliceVar(&listen, "listen", nil,
		"where payment apps connect, instead of the configuration's; port 0 takes a free one")
	cmd.Flags().StringSliceVar(&hosts, "host", nil,
		"addresses of the acquirer's host, instead of the configuration's")
	return cmd
}

// serve opens everything, says what it listens on, and runs until ctx ends or the journal fails.
// Nothing is sent before the journal is open and folded.
func serve(ctx context.Context, c agent.Config, load func() (agent.Config, error),
	out, errout io.Writer,
) error {
	limitMemory()
	signal.Ignore(syscall.SIGPIPE) // whoever reads our output may end; payments go on
	lines := newLogWriter(logSink(c, errout))
	defer lines.Close()
	log, level := newLog(logFormat(c, errout), c, lines)
	profile, err := loadProfile(c.Profile)
	if err != nil {
		return configError{err}
	}
	clock, err := hal.OpenSystem()
	if err != nil {
		return err
	}
	signer, err := openSigner(c.Signer, profile)
	if err != nil {
		return configError{err}
	}
	defer signer.Close()
	journal, err := openJournal(c, clock)
	if err != nil {
		return journalError{err}
	}
	defer func() { _ = journal.Close() }()
	calls, err := listen(ctx, c, profile)
	if err != nil {
		return err
	}
	defer calls.close()
	times, line := agent.NewTimekeeper(clock, builtAt()), &dialer{}
	devices, err := openDevices(c, profile, times, line)
	if err != nil {
		return configError{err}
	}
	tellOverrides(log, c)
	tellJournal(log, journal.Facts())
	detour := link.NewDetour(line)
	parts := agent.Parts{
		Profile: profile, Journal: journal, Clock: clock, Signer: signer, Log: log,
		Dialer: detour, Devices: devices, Times: times,
	}
	printer := newSpool(c.Printer, &parts)
	a := agent.New(parts, c.Limits(profile))
	if calls.tcp, err = listenTCP(ctx, c); err != nil {
		return listenError{fmt.Errorf("listen for the API: %w", err)}
	}
	steward := &steward{
		agent: a, load: load, config: c, profile: profile, line: line, times: times, log: log,
		level: level,
	}
	health := api.Health(a, steward.reloadedWell)
	door, err := apiDoor(a, journal, profile, c, calls.where(), log, health)
	if err != nil {
		return configError{err}
	}
	detour.OnChange(a.Redial)
	serial, err := newConsole(c, detour, log)
	if err != nil {
		return configError{err}
	}
	announce(out, c, profile, calls)
	return serveAll(ctx, a, journal, profile, steward, calls, printer,
		apiListeners{door, calls.socket, calls.tcp}, serial)
}

// announce says where we listen: whoever starts us waits for that.
func announce(out io.Writer, c agent.Config, profile *iso.Profile, calls listeners) {
	_, _ = fmt.Fprintf(out,
		"reversald: listening on %s for payment apps (%s), host %v, journal %s, socket %s\n",
		calls.where(), profile.Name(), c.Host, c.Journal, c.Socket)
	if calls.tcp != nil {
		_, _ = fmt.Fprintf(out, "reversald: API on http://%s, with the token\n", calls.tcp.Addr())
	}
}

// serveAll runs the agent and its doors, and ends all of them when one ends.
func serveAll(ctx context.Context, a *agent.Agent, journal *store.Journal, profile *iso.Profile,
	steward *steward, calls listeners, printer *spool.Spool,
	doors apiListeners, serial *console.Console,
) error {
	c, log := steward.config, steward.log
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var open sync.WaitGroup
	serveDoor := func(serve func() error) {
		open.Add(1)
		go func() {
			defer open.Done()
			if err := serve(); err != nil {
				stop(err)
			}
		}()
	}
	serveDoor(func() error {
		checkJournal(ctx, journal, log)
		return nil
	})
	door := doorsiso.New(a, profile, doorsiso.Limits{
		ConnectionsMax: c.AppConnectionsMax, FrameTimeout: c.AppFrameTimeout,
		WriteTimeout: c.WriteTimeout, AnswersMax: c.AppAnswersMax,
	}, log)
	for _, apps := range calls.apps {
		serveDoor(func() error { return door.Serve(ctx, apps) })
	}
	for _, cable := range calls.cables {
		serveDoor(func() error {
			door.ServeCable(ctx, cable)
			return nil
		})
	}
	serveDoor(func() error { return api.Serve(ctx, doors.socket, doors.door) })
	if doors.tcp != nil {
		serveDoor(func() error { return api.Serve(ctx, doors.tcp, doors.door) })
	}
	serveDoor(func() error { return steward.serve(ctx) })
	if printer != nil {
		serveDoor(func() error {
			printer.Run(ctx)
			return nil
		})
	}
	if serial != nil {
		serveDoor(func() error {
			serial.Run(ctx)
			return nil
		})
	}
	err := a.Run(ctx)
	stop(err)
	open.Wait()
	if err != nil {
		return runtimeError{err}
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return runtimeError{cause}
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
	so := storeOptions(c)
	so.Boot, so.Examine = clock.BootID(), examineInChild
	return store.Open(so)
}

// storeOptions are the files of the configuration.
func storeOptions(c agent.Config) store.Options {
	return store.Options{
		Path: c.Journal, RingPath: c.Ring, KeyPath: c.Key, SizeMax: int64(c.JournalBytes),
		Terminal: c.Terminal, AnyFilesystem: c.AnyFilesystem, DeriveKey: keySource(c),
	}
}

// overrides are what weakens the promise: settings, and a key that lies where it should not.
func overrides(c agent.Config, journal *store.Journal) []string {
	weak := c.Overrides()
	if journal.Facts().KeyInClear {
		weak = append(weak, "key in clear")
	}
	return weak
}

// tellOverrides logs what weakens the promise.
func tellOverrides(log *slog.Logger, c agent.Config) {
	for _, weak := range c.Overrides() {
		log.Warn("setting weakens the promise", slog.String("setting", weak))
	}
}

// tellJournal logs what the start made of the journal.
func tellJournal(log *slog.Logger, f store.Facts) {
	if f.Created {
		log.Warn("a new journal was begun: there was none, no ring and no key",
			slog.String("journal", f.Path), slog.String("filesystem", f.Filesystem))
	}
	if f.Rebuilt != "" {
		log.Warn("journal copied into new files", slog.String("why", f.Rebuilt),
			slog.String("kept", f.Quarantine), slog.Uint64("lost", f.LostEntries))
	}
	if f.RingRecreated || f.RingDamaged > 0 {
		log.Warn("ring mended", slog.Bool("made_anew", f.RingRecreated),
			slog.Int("damaged_slots", f.RingDamaged))
	}
	if f.KeyInClear {
		log.Warn("the journal's key lies in clear in its file, though key_signer is set: " +
			"stop, and run reversald key rotate")
	}
	for _, key := range f.Damaged {
		log.Error("both copies of a payment are damaged, it is held", slog.Uint64("id", key))
	}
}

// checkJournal walks the whole journal while payments go on, a page at a time.
func checkJournal(ctx context.Context, journal *store.Journal, log *slog.Logger) {
	const rest = 20 * time.Millisecond
	done, err := journal.SelfCheck(ctx, func() {
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
	})
	if err != nil {
		return // it ended first: the next start has another look
	}
	for _, fault := range done.Faults {
		log.Error("journal fault", slog.String("fault", fault.String()))
	}
	log.Info("journal checked", slog.Int("entries", done.Entries),
		slog.Int("faults", len(done.Faults)))
}

// openSigner finds who owns the MAC keys. A profile whose messages carry a MAC does not start
// without: the host would refuse every reversal.
func openSigner(name string, p *iso.Profile) (hal.Signer, error) {
	switch {
	case name == "none" && p.MAC().None():
		return hal.None{}, nil
	case name == "none":
		return nil, fmt.Errorf("profile %s wants a MAC (%s) and signer is none", p.Name(),
			p.MAC().Algorithm())
	}
	return signerOf(name)
}

// signerOf is the signer that the configuration names.
func signerOf(name string) (hal.Signer, error) {
	switch kind, path, _ := strings.Cut(name, ":"); {
	case name == "none":
		return hal.None{}, nil
	case kind == "soft" && path != "":
		return hal.OpenSoftKeys(path)
	case kind == "unix" && path != "":
		return hal.NewExternalSigner(path, 0), nil
	}
	return nil, fmt.Errorf("signer %q is not none, soft:FILE or unix:SOCKET", name)
}

// loadProfile takes a built-in profile by its name, and any other from its file.
func loadProfile(name string) (*iso.Profile, error) {
	if slices.Contains(iso.BuiltinNames(), name) {
		return iso.Builtin(name)
	}
	p, err := iso.Load(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("profile %q is neither built in (%v) nor a file", name,
			iso.BuiltinNames())
	}
	return p, err
}

// noArgs refuses arguments where none are meant, as a mistake in the command line.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected %q", args[0])}
	}
	return nil
}
