package main

import "time"

// isoDoor compares a sale through the ISO door with the same number of tills straight at the host,
// and both with one durable step of the disk.
func isoDoor(o options, dir string) error {
	return door{
		name: "iso",
		warm: func(p *pair) error {
			_, _, err := sellStraight(p.daemon.address, 1, warmUp)
			return err
		},
		load: isoLoad,
	}.measure(o, dir)
}

// isoLoad reports one number of clients.
func isoLoad(o options, p *pair, f *floor, clients int) error {
	var got []time.Duration
	var rate float64
	var most int
	b, err := compareDoor(o, p, f, "iso", clients, func() (err error) {
		peak := watchResident(p.daemon.cmd.Process.Pid)
		got, rate, err = sellStraight(p.daemon.address, clients, o.sales)
		most = peak()
		return err
	})
	if err != nil {
		return err
	}
	b.reportSales(rate, got)
	b.report("resident_max", float64(most)/1024, "MiB")
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
