package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"time"
)

// till is the smallest payment app there is: it speaks iso87-ascii over a 2-byte length.
type till struct {
	conn     net.Conn
	terminal string // 8 characters
	stan     int
	request  []byte
	answer   [4096]byte
}

func openTill(address, terminal string) (*till, error) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &till{conn: conn, terminal: terminal}, nil
}

// sale is the request for the next trace number, with its length.
func (t *till) sale() []byte {
	t.stan++
	body := fmt.Sprintf("0200"+"7238048000C08000"+ // fields 2 3 4 7 11 12 13 22 25 41 42 49
		"164111111111111111"+"000000"+"000000001234"+"1123120000"+"%06d"+"120000"+"1123"+
		"022"+"00"+"%-8s"+"%-15s"+"156",
		t.stan%999999+1, t.terminal, "MERCHANT0000001")
	t.request = appendFrame(t.request[:0], body)
	return t.request
}

// appendFrame appends a body of at most 65535 bytes with its length.
func appendFrame(dst []byte, body string) []byte {
	n := len(body)
	if n > math.MaxUint16 {
		panic("bench: a message of its own that fits no frame")
	}
	return append(binary.BigEndian.AppendUint16(dst, uint16(n)), body...)
}

// sell sends one sale and waits for its answer.
func (t *till) sell() (code string, took time.Duration, err error) {
	request := t.sale()
	began := time.Now()
	if _, err := t.conn.Write(request); err != nil {
		return "", 0, err
	}
	body, err := t.read()
	if err != nil {
		return "", 0, err
	}
	return responseCode(body), time.Since(began), nil
}

func (t *till) read() ([]byte, error) {
	if err := t.conn.SetReadDeadline(time.Now().Add(60 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(t.conn, t.answer[:2]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(t.answer[:2]))
	if n > len(t.answer) {
		return nil, errors.New("an answer that is too long")
	}
	_, err := io.ReadFull(t.conn, t.answer[:n])
	return t.answer[:n], err
}

// approve sells n times and fails on anything but an approval.
func (t *till) approve(n int) ([]time.Duration, error) {
	all := make([]time.Duration, 0, n)
	for range n {
		code, took, err := t.sell()
		if err != nil {
			return nil, err
		}
		if code != "00" {
			return nil, fmt.Errorf("sale %d of %s got %q", t.stan, t.terminal, code)
		}
		all = append(all, took)
	}
	return all, nil
}

// responseCode finds DE39 in an ASCII message whose fields it knows the lengths of.
func responseCode(body []byte) string {
	if len(body) < 20 {
		return ""
	}
	lengths := map[int]int{
		2: -2, 3: 6, 4: 12, 7: 10, 11: 6, 12: 6, 13: 4, 14: 4, 15: 4, 22: 3, 23: 3, 24: 3, 25: 2,
		32: -2, 37: 12, 38: 6,
	}
	at := 20
	for field := 2; field <= 64; field++ {
		digit := hexDigit(body[4+(field-1)/4])
		if digit&(8>>((field-1)%4)) == 0 {
			continue
		}
		if field == 39 && at+2 <= len(body) {
			return string(body[at : at+2])
		}
		n, known := lengths[field]
		if !known {
			return ""
		}
		if n < 0 && at+2 <= len(body) {
			n = 2 + int(body[at]-'0')*10 + int(body[at+1]-'0')
		}
		at += n
	}
	return ""
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return 0
}
