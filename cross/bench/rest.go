package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// atRest reports the memory of an idle daemon, and the sizes of the binaries.
func atRest(o options, dir string) error {
	p, err := startPair(o, dir)
	if err != nil {
		return err
	}
	defer p.stop()
	time.Sleep(time.Second)
	kib, err := resident(p.daemon.cmd.Process.Pid)
	if err != nil {
		return err
	}
	report("idle_resident", float64(kib)/1024, "MiB", 12)
	binaries, err := filepath.Glob(filepath.Join("bin", "*", "reversald"))
	if err != nil {
		return err
	}
	for _, path := range binaries {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		report("size_"+filepath.Base(filepath.Dir(path)), float64(info.Size()), "bytes", 10_000_000)
	}
	return nil
}

// resident is VmRSS in KiB: what the process has of its own, and whatever pages of the program and
// of the journal are mapped.
func resident(pid int) (int, error) { return memory(pid, "VmRSS:") }

// own is RssAnon in KiB: the part of VmRSS that the kernel can not take back.
func own(pid int) (int, error) { return memory(pid, "RssAnon:") }

func memory(pid int, what string) (int, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), what); ok {
			return strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	return 0, fmt.Errorf("no %s for %d", what, pid)
}

// start sells until the journal is long, leaves ten payments open, kills the daemon, and measures
// how long it takes from exec to listening, at a tenth of the length and at the whole.
func start(o options, dir string) error {
	p, err := startPair(o, dir)
	if err != nil {
		return err
	}
	defer p.stop()
	short, long := o.payments/10, o.payments
	began := time.Now()
	if err := sellMany(p.daemon.address, "BULK", short); err != nil {
		return err
	}
	few, err := startTimes(o, p, dir)
	if err != nil {
		return err
	}
	if err := settleOpen(o, p, dir); err != nil {
		return err
	}
	if err := sellMany(p.daemon.address, "MORE", long-short); err != nil {
		return err
	}
	report("bulk_sales_per_second", float64(long)/time.Since(began).Seconds(), "sales/s", 0)
	many, err := startTimes(o, p, dir)
	if err != nil {
		return err
	}
	report("start_to_listening", millis(many.warm), "ms", 20)
	report("start_growth", float64(many.warm)/float64(few.warm), "ratio", 1.2)
	report("start_to_listening_cold_journal", millis(many.files), "ms", 20)
	report("start_growth_cold_journal", float64(many.files)/float64(few.files), "ratio", 1.2)
	report("start_to_listening_cold", millis(many.cold), "ms", 20)
	report("start_growth_cold", float64(many.cold)/float64(few.cold), "ratio", 1.2)
	alone, err := programAlone(o)
	if err != nil {
		return err
	}
	report("program_alone_cold", millis(alone), "ms", 0)
	report("start_resident", float64(many.kib)/1024, "MiB", 0)
	report("start_resident_growth", float64(many.kib)/float64(few.kib), "ratio", 1.05)
	info, err := os.Stat(filepath.Join(dir, "journal.db"))
	if err != nil {
		return err
	}
	report("journal_bytes_per_payment", float64(info.Size())/float64(long), "bytes", 0)
	return nil
}

// sellMany sells n times from 64 tills at once.
func sellMany(address, name string, n int) error {
	const tills = 64
	failed := make(chan error, tills)
	var all sync.WaitGroup
	for i := range tills {
		all.Add(1)
		go func() {
			defer all.Done()
			t, err := openTill(address, fmt.Sprintf("%s%04d", name, i))
			if err != nil {
				failed <- err
				return
			}
			defer t.conn.Close()
			if _, err := t.approve((n + tills - 1) / tills); err != nil {
				failed <- err
			}
		}()
	}
	all.Wait()
	close(failed)
	return <-failed
}

// leaveOpen asks for ten sales that the host never answers, and does not wait.
func leaveOpen(o options, p *pair, dir string) error {
	if err := behave(o, dir, "0200:silent", "0400:silent"); err != nil {
		return err
	}
	for i := range 10 {
		t, err := openTill(p.daemon.address, fmt.Sprintf("OPEN%04d", i))
		if err != nil {
			return err
		}
		defer t.conn.Close()
		if _, err := t.conn.Write(t.sale()); err != nil {
			return err
		}
	}
	time.Sleep(300 * time.Millisecond) // all ten are asked: on file, and with the host
	return nil
}

// settleOpen lets the host answer again and waits until nothing is owed.
func settleOpen(o options, p *pair, dir string) error {
	if err := behave(o, dir, "--forget"); err != nil {
		return err
	}
	p.daemon.kill()
	daemon, err := startDaemon(o, dir, p.host.address)
	if err != nil {
		return err
	}
	p.daemon = daemon
	time.Sleep(500 * time.Millisecond)
	return nil
}

// behave tells the host its manners.
func behave(o options, dir string, manners ...string) error {
	argv := append(strings.Fields(o.acquirerd),
		"behave", "--control", filepath.Join(dir, "host.sock"))
	argv = append(argv, manners...)
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("behave: %w: %s", err, out)
	}
	return nil
}
