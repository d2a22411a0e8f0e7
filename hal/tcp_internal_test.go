//go:build linux

package hal

import (
	"context"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// That silence ends a line is the kernel's work and takes its time; that it was told to is ours.
// White box: the option sits on the socket, which the Link does not show.
func TestTCPTellsTheKernelHowLongToHope(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	type options struct{ userMs, idle, interval, count, keep, noDelay int }
	tests := []struct {
		name   string
		dialer TCP
		want   options
	}{
		{"zero value", TCP{}, options{15000, 60, 10, 3, 1, 1}},
		{"all set", TCP{
			KeepAliveIdle: 20 * time.Second, KeepAliveInterval: 5 * time.Second,
			KeepAliveCount: 2, UserTimeout: 1500 * time.Millisecond, Nagle: true,
		}, options{1500, 20, 5, 2, 1, 0}},
		{"less than the kernel's unit", TCP{UserTimeout: 1}, options{1, 60, 10, 3, 1, 1}},
		{"the system's own", TCP{UserTimeout: -1}, options{0, 60, 10, 3, 1, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			link, err := tt.dialer.Dial(context.Background(), ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer link.Close()
			option := func(level, name int) (v int) {
				link.(*tcpLink).raw.Control(func(fd uintptr) {
					if v, err = unix.GetsockoptInt(int(fd), level, name); err != nil {
						t.Error(err)
					}
				})
				return v
			}
			got := options{
				userMs:   option(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT),
				idle:     option(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE),
				interval: option(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL),
				count:    option(unix.IPPROTO_TCP, unix.TCP_KEEPCNT),
				keep:     option(unix.SOL_SOCKET, unix.SO_KEEPALIVE),
				noDelay:  option(unix.IPPROTO_TCP, unix.TCP_NODELAY),
			}
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestTCPStaysOnItsInterface(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	link, err := TCP{Interface: "lo"}.Dial(context.Background(), ln.Addr().String())
	if err != nil {
		t.Skipf("may not bind to an interface here: %v", err)
	}
	defer link.Close()
	link.(*tcpLink).raw.Control(func(fd uintptr) {
		got, err := unix.GetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE)
		if err != nil {
			t.Skipf("cannot be asked for here: %v", err) // qemu-user does not know the option
		}
		if got != "lo" {
			t.Errorf("bound to %q, want lo", got)
		}
	})
}
