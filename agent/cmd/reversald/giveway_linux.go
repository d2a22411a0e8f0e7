package main

import (
	"os"
	"strconv"
	"syscall"
)

// watcherNice is how far whoever watches stands back behind the payments: as far as there is. On a
// processor with room it makes no difference; on one without it the sales go first, and what is
// watched comes later.
const watcherNice = 19

// giveWay lowers the priority of this process. It must never hurt a payment that somebody looks at
// it. Linux has a priority for each thread, and a new thread has that of the one that started it:
// so it is done until a look at all of them finds none that is new. Where it can not be done
// nothing is lost.
func giveWay() {
	const looksMax = 8
	done := map[string]bool{}
	for range looksMax {
		before := len(done)
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil || done[t.Name()] {
				continue
			}
			done[t.Name()] = true
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, watcherNice)
		}
		if len(done) == before {
			return
		}
	}
}
