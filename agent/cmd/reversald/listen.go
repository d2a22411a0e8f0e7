package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"reversald/agent"
	doorsiso "reversald/agent/doors/iso"
	"reversald/hal"
	"reversald/iso"
)

// The names under which systemd may hand over sockets that are open already
// (FileDescriptorName= of the socket unit), so that no app is refused while we start again.
const (
	nameISO = "iso"
	nameAPI = "api"
)

// listeners are where we are called.
type listeners struct {
	apps   []net.Listener
	cables []doorsiso.Cable
	socket net.Listener // of the API
	tcp    net.Listener // of the API; nil: none
}

func (l *listeners) close() {
	for _, one := range append(l.apps, l.socket, l.tcp) {
		if one != nil {
			_ = one.Close()
		}
	}
}

// where lists the places where apps connect, for people.
func (l *listeners) where() string {
	var all []string
	for _, app := range l.apps {
		address := app.Addr().String()
		if app.Addr().Network() == "unix" {
			address = agent.UnixScheme + address
		}
		all = append(all, address)
	}
	for _, cable := range l.cables {
		all = append(all, hal.SerialScheme+cable.Device)
	}
	return strings.Join(all, " and ")
}

// listen takes the sockets that were handed over, and opens the others.
func listen(ctx context.Context, c agent.Config, p *iso.Profile) (l listeners, err error) {
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if err := l.inherit(); err != nil {
		return l, listenError{err}
	}
	handedOver := len(l.apps) > 0
	for _, address := range c.Listen {
		switch {
		case strings.HasPrefix(address, hal.SerialScheme):
			cable, err := cableOf(address, c, p)
			if err != nil {
				return l, configError{err}
			}
			l.cables = append(l.cables, cable)
		case !handedOver:
			one, err := listenApps(ctx, address, c.ListenMode)
			if err != nil {
				return l, listenError{fmt.Errorf("listen for payment apps: %w", err)}
			}
			l.apps = append(l.apps, one)
		}
	}
	if l.socket == nil {
		if l.socket, err = listenSocket(ctx, c.Socket, c.SocketMode); err != nil {
			return l, listenError{fmt.Errorf("listen on the socket: %w", err)}
		}
	}
	return l, nil
}

// inherit takes the sockets that were handed over.
func (l *listeners) inherit() error {
	given, err := activation.ListenersWithNames()
	if err != nil {
		return fmt.Errorf("sockets that were handed over: %w", err)
	}
	for name, sockets := range given {
		for i, socket := range sockets {
			switch {
			case name == nameISO && socket != nil:
				l.apps = append(l.apps, socket)
			case name == nameAPI && i == 0 && socket != nil:
				l.socket = socket
			default:
				return fmt.Errorf("socket %d named %.40q was handed over: want streams, %s, "+
					"and one %s", i, name, nameISO, nameAPI)
			}
		}
	}
	return nil
}

// listenApps opens one place where apps connect.
func listenApps(ctx context.Context, address, mode string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, agent.UnixScheme); ok {
		return listenSocket(ctx, path, mode)
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
}

// cableOf is the cable of an address. In envelopes every dialect has the packed length of theirs.
func cableOf(address string, c agent.Config, p *iso.Profile) (doorsiso.Cable, error) {
	port, device, err := hal.ParseSerialHost(address)
	if err != nil {
		return doorsiso.Cable{}, err
	}
	port.Called, port.FrameTime = true, c.AppFrameTimeout
	port.Serial.WriteTimeout = c.WriteTimeout
	cable := doorsiso.Cable{Dialer: port, Device: device, Profile: p}
	if port.Envelope {
		cable.Profile = p.PackedFrames()
	}
	return cable, nil
}

// socketNameMax is how long the path of a Unix socket can be, in bytes.
const socketNameMax = 107

var errSocketName = errors.New("is too long for a socket")

// listenSocket opens the Unix socket, for those that its mode lets. What a killed daemon left
// behind is removed; where somebody answers, another daemon lives (on a journal of its own, since
// ours is locked), and keeps its socket.
func listenSocket(ctx context.Context, path, octal string) (net.Listener, error) {
	mode, err := strconv.ParseUint(octal, 8, 9)
	if err != nil {
		return nil, err
	}
	if len(path) > socketNameMax {
		return nil, fmt.Errorf("%s %w: %d bytes, at most %d", path, errSocketName, len(path),
			socketNameMax)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
		if err == nil {
			_ = conn.Close()
			return nil, fmt.Errorf("%s: %w", path, syscall.EADDRINUSE)
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return nil, err
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, os.FileMode(mode)); err != nil {
		_ = listener.Close()
		return nil, err
	}
	return listener, nil
}
