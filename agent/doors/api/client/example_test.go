package client_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/agent/doors/api/client"
)

// socket is where a pretended daemon answers while the examples run.
var socket string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "client")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	socket = filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = api.Serve(ctx, listener, api.New(newBooth(), api.Options{}))
	}()
	code := m.Run()
	stop()
	<-ended
	return code
}

// booth is as much of an agent as the examples need: it approves what is below 100.00.
type booth struct {
	api.Agent
	mu      sync.Mutex
	all     []agent.Payment
	digests [][sha256.Size]byte
	changed chan struct{}
}

func newBooth() *booth { return &booth{changed: make(chan struct{})} }

func (b *booth) Sell(_ context.Context, s agent.Sale) (agent.Payment, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, p := range b.all {
		if p.Key == s.Key {
			if b.digests[i] != s.Digest {
				return agent.Payment{}, &agent.Refusal{Kind: agent.RefusedKey, ID: p.ID}
			}
			p.Replayed = true
			return p, nil
		}
	}
	if s.Request.Terminal == "TERM0009" {
		return agent.Payment{}, &agent.Refusal{Kind: agent.RefusedLine}
	}
	p := agent.Payment{
		ID: uint64(len(b.all) + 1), Phase: "approved", Code: "00", Key: s.Key, Ref: s.Reference,
		Confirms: true, RRN: "000000000042", Auth: "A1B2C3", Card: "411111******1111", Since: time.Unix(0, 0),
	}
	if s.Request.Amount >= 10000 {
		p.Phase, p.Code = "declined", "51"
	}
	b.all, b.digests = append(b.all, p), append(b.digests, s.Digest)
	close(b.changed)
	b.changed = make(chan struct{})
	return p, nil
}

func (b *booth) become(id uint64, from, phase string) (agent.Payment, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := &b.all[id-1]
	if p.Phase != from && p.Phase != phase {
		return *p, fmt.Errorf("%w: it is %s", agent.ErrPhase, p.Phase)
	}
	p.Phase = phase
	return *p, nil
}

func (b *booth) Confirm(_ context.Context, id uint64, _ string) (agent.Payment, error) {
	return b.become(id, "approved", "confirmed")
}

func (b *booth) Cancel(_ context.Context, id uint64, _ string) (agent.Payment, error) {
	return b.become(id, "approved", "doubted")
}

func (b *booth) Payment(_ context.Context, id uint64) (agent.Payment, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all[id-1], nil
}

func (b *booth) Story(uint64) ([]agent.Line, error) { return nil, nil }

func (b *booth) Find(_ context.Context, q agent.Query) ([]agent.Payment, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.all {
		if p.Key == q.Key {
			return []agent.Payment{p}, nil
		}
	}
	return nil, nil
}

func (b *booth) Newest() uint64 { return 0 }

func (b *booth) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

func (b *booth) Encoded(from uint64, _ int) ([]agent.Encoded, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var page []agent.Encoded
	for i := from; i <= uint64(len(b.all)); i++ {
		e, err := agent.Line{Seq: i, ID: i, Kind: "asked"}.Encode()
		if err != nil {
			return nil, err
		}
		page = append(page, e)
	}
	return page, nil
}

var sale = client.Sale{
	Amount: 1234, Currency: "840", PAN: "4111111111111111", Expiry: "2912",
	Terminal: "TERM0001", Merchant: "MERCHANT0000001", Reference: "order 7",
}

// A sale: ask, finish, confirm.
func Example() {
	ctx := context.Background()
	c := client.New(socket) // /run/reversald.sock on a terminal
	p, err := c.SellSurely(ctx, "order-7-1", sale)
	if err != nil || p.Outcome != client.Approved {
		fmt.Println("no sale:", p.Text, err)
		return
	}
	fmt.Println(p.Text, p.Card, p.RRN, p.Auth)
	if p, err = c.Confirm(ctx, p.ID); err != nil {
		fmt.Println("taken back:", err)
		return
	}
	fmt.Println(p.Phase)
	// Output:
	// Approved 411111******1111 000000000042 A1B2C3
	// confirmed
}

// An answer that is lost is asked for again, with the same key.
func ExampleClient_SellSurely() {
	ctx := context.Background()
	c := client.New(socket)
	first, _ := c.SellSurely(ctx, "order-8-1", sale)
	again, _ := c.SellSurely(ctx, "order-8-1", sale)
	fmt.Println(first.ID == again.ID, again.Replayed)
	other := sale
	other.Amount++
	_, err := c.SellSurely(ctx, "order-8-1", other)
	fmt.Println(err)
	// Output:
	// true true
	// The key names another payment: this Idempotency-Key was used with another body; take a new one for a new payment
}

// A sale that the till can not finish is cancelled; one that was confirmed can not be.
func ExampleClient_Cancel() {
	ctx := context.Background()
	c := client.New(socket)
	p, _ := c.Sell(ctx, "order-9-1", sale)
	p, _ = c.Cancel(ctx, p.ID)
	fmt.Println(p.Outcome, p.Next.Do)
	_, err := c.Confirm(ctx, p.ID)
	fmt.Println(errors.Is(err, client.ErrConflict))
	// Output:
	// unknown wait
	// true
}

// What was declined, and what was not sent.
func ExampleClient_Sell() {
	ctx := context.Background()
	c := client.New(socket)
	c.Language = "zh"
	dear := sale
	dear.Amount = 1000000
	p, _ := c.Sell(ctx, "order-10-1", dear)
	fmt.Println(p.Outcome, p.Text, p.Next.Do)
	away := sale
	away.Terminal = "TERM0009"
	_, err := c.Sell(ctx, "order-11-1", away)
	fmt.Println(errors.Is(err, client.ErrNotSent))
	// Output:
	// declined 可用余额不足 other_card
	// true
}

// After a crash the app looks for what it had asked for.
func ExampleClient_Find() {
	ctx := context.Background()
	c := client.New(socket)
	p, _ := c.Sell(ctx, "order-12-1", sale)
	found, _ := c.Find(ctx, url.Values{"key": {"order-12-1"}})
	one, _ := c.Payment(ctx, p.ID)
	fmt.Println(len(found), found[0].ID == p.ID, one.Phase)
	// Output:
	// 1 true approved
}

// Events tell what happens to payments.
func ExampleClient_Events() {
	ctx := context.Background()
	c := client.New(socket)
	_, _ = c.Sell(ctx, "order-13-1", sale)
	enough := errors.New("enough")
	err := c.Events(ctx, 0, func(e client.Event) error {
		fmt.Println(e.Kind)
		return enough
	})
	fmt.Println(errors.Is(err, enough))
	// Output:
	// asked
	// true
}

// Rule: nobody there is ErrAway, after as long as the caller waits and no longer.
func TestNobodyThere(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c := client.New(filepath.Join(t.TempDir(), "s"))
	if _, err := c.SellSurely(ctx, "k", sale); !errors.Is(err, client.ErrAway) {
		t.Errorf("%v", err)
	}
	if err := c.Events(t.Context(), 0, nil); !errors.Is(err, client.ErrAway) {
		t.Errorf("%v", err)
	}
}
