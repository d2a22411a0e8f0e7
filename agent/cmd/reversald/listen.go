package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"

	"reversald/agent"
)

// The names under which systemd may hand over sockets that are open already
// (FileDescriptorName= of the socket unit), so that no app is refused while we start again.
const (
	nameISO = "iso"
	nameAPI = "api"
)

// listeners are where we are called.
type listeners struct{ app, socket net.Listener }

func (l listeners) close() {
	for _, one := range []net.Listener{l.app, l.socket} {
		if one != nil {
			_ = one.Close()
		}
	}
}

// listen takes the sockets that were handed over, and opens the others.
func listen(ctx context.Context, c agent.Config) (l listeners, err error) {
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	given, err := activation.ListenersWithNames()
	if err != nil {
		return l, listenError{fmt.Errorf("sockets that were handed over: %w", err)}
	}
	for name, sockets := range given {
		for i, socket := range sockets {
			switch {
			case name == nameISO && i == 0 && socket != nil:
				l.app = socket
			case name == nameAPI && i == 0 && socket != nil:
				l.socket = socket
			default:
				return l, listenError{fmt.Errorf(
					"socket %d named %.40q was handed over: want one stream each, %s and %s",
					i, name, nameISO, nameAPI)}
			}
		}
	}
	if l.app == nil {
		l.app, err = (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
		if err != nil {
			return l, listenError{fmt.Errorf("listen for payment apps: %w", err)}
		}
	}
	if l.socket == nil {
		mode, err := strconv.ParseUint(c.SocketMode, 8, 9)
		if err != nil {
			return l, configError{err}
		}
		if l.socket, err = listenSocket(ctx, c.Socket, os.FileMode(mode)); err != nil {
			return l, listenError{fmt.Errorf("listen on the socket: %w", err)}
		}
	}
	return l, nil
}

// socketNameMax is how long the path of a Unix socket can be, in bytes.
const socketNameMax = 107

var errSocketName = errors.New("is too long for a socket")

// listenSocket opens the Unix socket, for those that its mode lets. What a killed daemon left
// behind is removed; where somebody answers, another daemon lives (on a journal of its own, since
// ours is locked), and keeps its socket.
func listenSocket(ctx context.Context, path string, mode os.FileMode) (net.Listener, error) {
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
	if err := os.Chmod(path, mode); err != nil {
		_ = listener.Close()
		return nil, err
	}
	return listener, nil
}
