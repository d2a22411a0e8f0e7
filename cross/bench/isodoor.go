package main

import (
	"fmt"
	"time"
)

// isoDoor compares a sale through the ISO door with the same number of tills straight at the host,
// and both with one durable step of the disk.
func isoDoor(o options, dir string) error {
	p, err := startPair(o, dir)
	if err != nil {
		return err
	}
	defer p.stop()
	f, err := openFloor(dir)
	if err != nil {
		return err
	}
	if _, _, err := sellStraight(p.daemon.address, 1, warmUp); err != nil {
		return err
	}
	for _, clients := range []int{1, 8, 64} {
		if err := isoLoad(o, p, f, clients); err != nil {
			return err
		}
	}
	kib, err := resident(p.daemon.cmd.Process.Pid)
	if err != nil {
		return err
	}
	report("iso_resident_after_load", float64(kib)/1024, "MiB", 0)
	return nil
}

// isoLoad reports one number of clients.
func isoLoad(o options, p *pair, f *floor, clients int) error {
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
		return err
	}
	const hostTills = 60 // the host takes 64 connections, and the daemon has one of them
	straight, straightRate, err := sellStraight(p.host.address, min(clients, hostTills), o.sales)
	if err != nil {
		return err
	}
	peak := watchResident(p.daemon.cmd.Process.Pid)
	got, rate, err := sellStraight(p.daemon.address, clients, o.sales)
	most := peak()
	if err != nil {
		return err
	}
	if err := measureFloor(); err != nil {
		return err
	}
	step := float64(median(steps))
	name := func(what string) string { return fmt.Sprintf("iso_%d_%s", clients, what) }
	added := func(q float64) float64 {
		return float64(quantile(got, q)-quantile(straight, q)) / step
	}
	report(name("floor_step"), micros(median(steps)), "us", 0)
	report(name("payments_per_second"), rate, "1/s", 0)
	report(name("payments_to_straight"), rate/straightRate, "ratio", 0)
	report(name("payments_per_floor_step"), rate*step/1e9, "ratio", 0)
	report(name("sale_p50"), micros(median(got)), "us", 0)
	report(name("sale_p99"), micros(quantile(got, 0.99)), "us", 0)
	report(name("sale_added_p50"), added(0.5), "floor_steps", 0)
	report(name("sale_added_p99"), added(0.99), "floor_steps", 0)
	report(name("sale_p50_to_straight"), float64(median(got))/float64(median(straight)), "ratio", 0)
	report(name("resident_max"), float64(most)/1024, "MiB", 0)
	return nil
}

// watchResident looks at a process's memory until peak is called, which says what the most was, in
// KiB.
func watchResident(pid int) (peak func() int) {
	const look = 20 * time.Millisecond
	stop, most := make(chan struct{}), make(chan int)
	go func() {
		highest := 0
		for {
			if kib, err := resident(pid); err == nil {
				highest = max(highest, kib)
			}
			select {
			case <-stop:
				most <- highest
				return
			case <-time.After(look):
			}
		}
	}()
	return func() int {
		close(stop)
		return <-most
	}
}
