package faultsim

import "reversald/agent/payment"

// coreDisk is the journal of the core: records that are synced, records that were only noted, and
// what becomes of them when the power goes in between.
type coreDisk struct {
	noted   []draft
	flushAt instant
}

// write makes the round durable if anybody waits for it, and otherwise notes it, as the agent does.
func (d *coreDisk) write(c *core) {
	due := d.flushAt != 0 && d.flushAt <= c.w.now
	if len(c.drafts) == 0 && !due {
		return
	}
	d.noted = append(d.noted, c.drafts...)
	c.drafts = c.drafts[:0]
	if !c.urgent && !due {
		if d.flushAt == 0 {
			d.flushAt = c.w.now + linger
		}
		return
	}
	c.urgent = false
	c.w.step()
	d.fails(c.w)
	for i := range d.noted {
		p := d.noted[i].p
		p.synced = payment.Apply(p.synced, d.noted[i].r)
	}
	d.noted, d.flushAt = d.noted[:0], 0
	c.w.step()
}

// fails is the end of a life in the middle of a write.
func (d *coreDisk) fails(w *world) {
	if cause, strikes := w.writes(); strikes {
		panic(death{cause: cause, mid: true})
	}
}

// crash leaves on the disk what was synced, and of the rest what the death lets through: after a
// KILL what was noted, after a power cut any beginning of it. A failed write may have landed.
func (c *core) crash(d death) {
	disk := &c.disk
	lines := disk.noted
	switch {
	case d.cause == WriteFailedLanded:
	case d.kill() && !d.mid:
	default:
		lines = lines[:c.w.chance.IntN(len(lines)+1)]
	}
	if d.kill() && !d.mid {
		// what this round had not handed to the system yet is lost with the process
		lines = disk.noted
	}
	for _, l := range lines {
		l.p.synced = payment.Apply(l.p.synced, l.r)
	}
	disk.noted, disk.flushAt = nil, 0
	c.drafts = nil
}
