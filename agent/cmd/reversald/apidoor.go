package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/iso"
	"reversald/store"
)

// apiListeners are where the API door opens.
type apiListeners struct {
	door   *api.Door
	socket net.Listener
	tcp    net.Listener // nil: not over TCP
}

// apiDoor makes the API door by the configuration.
func apiDoor(
	a *agent.Agent, journal *store.Journal, profile *iso.Profile, c agent.Config,
	apps string, log *slog.Logger, health map[string]http.HandlerFunc,
) (*api.Door, error) {
	access, err := api.ParseAccess(c.APIOperators, c.APIViewers, c.APIApps)
	if err != nil {
		return nil, err
	}
	if c.APIListen != "" {
		if access.Token, err = api.ReadToken(c.APIToken); err != nil {
			return nil, fmt.Errorf("api_token: %w", err)
		}
		access.TokenRole, _ = api.ParseRole(c.APITokenRole)
	}
	return api.New(a, api.Options{
		About: api.About{
			Version: version, PID: os.Getpid(), Listen: apps, Socket: c.Socket,
			Journal: c.Journal, Hosts: c.Host, Overrides: overrides(c, journal),
		},
		Journal: journal, Contact: c.Support.Phone,
		Profile: profile, Access: access, ConnectionsMax: c.APIConnectionsMax,
		Open: health,
		Log:  slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}), nil
}

// listenTCP opens the API's TCP listener; nil when none is wanted.
func listenTCP(ctx context.Context, c agent.Config) (net.Listener, error) {
	if c.APIListen == "" {
		return nil, nil //nolint:nilnil // see above
	}
	if err := api.CheckLoopback(c.APIListen); err != nil {
		return nil, err
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", c.APIListen)
}
