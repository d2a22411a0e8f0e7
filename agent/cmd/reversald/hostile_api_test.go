package main_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reversald/agent/doors/api/client"
)

// dialAPI connects to the API's socket and writes, and hangs up when the test ends.
func (s *stage) dialAPI(content string) net.Conn {
	s.t.Helper()
	return s.dialAPIAt("api.sock", content)
}

func (s *stage) dialAPIAt(socket, content string) net.Conn {
	s.t.Helper()
	conn, err := net.Dial("unix", s.path(socket))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetWriteDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, content) // it may have been hung up on already
	return conn
}

// hears wants the status of an answer; 0 is that the connection is closed without one.
func (s *stage) hears(conn net.Conn, want ...int) {
	s.t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	got := 0
	if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
		got = resp.StatusCode
		_, _ = io.Copy(&s.said, resp.Body)
	} else if errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "timeout") {
		s.t.Errorf("not hung up on: %v", err)
		return
	}
	if slices.Contains(want, got) {
		return
	}
	s.t.Errorf("status %d, want one of %v", got, want)
}

func apiSale(amount int64) client.Sale {
	return client.Sale{
		Amount: amount, Currency: "156", PAN: card, Expiry: "3012", Terminal: "TERM0001",
		Merchant: "MERCHANT0000001",
	}
}

// sellsByAPI sells and confirms, and tries again while there is no room.
func (s *stage) sellsByAPI(c *client.Client, key string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*patience)
	defer cancel()
	for {
		p, err := c.SellSurely(ctx, key, apiSale(100))
		if err == nil && p.Outcome == client.Approved {
			if _, err = c.Confirm(ctx, p.ID); err == nil {
				return
			}
		}
		var problem *client.Problem
		if errors.As(err, &problem) && problem.Status != http.StatusServiceUnavailable || ctx.Err() != nil ||
			err == nil {
			s.t.Fatalf("%s: %+v, %v", key, p.Outcome, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestHostileClients: whatever comes in at the API, a sale goes on, every client is told what is
// wrong or hung up on, no card shows, and the daemon stays small. It is the binary that is shipped.
func TestHostileClients(t *testing.T) {
	s := newStage(t, "reversald-shipped", "iso87-ascii", apiConfig+"log_level: debug\n")
	s.env = append(s.env, "REVERSALD_SOCKET=api.sock")
	c := client.New(s.path("api.sock"))
	n := 0
	sale := func() {
		t.Helper()
		n++
		s.sellsByAPI(c, fmt.Sprint("key-", n))
	}
	sale()
	head := "POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nIdempotency-Key: h\r\n"

	// No HTTP at all, and HTTP that goes on for ever.
	for _, noise := range []string{
		strings.Repeat("\xff\x00\x81"+card, 1000), card + "\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
		"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat(card, 10<<10) + "\r\n\r\n",
		"GET /" + strings.Repeat(card, 10<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		s.hears(s.dialAPI(noise), 0, 400, 431, 505)
	}
	sale()

	// Bodies of 10 MB, announced and not, many at once: refused before they are read.
	var crowd sync.WaitGroup
	for i := range 60 {
		crowd.Add(1)
		go func() {
			defer crowd.Done()
			body := io.LimitReader(repeating(card), 10<<20)
			req, _ := http.NewRequest(http.MethodPost, "http://x/v1/payments", body)
			if i%2 == 0 {
				req.ContentLength = 10 << 20
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Idempotency-Key", "h")
			conn, err := net.Dial("unix", s.path("api.sock"))
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(patience))
			go func() { _ = req.Write(conn) }()
			resp, err := http.ReadResponse(bufio.NewReader(conn), req)
			if err != nil || resp.StatusCode != http.StatusRequestEntityTooLarge &&
				resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("10 MB: %v %v", resp, err)
			}
		}()
	}
	crowd.Wait()
	sale()

	// Half a head, half a body, and a body that drips.
	halves := []net.Conn{
		s.dialAPI("POST /v1/pay"), s.dialAPI(head), s.dialAPI(head + "Content-Length: 100\r\n\r\n{\"pan\":\"" + card),
		s.dialAPI(head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"p"),
	}
	sale()
	for _, half := range halves {
		s.hears(half, 0, 400, 408)
	}

	// Wrong bodies: each is told what is wrong.
	for _, body := range []string{
		"", card, `{"pan":` + card + `}`, `{"` + card + `":1}`, `{"pan":"` + card + `","pan":"` + card + `"}`,
		strings.Repeat(`{"a":`, 2000), strings.Repeat(`[`, 5000), "{\"pan\":\"\xff" + card + "\"}",
	} {
		conn := s.dialAPI(fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body))
		s.hears(conn, 400)
	}

	// Followers that never read what they asked for: dropped, and their places given back.
	for range 20 {
		s.dialAPI("GET /v1/events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 0\r\n\r\n")
	}
	sale()

	// A thousand that connect and say nothing, and a thousand that begin.
	for _, begin := range []string{"", "POST /v1/payments HTTP/1.1\r\n"} {
		for range 1000 {
			s.dialAPI(begin)
		}
		sale()
	}

	// A thousand sales at once, by as many clients: each is answered, and each is one payment.
	var sold sync.WaitGroup
	for i := range 1000 {
		sold.Add(1)
		go func() {
			defer sold.Done()
			own := client.New(s.path("api.sock"))
			s.sellsByAPI(own, fmt.Sprint("crowd-", i))
		}()
	}
	sold.Wait()
	s.waitStatus(`"open":0,`)
	if peak := s.peakKiB(); peak > peakMax {
		t.Errorf("the daemon took %d KiB, at most %d are good", peak, peakMax)
	} else {
		t.Logf("the daemon took %d KiB at most", peak)
	}
	for _, what := range foundIn(secrets(t), append(s.said.Bytes(), s.read("pos.err")...)) {
		t.Errorf("it shows: %s", what)
	}
}

// repeating is a text again and again, for ever.
type repeating string

func (r repeating) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = r[i%len(r)]
	}
	return len(b), nil
}
