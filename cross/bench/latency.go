package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// warmUp is how many sales go before the first that counts: caches, and the journal's first growth.
const warmUp = 300

// latency compares a sale through the daemon with the same sale straight to the host, and both with
// one durable step of the disk, all three in turns.
func latency(o options, dir string) error {
	p, err := startPair(o, dir)
	if err != nil {
		return err
	}
	defer p.stop()
	f, err := openFloor(dir)
	if err != nil {
		return err
	}
	steps, straight, through, err := turns(p, o.sales, f.step)
	if err != nil {
		return err
	}
	step := median(steps)
	report("floor_step", micros(step), "us", 0)
	report("sale_straight_p50", micros(median(straight)), "us", 0)
	report("sale_through_p50", micros(median(through)), "us", 0)
	report("sale_through_p99", micros(quantile(through, 0.99)), "us", 0)
	added := float64(median(through)-median(straight)) / float64(step)
	report("sale_added", added, "floor_steps", 4.8)
	return nil
}

// turns sells n times each way, with a step of the disk in between.
func turns(
	p *pair, n int, step func() (time.Duration, error),
) (steps, straight, through []time.Duration, err error) {
	direct, err := openTill(p.host.address, "STRAIGHT")
	if err != nil {
		return nil, nil, nil, err
	}
	defer direct.conn.Close()
	via, err := openTill(p.daemon.address, "THROUGH1")
	if err != nil {
		return nil, nil, nil, err
	}
	defer via.conn.Close()
	for i := range n + warmUp {
		took, err := step()
		if err != nil {
			return nil, nil, nil, err
		}
		one, err := direct.approve(1)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("straight: %w", err)
		}
		two, err := via.approve(1)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("through: %w", err)
		}
		if i < warmUp {
			continue
		}
		steps = append(steps, took)
		straight, through = append(straight, one...), append(through, two...)
	}
	return steps, straight, through, nil
}

// delay is what a slow medium adds to each sync.
const delay = 5 * time.Millisecond

// slowDisk repeats the comparison with a delay put into every sync of the daemon, by strace, and
// into those of a process that measures the floor.
func slowDisk(o options, dir string) error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return errors.New("strace is needed to slow the disk down: install it, or use -short")
	}
	slowed := func(trace string) []string {
		return []string{
			strace, "-f", "--seccomp-bpf", "-qq", "-o", filepath.Join(dir, trace),
			"-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:delay_exit=" +
				strconv.FormatInt(delay.Microseconds(), 10),
		}
	}
	p, err := startPair(o, dir, slowed("daemon.out")...)
	if err != nil {
		return err
	}
	defer p.stop()
	none := func() (time.Duration, error) { return 0, nil }
	_, straight, through, err := turns(p, min(o.sales, 100), none)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	argv := append(slowed("floor.out"), self, "floor", "-dir", dir)
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	if err != nil {
		return fmt.Errorf("floor under strace: %w", err)
	}
	nanos, err := strconv.ParseInt(strings.TrimSpace(string(bytes.TrimSpace(out))), 10, 64)
	if err != nil {
		return err
	}
	report("slow_floor_step", micros(time.Duration(nanos)), "us", 0)
	added := float64(median(through)-median(straight)) / float64(nanos)
	report("slow_sale_added", added, "floor_steps", 4.05)
	return nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
