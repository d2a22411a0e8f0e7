package agent_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"reversald/iso"
)

// Rule: everything has a limit. Ten thousand sales from a hundred apps at once are all answered,
// each once; who can not be served hears that we are busy; memory stays where it is.
func TestAFloodOfAHundredAppsIsBounded(t *testing.T) {
	const apps, sales = 100, 100
	story(t, func(s *shop) {
		t := s.t
		line := s.lineComesUp()
		var mu sync.Mutex
		asked := map[string]int{}
		pending := make(chan iso.Message, apps*sales)
		s.atHost = func(m iso.Message) {
			mu.Lock()
			asked[m.Fields[41]+m.Fields[11]]++
			mu.Unlock()
			pending <- m
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var shops sync.WaitGroup
		tills := make([]*till, apps)
		for n := range apps {
			tills[n] = s.till(fmt.Sprintf("TERM%04d", n))
			shops.Go(func() {
				for stan := range sales {
					body, err := s.profile.Compose("0200", sale(tills[n].terminal, fmt.Sprintf("%06d", stan)))
					if err != nil {
						t.Error(err)
					}
					s.agent.Frame(tills[n], body)
				}
			})
		}
		done := make(chan struct{})
		go func() { // the host
			for {
				select {
				case m := <-pending:
					body, err := s.profile.Compose("0210", answer(m, "00"))
					if err != nil {
						t.Error(err)
					}
					wire, err := s.profile.AppendFrame(nil, body)
					if err != nil {
						t.Error(err)
					}
					if _, err := line.line.Host.Write(wire); err != nil {
						t.Error(err)
					}
				case <-done:
					return
				}
			}
		}()
		shops.Wait()
		s.passes(time.Second)
		close(done)
		synctest.Wait()
		answers, approved := 0, 0
		for _, app := range tills {
			app.mu.Lock()
			answers += len(app.heard)
			for _, body := range app.heard {
				if g, err := s.profile.Glance(body); err == nil && g.Code == "00" {
					approved++
				}
			}
			app.heard = nil
			app.mu.Unlock()
		}
		if answers != apps*sales {
			t.Errorf("%d answers to %d sales", answers, apps*sales)
		}
		mu.Lock()
		defer mu.Unlock()
		if approved != len(asked) {
			t.Errorf("%d approved, %d asked", approved, len(asked))
		}
		for key, n := range asked {
			if n != 1 {
				t.Errorf("sale %s was sent %d times", key, n)
			}
		}
		t.Logf("%d of %d went out", approved, apps*sales)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
			t.Errorf("the heap has grown by %d bytes", grown)
		}
		if st := s.status(); st.Open != 0 || st.Owed != 0 {
			t.Errorf("open %d, owed %d", st.Open, st.Owed)
		}
	})
}
