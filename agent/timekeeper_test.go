package agent_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"reversald/agent"
	"reversald/hal"
	"reversald/hal/haltest"
)

// Rule: a terminal whose clock has stood still since 1970 still reaches its host, because a
// certificate is judged by the latest time that it certainly is; one that has ended by then is
// refused.
func TestAFlatBatteryStillConnects(t *testing.T) {
	authority := haltest.NewAuthority(t)
	host := authority.Issue("host", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
	listener, err := tls.Listen("tcp", "127.0.0.1:0",
		&tls.Config{Certificates: []tls.Certificate{host.Pair}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func(c net.Conn) {
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
			}(c)
		}
	}()
	clock := haltest.NewClock(time.Unix(0, 0))
	for _, c := range []struct {
		built time.Time
		want  string // in the error; empty: it connects
	}{
		{time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), ""},
		{time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC), "judged by the time 2025-12-01T00:00:00Z"},
		{time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), "judged by the time 2026-07-01T00:00:00Z"},
		{time.Time{}, "judged by the time 1970-01-01T00:00:"},
	} {
		d, err := hal.OpenTLS(hal.TCP{}, hal.TLSOptions{
			CAFile: authority.File(), Now: agent.NewTimekeeper(clock, c.built).Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		link, err := d.Dial(context.Background(), listener.Addr().String())
		if err == nil {
			link.Close()
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("built %v: %v, want %q", c.built, err, c.want)
		}
	}
}
