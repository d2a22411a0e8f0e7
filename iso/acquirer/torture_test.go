package acquirer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"reversald/iso"
	"reversald/iso/acquirer"
)

// carefulTill sells as a terminal that follows the rules would, with nothing but its memory: what
// it does not know it reverses until the bank has said yes.
type carefulTill struct {
	profile *iso.Profile
	address string
	tid     string
	conn    net.Conn
	frames  *iso.FrameReader
}

// trade gives the code of the answer, or "" when there was none.
func (c *carefulTill) trade(mti string, f fields) string {
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.address)
		if err != nil {
			time.Sleep(time.Millisecond)
			return ""
		}
		c.conn, c.frames = conn, c.profile.NewFrameReader(conn)
	}
	body, err := c.profile.Compose(mti, f)
	if err != nil {
		panic(err)
	}
	frame, err := c.profile.AppendFrame(nil, body)
	if err != nil {
		panic(err)
	}
	_ = c.conn.SetDeadline(time.Now().Add(30 * time.Millisecond))
	if _, err := c.conn.Write(frame); err == nil {
		for {
			body, err := c.frames.Next()
			if err != nil {
				break
			}
			m, err := c.profile.Decode(body)
			if err == nil && m.MTI == c.profile.AnswerMTI(mti) && m.Fields[11] == f[11] &&
				m.Fields[41] == f[41] {
				return m.Fields[39]
			}
		}
	}
	_ = c.conn.Close()
	c.conn = nil
	return ""
}

// sell gives the receipt: true when the sale is good, false when no money may have moved.
func (c *carefulTill) sell(stan int) (bool, error) {
	f := saleFields(fields{11: fmt.Sprintf("%06d", stan), 41: c.tid})
	switch code := c.trade("0200", f); code {
	case "00":
		return true, nil
	case "51":
		return false, nil
	}
	mti := "0400"
	for range 500 {
		switch c.trade(mti, f) {
		case "00", "25":
			return false, nil
		}
		mti = "0401"
	}
	return false, errors.New("500 reversals and no answer")
}

// TestManyTerminalsAndABadBank: tills that follow the rules sell to a bank that misbehaves at
// random, and goes away in between. Every receipt has its debit, and every debit its receipt.
func TestManyTerminalsAndABadBank(t *testing.T) {
	const tills, sales = 6, 25
	seed := rand.Uint64N(1 << 32)
	var spec strings.Builder
	fmt.Fprintf(&spec, "seed=%d; 0200,p=0.04:decline=51; 04xx,p=0.1:decline=96", seed)
	for _, m := range []string{
		"silent", "unbooked-silent", "late=40ms", "twice", "code=68", "wrong-stan", "wrong-mti",
		"wrong-tid", "cut-before", "cut-booked", "cut-middle", "cut-after", "half-frame", "garbage",
		"split=100us", "refuse=5ms",
	} {
		fmt.Fprintf(&spec, "; p=0.02:%s", m)
	}
	manners, err := acquirer.ParseManners(spec.String())
	if err != nil {
		t.Fatal(err)
	}
	profile := profileNamed(t, "iso87-ascii")
	a, err := acquirer.New(context.Background(), acquirer.Options{
		Profile: profile, Manners: manners, Books: filepath.Join(t.TempDir(), "books.jsonl"),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()

	receipts := make([]map[string]bool, tills)
	var all sync.WaitGroup
	for n := range tills {
		receipts[n] = make(map[string]bool)
		all.Add(1)
		go func() {
			defer all.Done()
			c := &carefulTill{profile: profile, address: a.Address(), tid: fmt.Sprintf("T%07d", n)}
			for stan := 1; stan <= sales; stan++ {
				good, err := c.sell(stan)
				if err != nil {
					t.Errorf("seed %d: %s %d: %v", seed, c.tid, stan, err)
				}
				receipts[n][fmt.Sprintf("%s %06d", c.tid, stan)] = good
			}
		}()
	}
	all.Wait()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	books, err := a.Ledger().Books(acquirer.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	debited := make(map[string]bool)
	for _, e := range books.Entries {
		if e.State == acquirer.StateDebited {
			debited[e.Terminal+" "+e.STAN] = true
		}
	}
	for _, r := range receipts {
		for key, good := range r {
			if good != debited[key] {
				t.Errorf("seed %d: %s: receipt %v, debit %v", seed, key, good, debited[key])
			}
		}
	}
	if len(debited) == 0 || books.Totals.Reversed == 0 || books.Totals.NeverSeen == 0 {
		t.Errorf("seed %d: nothing happened: %+v", seed, books.Totals)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}
