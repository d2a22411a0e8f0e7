package hal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Netlink watches by the kernel's own announcements (rtnetlink). The zero value is ready for use.
type Netlink struct{}

var _ Network = Netlink{}

// netlinkBytes is the largest message that is read: the kernel sends dumps in pieces of 32 KiB at
// most, and announcements are smaller.
const netlinkBytes = 32 << 10

const netlinkGroups = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR

// Watch implements Network.
func (Netlink) Watch(ctx context.Context, report func(NetworkChange)) error {
	socket, err := openNetlink()
	if err != nil {
		return fmt.Errorf("watch interfaces: %w", err)
	}
	return watchNetlink(ctx, socket, report)
}

func watchNetlink(ctx context.Context, socket *os.File, report func(NetworkChange)) error {
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer func() {
		stop()
		_ = socket.Close()
	}()
	w := netlinkWatch{socket: socket, known: interfaces{}, report: report}
	if err := w.run(); ctx.Err() == nil {
		return fmt.Errorf("watch interfaces: %w", err)
	}
	return ctx.Err()
}

func openNetlink() (*os.File, error) {
	const kind = unix.SOCK_RAW | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	fd, err := unix.Socket(unix.AF_NETLINK, kind, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	address := &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: netlinkGroups}
	if err := unix.Bind(fd, address); err != nil {
		_ = unix.Close(fd) // never used
		return nil, err
	}
	return os.NewFile(uintptr(fd), "netlink"), nil
}

// netlinkWatch is one watch under way.
type netlinkWatch struct {
	socket *os.File
	known  interfaces
	report func(NetworkChange)
	loud   bool // the state at the beginning is known, so what comes is news

	seen map[int32]bool // interfaces of the dump under way
}

// The two dumps are asked for one after the other: the kernel serves one at a time.
const (
	dumpLinks     = 1
	dumpAddresses = 2
)

func (w *netlinkWatch) run() error {
	if err := w.ask(dumpLinks); err != nil {
		return err
	}
	buf := make([]byte, netlinkBytes)
	for {
		n, err := w.socket.Read(buf)
		if errors.Is(err, unix.ENOBUFS) { // announcements were lost: look at everything again
			err = w.ask(dumpLinks)
			n = 0
		}
		if err != nil {
			return err
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			continue // none of the kernel's
		}
		for _, m := range messages {
			if err := w.take(m); err != nil {
				return err
			}
		}
	}
}

// ask asks for a dump.
func (w *netlinkWatch) ask(dump uint32) error {
	kind, family := uint16(unix.RTM_GETLINK), byte(unix.AF_UNSPEC)
	if dump == dumpAddresses {
		kind = unix.RTM_GETADDR
	} else {
		w.seen = map[int32]bool{}
	}
	request := make([]byte, unix.SizeofNlMsghdr+unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(request[0:], uint32(len(request)))
	binary.NativeEndian.PutUint16(request[4:], kind)
	binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	binary.NativeEndian.PutUint32(request[8:], dump)
	request[unix.SizeofNlMsghdr] = family
	_, err := w.socket.Write(request)
	return err
}

func (w *netlinkWatch) take(m syscall.NetlinkMessage) error {
	switch m.Header.Type {
	case unix.NLMSG_DONE:
		if m.Header.Seq == dumpLinks {
			w.missing()
			return w.ask(dumpAddresses)
		}
		w.loud = true
	case unix.NLMSG_ERROR: // a dump was refused or interrupted: live with the announcements
		w.loud = true
	default:
		if change, news := w.known.netlink(m, w.seen); news && w.loud {
			w.report(change)
		}
	}
	return nil
}

// missing takes away the interfaces that a new dump does not have.
func (w *netlinkWatch) missing() {
	for index := range w.known {
		if w.seen[index] {
			continue
		}
		if change, news := w.known.unlink(index); news && w.loud {
			w.report(change)
		}
	}
	w.seen = nil
}

// netlink takes one message of the kernel. What is too short to be one is passed over.
func (n interfaces) netlink(
	m syscall.NetlinkMessage, seen map[int32]bool,
) (change NetworkChange, news bool) {
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		if len(m.Data) < unix.SizeofIfInfomsg {
			return change, false
		}
		index := int32(binary.NativeEndian.Uint32(m.Data[4:]))
		if m.Header.Type == unix.RTM_DELLINK {
			return n.unlink(index)
		}
		if seen != nil {
			seen[index] = true
		}
		const running = unix.IFF_UP | unix.IFF_RUNNING
		flags := binary.NativeEndian.Uint32(m.Data[8:])
		return n.link(index, linkName(m), flags&running == running)
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		if len(m.Data) < unix.SizeofIfAddrmsg {
			return change, false
		}
		index := int32(binary.NativeEndian.Uint32(m.Data[4:]))
		a, ok := linkAddress(m)
		if !ok || (n[index] == nil && m.Header.Type == unix.RTM_DELADDR) {
			return change, false
		}
		return n.address(index, a, m.Header.Type == unix.RTM_NEWADDR)
	}
	return change, false
}

func linkName(m syscall.NetlinkMessage) string {
	attrs, err := syscall.ParseNetlinkRouteAttr(&m)
	if err != nil {
		return ""
	}
	for _, a := range attrs {
		if a.Attr.Type == unix.IFLA_IFNAME {
			return strings.TrimRight(string(a.Value), "\x00")
		}
	}
	return ""
}

// linkAddress is our own address: on a point-to-point link IFA_ADDRESS is the other side's.
func linkAddress(m syscall.NetlinkMessage) (netip.Addr, bool) {
	attrs, err := syscall.ParseNetlinkRouteAttr(&m)
	if err != nil {
		return netip.Addr{}, false
	}
	var found netip.Addr
	for _, a := range attrs {
		switch a.Attr.Type {
		case unix.IFA_LOCAL:
			local, ok := netip.AddrFromSlice(a.Value)
			return local, ok
		case unix.IFA_ADDRESS:
			found, _ = netip.AddrFromSlice(a.Value)
		}
	}
	return found, found.IsValid()
}
