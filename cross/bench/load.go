package main

import (
	"fmt"
	"time"
)

// door is one that is loaded: how to warm it up, and how to measure it at a number of clients.
type door struct {
	name string
	warm func(p *pair) error
	load func(o options, p *pair, f *floor, clients int) error
}

// measure loads the door at 1, 8 and 64 clients.
func (d door) measure(o options, dir string) error {
	p, err := startPair(o, dir)
	if err != nil {
		return err
	}
	defer p.stop()
	f, err := openFloor(dir)
	if err != nil {
		return err
	}
	if err := d.warm(p); err != nil {
		return err
	}
	for _, clients := range []int{1, 8, 64} {
		if err := d.load(o, p, f, clients); err != nil {
			return err
		}
	}
	kib, err := resident(p.daemon.cmd.Process.Pid)
	if err != nil {
		return err
	}
	mine, err := own(p.daemon.cmd.Process.Pid)
	if err != nil {
		return err
	}
	report(d.name+"_resident_after_load", float64(kib)/1024, "MiB", 0)
	report(d.name+"_resident_own_after_load", float64(mine)/1024, "MiB", 0)
	return nil
}

// beside is what the sales through a door are compared with.
type beside struct {
	prefix   string          // of every figure's name
	straight []time.Duration // as many tills, straight at the host
	rate     float64         // of theirs
	step     time.Duration   // one durable step of the disk, before and after
}

// compareDoor measures what a door is compared with, and in between has the door measured.
func compareDoor(
	o options, p *pair, f *floor, name string, clients int, through func() error,
) (beside, error) {
	b := beside{prefix: fmt.Sprintf("%s_%d_", name, clients)}
	var steps []time.Duration
	measureFloor := func() error {
		for range 200 {
			took, err := f.step()
			if err != nil {
				return err
			}
			steps = append(steps, took)
		}
		return nil
	}
	if err := measureFloor(); err != nil {
		return b, err
	}
	const hostTills = 60 // the host takes 64 connections, and the daemon has one of them
	var err error
	b.straight, b.rate, err = sellStraight(p.host.address, min(clients, hostTills), o.sales)
	if err != nil {
		return b, err
	}
	if err := through(); err != nil {
		return b, err
	}
	if err := measureFloor(); err != nil {
		return b, err
	}
	b.step = median(steps)
	return b, nil
}

// report prints one figure of the comparison; none has a goal.
func (b beside) report(name string, value float64, unit string) {
	report(b.prefix+name, value, unit, 0)
}

// reportSales prints what every door has: how many sales a second, and how long they took.
func (b beside) reportSales(rate float64, sales []time.Duration) {
	b.report("floor_step", micros(b.step), "us")
	b.report("payments_per_second", rate, "1/s")
	b.report("payments_to_straight", rate/b.rate, "ratio")
	b.report("payments_per_floor_step", rate*b.step.Seconds(), "ratio")
	b.report("sale_p50", micros(median(sales)), "us")
	b.report("sale_p99", micros(quantile(sales, 0.99)), "us")
	b.report("sale_added_p50", b.added(sales, 0.5), "floor_steps")
	b.report("sale_added_p99", b.added(sales, 0.99), "floor_steps")
	b.report("sale_p50_to_straight", float64(median(sales))/float64(median(b.straight)), "ratio")
}

// added is how much longer a quantile of sales is than straight at the host.
func (b beside) added(sales []time.Duration, q float64) float64 {
	return float64(quantile(sales, q)-quantile(b.straight, q)) / float64(b.step)
}
