package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"reversald/agent"
	"reversald/hal"
	"reversald/hal/haltest"
	"reversald/iso"
)

// Rule: what a laptop carries has the TLS of the configuration on it. Without any, only the hosts
// that somebody has named for the relay are dialled; and a reload counts at once.
func TestTheRelayIsAsSafeAsTheConfiguration(t *testing.T) {
	profile, err := iso.Builtin("iso87-ascii")
	if err != nil {
		t.Fatal(err)
	}
	var c agent.Config
	c.Host, c.Console.RelayHosts = []string{"bank:1"}, []string{"relayed:2"}
	var d dialer
	times := agent.NewTimekeeper(haltest.NewClock(builtAt()), builtAt())
	if err := d.set(c, profile, times); err != nil {
		t.Fatal(err)
	}
	cable := haltest.NewDialer()
	way := d.Over(cable)
	dial := func(address string) error {
		line, err := way.Dial(context.Background(), address)
		if err == nil {
			line.Close()
		}
		return err
	}
	if d.Encrypted() || !slices.Equal(relayable(c), []string{"relayed:2"}) {
		t.Errorf("encrypted %v, relayable %v", d.Encrypted(), relayable(c))
	}
	if err := dial("relayed:2"); err != nil {
		t.Errorf("a named host: %v", err)
	}
	if err := dial("bank:1"); err == nil || !strings.Contains(err.Error(), "relay_hosts") {
		t.Errorf("a host that is not named, in the clear: %v", err)
	}
	c.TLS.CAFile = haltest.NewAuthority(t).File()
	if err := d.set(c, profile, times); err != nil {
		t.Fatal(err)
	}
	if !d.Encrypted() || !slices.Equal(relayable(c), []string{"bank:1", "relayed:2"}) {
		t.Errorf("encrypted %v, relayable %v", d.Encrypted(), relayable(c))
	}
	for _, address := range []string{"bank:1", "relayed:2"} {
		// The fake line can not carry TLS, and must not be used without.
		if err := dial(address); !errors.Is(err, hal.ErrUnsupported) {
			t.Errorf("%s went in the clear: %v", address, err)
		}
	}
}
