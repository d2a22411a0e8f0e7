package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// cutsAShop is how often the power is cut under the daemon of one shop before its books are
// compared.
const cutsAShop = 20

// liveCuts kills a selling daemon whose journal lies on a recorder, drops a random part of what was
// not synced, and starts it again on what is left.
func (g *ground) liveCuts(ctx context.Context) error {
	if err := g.mountable(); err != nil {
		return err
	}
	var sum tally
	cuts, shops := 0, 0
	began := time.Now()
	for ; cuts < g.cuts && ctx.Err() == nil; shops++ {
		d := dialects()[shops%len(dialects())]
		seed := g.seed + uint64(shops)
		each := min(cutsAShop, max(1, g.cuts/len(dialects())), g.cuts-cuts)
		t, n, err := g.cutShop(ctx, d, seed, each)
		cuts += n
		sum.add(t)
		if err != nil && ctx.Err() == nil {
			g.fail("cuts, shop %d, %s, seed %d: %v", shops, d.name, seed, err)
			break
		}
		for _, f := range t.faults {
			g.fail("cuts, shop %d, %s, seed %d: %s", shops, d.name, seed, f)
		}
	}
	g.say("cuts      %d in %d shops of %d dialects, %.0f a minute", cuts, shops,
		min(shops, len(dialects())), float64(cuts)/time.Since(began).Minutes())
	g.say("cuts      %s", &sum)
	if len(g.bad) == 0 && sum.approved == 0 {
		return errors.New("nothing was sold: this proves nothing")
	}
	return ctx.Err()
}

func (g *ground) cutShop(
	ctx context.Context, d dialect, seed uint64, cuts int,
) (t tally, n int, err error) {
	disk, err := g.mount(0)
	if err != nil {
		return t, 0, err
	}
	defer disk.unmount()
	more := ""
	if seed%3 == 2 {
		more = forgetful
	}
	s, err := openShop(g, d, seed, disk.dir, more)
	if err != nil {
		return t, 0, err
	}
	defer s.end()
	s.retains = more != ""
	if err := s.openTills(); err != nil {
		return t, 0, err
	}
	for ; n < cuts; n++ {
		if ctx.Err() != nil {
			return t, n, ctx.Err()
		}
		m := pick(s.random)
		if m.name == "damaged" { // one fault at a time: the promise is for either
			m = manners()[0]
		}
		if err := m.die(s); err != nil {
			return t, n, fmt.Errorf("cut %d, %s: %w", n, m.name, err)
		}
		if err := disk.order("cut %d", s.random.Uint32()); err != nil {
			return t, n, err
		}
	}
	t, err = s.settle(ctx)
	return t, n, err
}
