package api_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"reversald/agent/doors/api"
	"reversald/store"
)

// running is a real journal behind a real socket.
func running(t *testing.T) (j *store.Journal, path, socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "api")
	if err != nil {
		t.Fatal(err)
	}
	path, socket = filepath.Join(dir, "journal.db"), filepath.Join(dir, "s")
	j, err = store.Open(store.Options{Path: path, AnyFilesystem: true})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	handler := api.New(newPretended(3), proving(j))
	go func() { done <- api.Serve(ctx, l, handler) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the server ended: %v", err)
		}
		_ = j.Close()
		_ = os.RemoveAll(dir)
	})
	return j, path, socket
}

// Rule: a running journal is proven over the socket while 64 clients write, each of which hears of
// each of its entries; and where something was planted, the proof finds it.
func TestARunningJournalIsProvenOverTheSocket(t *testing.T) {
	j, path, socket := running(t)
	type order struct {
		draft store.Draft
		done  chan uint64
	}
	inbox := make(chan order, 64)
	var clients sync.WaitGroup
	var stop atomic.Bool
	var written atomic.Int64
	for range 64 {
		clients.Add(1)
		go func() {
			defer clients.Done()
			for n := 0; n < 20 || !stop.Load(); n++ {
				o := order{
					store.Draft{Kind: 1, Mark: store.MarkKeep, Payload: []byte(strings.Repeat("z", 400))},
					make(chan uint64, 1),
				}
				inbox <- o
				if <-o.done == 0 {
					return
				}
				written.Add(1)
			}
		}()
	}
	go func() { clients.Wait(); close(inbox) }()
	client := api.NewClient(socket, 10*time.Second)
	proofs, steps := make(chan api.Proof, 1), 0
	go func() {
		defer close(proofs)
		defer stop.Store(true)
		for range 3 {
			p, err := client.Verify(t.Context(), func(api.ProofStep) { steps++ })
			if err != nil {
				t.Error(err)
				return
			}
			proofs <- p
		}
	}()
	var proven []api.Proof
	var reading sync.WaitGroup
	reading.Add(1)
	go func() {
		defer reading.Done()
		for p := range proofs {
			proven = append(proven, p)
		}
	}()
	for o := range inbox {
		orders := []order{o}
		for len(inbox) > 0 {
			orders = append(orders, <-inbox)
		}
		var ds []store.Draft
		for _, o := range orders {
			ds = append(ds, o.draft)
		}
		first, err := j.Append(ds...)
		if err != nil {
			t.Error(err)
		}
		for i, o := range orders {
			o.done <- first + uint64(i)
		}
	}
	reading.Wait()
	if got := int64(j.Last()); got != written.Load() || got < 64*20 {
		t.Errorf("%d entries on file, %d were told", got, written.Load())
	}
	if len(proven) != 3 || steps == 0 {
		t.Fatalf("%d proofs in %d steps", len(proven), steps)
	}
	for _, p := range proven {
		if len(p.Faults) > 0 || p.Entries != int(p.Last) || p.Journal != path {
			t.Errorf("proof %+v", p)
		}
	}
	plant(t, path)
	p, err := client.Verify(t.Context(), func(api.ProofStep) {})
	if err != nil || len(p.Faults) == 0 || !strings.Contains(p.Faults[0], "checksum") {
		t.Errorf("after the damage: %v, %v", p.Faults, err)
	}
}

// plant changes one bit of one entry in a file that is open.
func plant(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b { // in every copy: the last may lie in a page that is free
		if strings.HasPrefix(string(b[i:min(i+4, len(b))]), "zzzz") && b[max(i-1, 0)] != 'z' {
			if _, err := f.WriteAt([]byte{'y'}, int64(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// endless is a journal of which the proof never ends by itself.
type endless struct {
	ended chan error
	fails error
}

func (e *endless) Verify(ctx context.Context, each func(store.Progress) error) (store.Verdict, error) {
	if e.fails != nil {
		return store.Verdict{}, e.fails
	}
	for ctx.Err() == nil {
		if err := each(store.Progress{Entry: 1, Last: 2}); err != nil {
			e.ended <- err
			return store.Verdict{}, err
		}
	}
	e.ended <- ctx.Err()
	return store.Verdict{}, ctx.Err()
}

// Rule: whoever asks for a proof and stops reading is dropped within ten seconds, and the proof
// ends, so that another can begin.
func TestAProofWhoseReaderStopsReadingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endless{ended: make(chan error, 1)}
		l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- api.Serve(ctx, l, api.New(newPretended(1), proving(e))) }()
		near, far := net.Pipe()
		l.conns <- far
		if _, err := io.WriteString(near, "GET /v1/journal/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+token+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if resp, err := http.ReadResponse(bufio.NewReader(near), nil); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
		begun := time.Now()
		if err := <-e.ended; err == nil || time.Since(begun) > 10*time.Second {
			t.Errorf("ended after %s with %v", time.Since(begun), err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = near.Close()
		synctest.Wait()
	})
}

// Rule: a second proof is a conflict, a journal that fails is an error, and both say so in words.
func TestAProofThatCanNotBeHad(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{
		{store.ErrBusy, http.StatusConflict}, {store.ErrClosed, http.StatusInternalServerError},
	} {
		dir, err := os.MkdirTemp("", "api")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		l, err := net.Listen("unix", filepath.Join(dir, "s"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		door := api.New(newPretended(1), proving(&endless{fails: c.err}))
		go func() { done <- api.Serve(ctx, l, door) }()
		client := api.NewClient(filepath.Join(dir, "s"), 10*time.Second)
		_, err = client.Verify(t.Context(), func(api.ProofStep) {})
		if !errors.Is(err, api.ErrRefused) || !strings.Contains(err.Error(), c.err.Error()) {
			t.Errorf("%v", err)
		}
		over := http.Client{Transport: &http.Transport{
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				return net.Dial("unix", filepath.Join(dir, "s"))
			},
			DisableKeepAlives: true,
		}}
		resp, err := over.Get("http://reversald/v1/journal/verify")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("status %d, want %d", resp.StatusCode, c.status)
		}
		if _, err := client.Status(t.Context()); err != nil {
			t.Errorf("the rest of the API: %v", err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// proving are the options of a door that proves a journal.
func proving(j api.Verifier) api.Options {
	o := options
	o.Journal = j
	return o
}
