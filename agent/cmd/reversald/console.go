package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"reversald/agent"
	"reversald/agent/badge"
	"reversald/agent/console"
	"reversald/agent/doors/api"
	"reversald/agent/link"
	"reversald/agent/verbs"
	"reversald/hal"
)

// agentWait is how long the console waits for its own daemon to begin an answer.
const agentWait = 10 * time.Second

// pinFileWide are the rights that nobody but the owner may have.
const pinFileWide = 0o077

// newConsole is the maintenance console of the configuration; nil where it names no port.
func newConsole(
	c agent.Config, detour *link.Detour, log *slog.Logger,
) (*console.Console, error) {
	if c.Console.Port == "" {
		return nil, nil //nolint:nilnil // there is none, and that is no fault
	}
	charset, err := console.ParseCharset(c.Console.Encoding)
	if err != nil {
		return nil, err
	}
	var keys []badge.Key
	for _, line := range c.Console.Keys {
		key, err := badge.ParseKey(line)
		if err != nil {
			return nil, fmt.Errorf("console.keys: %w", err)
		}
		keys = append(keys, key)
	}
	pin, err := readPIN(c.Console.PINFile)
	if err != nil {
		return nil, fmt.Errorf("console.pin_file: %w", err)
	}
	if len(keys) == 0 && pin == nil {
		log.Warn("the console has neither a key nor a PIN: it lets nobody in",
			slog.String("port", c.Console.Port))
	}
	name, _ := os.Hostname() // a terminal without a name is called "-"
	serial := hal.Serial{Baud: c.Console.Baud, WriteTimeout: c.WriteTimeout}
	return console.New(console.Options{
		Device: c.Console.Port, Baud: c.Console.Baud, Charset: charset,
		Open: func(ctx context.Context) (console.Port, error) {
			port, err := serial.Open(ctx, c.Console.Port)
			if err != nil {
				return nil, err // a nil *hal.Port would be no nil Port
			}
			return port, nil
		},
		Lang: verbs.LangOf(c.Console.Lang), Terminal: cmp.Or(c.Terminal, name),
		Keys: keys, PIN: pin, State: cmp.Or(c.Console.StateFile, c.Journal+".console"),
		Idle: c.Console.IdleLogout, Client: api.NewClient(c.Socket, agentWait), Config: &c,
		Hosts: relayable(c), Detour: detour, Log: log,
	}), nil
}

// relayable are the hosts that a laptop may be asked for. In the clear it could read the cards, and
// change what it carries: only the hosts that somebody has named for that.
func relayable(c agent.Config) []string {
	if !c.Encrypted() {
		return c.Console.RelayHosts
	}
	return slices.Concat(c.Host, c.Console.RelayHosts)
}

// readPIN reads a PIN file; nil where there is none.
func readPIN(path string) (*badge.PIN, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // there is none, and that is no fault
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&pinFileWide != 0 {
		return nil, fmt.Errorf("%s can be read by others: chmod 600 it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pin, err := badge.ParsePIN(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &pin, nil
}
