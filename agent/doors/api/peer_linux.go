package api

import (
	"net"

	"golang.org/x/sys/unix"
)

// credentialsOf asks the kernel who is at the other end of a Unix socket (unix(7), SO_PEERCRED).
func credentialsOf(conn net.Conn) (credentials, bool) {
	socket, ok := conn.(*net.UnixConn)
	if !ok {
		return credentials{}, false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return credentials{}, false
	}
	var cred *unix.Ucred
	outer := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if outer != nil || err != nil || cred == nil {
		return credentials{}, false
	}
	return credentials{uid: int(cred.Uid), gid: int(cred.Gid)}, true
}
