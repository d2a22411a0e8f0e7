package main

import (
	"io"
	"net"
	"sync"
)

// network is what lies between the terminal and its host, until it is dead.
type network struct {
	listener net.Listener
	host     string

	mu    sync.Mutex
	conns []net.Conn
	dead  bool
}

func newNetwork(host string) (*network, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &network{listener: l, host: host}
	go n.serve()
	return n, nil
}

func (n *network) serve() {
	for {
		near, err := n.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", n.host)
		if err != nil {
			_ = near.Close()
			continue
		}
		n.mu.Lock()
		n.conns = append(n.conns, near, far)
		n.mu.Unlock()
		go join(near, far)
		go join(far, near)
	}
}

func join(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}

// die cuts every line, and takes no more calls.
func (n *network) die() {
	_ = n.listener.Close()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dead {
		return
	}
	n.dead = true
	for _, c := range n.conns {
		_ = c.Close()
	}
}
