package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// linkBack cuts the line in the middle of a sale, stays away, comes back, and measures how long the
// first byte of the reversal takes from the moment the line is accepted.
func linkBack(o options, dir string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := listener.Addr().String()
	daemon, err := startDaemon(o, dir, address)
	if err != nil {
		return err
	}
	defer func() { _ = daemon.stop() }()
	t, err := openTill(daemon.address, "LINKBACK")
	if err != nil {
		return err
	}
	defer t.conn.Close()
	var all []time.Duration
	for range 20 {
		took, next, err := oneCut(t, listener, address)
		if err != nil {
			return err
		}
		listener = next
		all = append(all, took)
	}
	_ = listener.Close()
	report("link_back_to_reversal_p50", millis(median(all)), "ms", 50)
	report("link_back_to_reversal_max", millis(quantile(all, 1)), "ms", 50)
	return nil
}

// oneCut takes a sale's request, hangs up, listens again, and times the reversal.
func oneCut(t *till, listener net.Listener, address string) (time.Duration, net.Listener, error) {
	conn, err := listener.Accept()
	if err != nil {
		return 0, nil, err
	}
	if _, err := t.conn.Write(t.sale()); err != nil {
		return 0, nil, err
	}
	if body, err := readFrame(conn); err != nil || string(body[:4]) != "0200" {
		return 0, nil, fmt.Errorf("no sale reached the host: %q %w", body, err)
	}
	_ = listener.Close()
	_ = conn.Close()
	if body, err := t.read(); err != nil || responseCode(body) == "00" {
		return 0, nil, fmt.Errorf("the app was not told: %q %w", body, err)
	}
	time.Sleep(50 * time.Millisecond) // the host is away, the daemon redials in vain
	again, err := net.Listen("tcp", address)
	if err != nil {
		return 0, nil, err
	}
	conn, err = again.Accept()
	if err != nil {
		return 0, nil, err
	}
	began := time.Now()
	body, err := readFrame(conn)
	took := time.Since(began)
	if err != nil || len(body) < 20 || string(body[:4]) != "0400" {
		return 0, nil, errors.New("the first frame on the new line is not a reversal")
	}
	_, err = conn.Write(accept(body))
	if err != nil {
		return 0, nil, err
	}
	time.Sleep(20 * time.Millisecond) // the answer is on file before the line is cut again
	_ = conn.Close()
	return took, again, nil
}

// accept answers a reversal with 00: the terminal and the trace number, as the profile matches by.
func accept(reversal []byte) []byte {
	stan, terminal := reversalKey(reversal)
	body := fmt.Sprintf("0410"+"0020000002800000"+"%s"+"00"+"%s", stan, terminal)
	return appendFrame(nil, body)
}

// reversalKey finds trace number and terminal of the bench's own sale in its reversal.
func reversalKey(body []byte) (stan, terminal string) {
	lengths := map[int]int{
		2: -2, 3: 6, 4: 12, 7: 10, 11: 6, 12: 6, 13: 4, 14: 4, 22: 3, 23: 3, 25: 2, 37: 12, 38: 6,
		39: 2, 41: 8, 42: 15, 49: 3,
	}
	at := 20
	if hexDigit(body[4])&8 != 0 { // a secondary bitmap
		at = 36
	}
	for field := 2; field <= 41; field++ {
		if hexDigit(body[4+(field-1)/4])&(8>>((field-1)%4)) == 0 {
			continue
		}
		n := lengths[field]
		if n < 0 {
			n = 2 + int(body[at]-'0')*10 + int(body[at+1]-'0')
		}
		switch field {
		case 11:
			stan = string(body[at : at+n])
		case 41:
			terminal = string(body[at : at+n])
		}
		at += n
	}
	return stan, terminal
}

func readFrame(conn net.Conn) ([]byte, error) {
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	var head [2]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err := io.ReadFull(conn, body)
	return body, err
}

func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
