package agent

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"reversald/hal"
)

// UnixScheme begins an address of listen that is a Unix socket's path.
const UnixScheme = "unix:"

// listenMax is more doors than a terminal has apps, and bounds what they cost.
const listenMax = 16

// socketPathMax is how long the path of a Unix socket can be, in bytes (sun_path).
const socketPathMax = 107

// listenFaults are those of the places where payment apps connect.
func (c Config) listenFaults(add func(err error, keys ...string)) {
	switch n := len(c.Listen); {
	case n == 0:
		add(errors.New("at least one address is needed"), "listen")
	case n > listenMax:
		add(fmt.Errorf("%d addresses, at most %d", n, listenMax), "listen")
	}
	ports := map[string]string{} // device: whose it is
	claim := func(address, key string) {
		if _, device, err := hal.ParseSerialHost(address); err == nil {
			ports[filepath.Clean(device)] = key
		}
	}
	for _, address := range c.Host {
		claim(address, "host")
	}
	if c.Console.Port != "" {
		ports[filepath.Clean(c.Console.Port)] = "console.port"
	}
	for i, address := range c.Listen {
		if err := checkListen(address); err != nil {
			add(err, "listen")
			continue
		}
		path, isUnix := strings.CutPrefix(address, UnixScheme)
		_, device, err := hal.ParseSerialHost(address)
		isSerial := err == nil
		switch {
		case slices.Contains(c.Listen[:i], address) && !strings.HasSuffix(address, ":0"):
			add(fmt.Errorf("%q is there twice", address), "listen")
		case isUnix && filepath.Clean(path) == filepath.Clean(c.Socket):
			add(errors.New("is the socket of the API"), "listen", "socket")
		case isSerial && ports[filepath.Clean(device)] != "":
			add(fmt.Errorf("%s is taken by %s", device, ports[filepath.Clean(device)]), "listen")
		}
		claim(address, "listen")
	}
}

// checkListen: an app comes over TCP, over a Unix socket, or over a cable.
func checkListen(address string) error {
	path, isUnix := strings.CutPrefix(address, UnixScheme)
	switch {
	case strings.HasPrefix(address, hal.SerialScheme):
		_, _, err := hal.ParseSerialHost(address)
		return err
	case !isUnix:
		return checkAddress(address, 0)
	case path == "" || strings.ContainsRune(path, 0) || path[0] == '@':
		return fmt.Errorf("%q is not unix:/PATH", address)
	case len(path) > socketPathMax:
		return fmt.Errorf("%q is too long for a socket: %d bytes, at most %d", address, len(path),
			socketPathMax)
	}
	return nil
}
