package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reversald/store"
)

// Readers never hurt the writer: while as much is appended as 64 apps bring about, one follows,
// one exports all of it again and again, one checks, one verifies the file, and one has stopped
// reading in the middle of a page. Every one of them sees whole entries in order; no commit waits
// for the one that stopped, and the file is no larger than without them.
func TestReadersNeverHurtTheWriter(t *testing.T) {
	const commits = 150
	alone := mustOpen(t, options(t.TempDir()))
	for range commits {
		mustAppend(t, alone, turns(alone.Next(), 64)...)
	}
	o := options(t.TempDir())
	j := mustOpen(t, o)
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	read := func(fn func() error) {
		readers.Add(1)
		go func() {
			defer readers.Done()
			if err := fn(); err != nil {
				t.Error(err)
			}
		}()
	}
	var followed uint64
	done := make(chan struct{})
	read(func() error {
		defer close(done)
		return follow(ctx, j, commits*64, &followed)
	})
	read(func() error {
		for ctx.Err() == nil {
			if err := follow(ctx, j, j.Last(), new(uint64)); err != nil {
				return err
			}
		}
		return nil
	})
	var checks atomic.Int64
	read(func() error {
		for ctx.Err() == nil {
			c, err := j.SelfCheck(ctx, func() {})
			if len(c.Faults) > 0 {
				t.Errorf("faults: %v", c.Faults)
			}
			if err != nil && ctx.Err() == nil {
				return err
			}
			checks.Add(1)
		}
		return nil
	})
	read(func() error {
		for ctx.Err() == nil {
			if _, err := store.Verify(o); !errors.Is(err, store.ErrLocked) {
				return err
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	j.Scan(1, 10) // and is never seen again
	for range commits {
		mustAppend(t, j, turns(j.Next(), 64)...)
		if _, err := j.Forget(day0, store.Retention{}); err != nil {
			t.Error(err)
		}
	}
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Error("the follower does not arrive")
	}
	for checks.Load() == 0 && !t.Failed() {
		time.Sleep(time.Millisecond)
	}
	stop()
	readers.Wait()
	if followed != commits*64 || checks.Load() == 0 {
		t.Errorf("followed up to %d, %d checks", followed, checks.Load())
	}
	if with, without := j.Facts().Size, alone.Facts().Size; with > without+without/2 {
		t.Errorf("the file has %d bytes, without readers %d", with, without)
	}
	mustClose(t, j)
	wantProven(t, o)
	wantProven(t, options(copyFiles(t, strings.TrimSuffix(o.Path, journalName))))
}

// follow reads every entry up to last, in order, as they come.
func follow(ctx context.Context, j *store.Journal, last uint64, at *uint64) error {
	for *at < last {
		changed := j.Changed()
		es, err := j.Scan(*at+1, 1000)
		if err != nil {
			return err
		}
		for _, e := range es {
			if e.Seq != *at+1 {
				return errors.New("an entry was left out")
			}
			*at = e.Seq
		}
		if len(es) == 0 {
			select {
			case <-changed:
			case <-ctx.Done():
				return nil
			}
		}
	}
	return nil
}
