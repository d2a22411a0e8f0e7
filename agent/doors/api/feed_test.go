package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"reversald/agent"
	"reversald/agent/doors/api"
)

// followed serves an agent on fake time to some who follow it. Each reads until it has seen an
// entry, and says how long after it was written each came.
func followed(
	t *testing.T, p *pretended, paths []string, last uint64, during func(dial func() net.Conn),
) (late []time.Duration) {
	t.Helper()
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	p.changed = make(chan struct{})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, l, api.New(p, options)) }()
	dial := func() net.Conn {
		near, far := net.Pipe()
		l.conns <- far
		t.Cleanup(func() { _ = near.Close() })
		return near
	}
	var mu sync.Mutex
	var readers sync.WaitGroup
	for _, path := range paths {
		lines := follows(t, dial(), path)
		readers.Add(1)
		go func() {
			defer readers.Done()
			for seq := uint64(1); seq <= last; seq++ {
				var e agent.Line
				if err := lines.Decode(&e); err != nil || e.Seq != seq {
					t.Errorf("%s: entry %d instead of %d, %v", path, e.Seq, seq, err)
					return
				}
				mu.Lock()
				late = append(late, time.Since(e.Time))
				mu.Unlock()
			}
		}()
	}
	during(dial)
	readers.Wait()
	stop()
	if err := <-done; err != nil {
		t.Errorf("the server ended: %v", err)
	}
	return late
}

// follows asks, and gives what comes.
func follows(t *testing.T, c net.Conn, path string) *json.Decoder {
	t.Helper()
	_, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return json.NewDecoder(resp.Body)
}

// Rule: the journal is read once for all who follow it, not once for each; every line comes within
// the 50 ms that are promised; and who begins far behind catches up.
func TestTheJournalIsReadOnceForAllWhoFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const before, entries, followers = 3000, 4000, 12
		p := newPretended(before)
		paths := make([]string, followers)
		for i := range paths {
			paths[i] = "/v1/journal?follow=true"
		}
		late := followed(t, p, paths, entries, func(func() net.Conn) {
			time.Sleep(time.Second)
			synctest.Wait() // all have caught up
			p.mu.Lock()
			caughtUp := p.read
			p.mu.Unlock()
			for range entries - before {
				time.Sleep(time.Millisecond)
				p.grow()
			}
			time.Sleep(time.Second)
			synctest.Wait()
			p.mu.Lock()
			defer p.mu.Unlock()
			// A second has 50 rests of 20 ms; the end is looked at by each.
			if n := p.read - caughtUp; n > 50+2*followers {
				t.Errorf("read %d times for a second of %d followers", n, followers)
			}
		})
		for i, d := range late {
			if d > 50*time.Millisecond && i >= before*followers {
				t.Fatalf("a line came after %s", d)
			}
		}
	})
}

// Rule: one who stops reading holds up nobody who follows as well.
func TestAFollowerThatStopsReadingHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const entries = 3000
		p := newPretended(0)
		late := followed(t, p, []string{"/v1/journal?follow=true", "/v1/journal?follow=true"}, entries,
			func(dial func() net.Conn) {
				follows(t, dial(), "/v1/journal?follow=true") // and never reads
				for range entries {
					time.Sleep(time.Millisecond)
					p.grow()
				}
			})
		for _, d := range late {
			if d > 50*time.Millisecond {
				t.Fatalf("a line came after %s", d)
			}
		}
	})
}
