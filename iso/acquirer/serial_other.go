//go:build !linux

package acquirer

import "net"

// listenSerial works on Linux only.
func listenSerial(string) net.Listener { return nil }
