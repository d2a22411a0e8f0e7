package main

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// giveWay lets this process have only the time of the processor that nobody else wants: a payment
// must never wait because somebody looks on. On a processor with room it makes no difference; on
// one without it the sales go first, and what is watched comes later. SCHED_IDLE and not only the
// lowest priority (nice 19), because a sale that wakes up interrupts it at once.
//
// Linux schedules threads, and a new one is as the one that started it: so it is done until a look
// at all of them finds none that is new. Where it can not be done nothing is lost.
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
			idle := unix.SchedAttr{Policy: unix.SCHED_IDLE}
			if unix.SchedSetAttr(id, &idle, 0) != nil { // before Linux 3.14
				_ = unix.Setpriority(unix.PRIO_PROCESS, id, lowestPriority)
			}
		}
		if len(done) == before {
			return
		}
	}
}

const lowestPriority = 19 // setpriority(2)
