package api

import (
	"sort"
	"sync"
	"time"

	"reversald/agent"
)

// pageMax is how many entries are copied out of the journal at a time.
const pageMax = 256

// followRest is how long a follower lets a busy journal grow before it looks again: whoever reads
// sees no difference (a line may come 50 ms after its commit, our choice), and the one who writes
// has the processor to itself.
const followRest = 20 * time.Millisecond

// keptMax is how many of the newest entries are kept for those who follow: some rests of a busy
// journal, and half a megabyte at most.
const keptMax = 1024

// feed reads the journal once for all who follow it. What it keeps is let go of with the last of
// them; somebody who is further behind reads for himself until he has caught up.
type feed struct {
	agent  Agent
	places chan struct{} // one for each that may follow

	mu        sync.Mutex
	followers int
	kept      []agent.Encoded // one behind the other; its elements never change
}

func newFeed(a Agent) *feed {
	return &feed{agent: a, places: make(chan struct{}, streamsMax)}
}

// join takes a place; false: there is none.
func (f *feed) join() bool {
	select {
	case f.places <- struct{}{}:
	default:
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.followers++
	return true
}

func (f *feed) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.followers--; f.followers == 0 {
		f.kept = nil
	}
	<-f.places
}

// from returns some of the entries from one on, oldest first; none: that is all there is.
func (f *feed) from(seq uint64) ([]agent.Encoded, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, behind := f.find(seq - 1)
	if behind && at < len(f.kept) {
		end := min(len(f.kept), at+pageMax)
		return f.kept[at:end:end], nil
	}
	page, err := f.agent.Encoded(seq, pageMax)
	switch {
	case err != nil || len(page) == 0:
	case behind:
		f.keep(page)
	case len(page) < pageMax && (len(f.kept) == 0 || f.kept[len(f.kept)-1].Seq < seq):
		f.kept = nil // of somebody who is slower
		f.keep(page)
	}
	return page, err
}

// find is where the entries behind one begin among those that are kept.
func (f *feed) find(seq uint64) (at int, ok bool) {
	at = sort.Search(len(f.kept), func(i int) bool { return f.kept[i].Seq >= seq })
	if at == len(f.kept) || f.kept[at].Seq != seq {
		return 0, false
	}
	return at + 1, true
}

// keep adds a page to what is kept. What is too much goes with the array that it lies in, which
// others may be reading.
func (f *feed) keep(page []agent.Encoded) {
	if f.followers == 0 {
		return
	}
	if len(f.kept)+len(page) > keptMax {
		const half = keptMax / 2
		newest := f.kept[max(0, len(f.kept)-half):]
		f.kept = append(make([]agent.Encoded, 0, keptMax), newest...)
	}
	f.kept = append(f.kept, page...)
}
