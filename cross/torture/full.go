package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// fullDisk lets the small ext4 that the journal lies on fill up under a selling daemon, and then
// fail altogether.
func (g *ground) fullDisk(ctx context.Context) error {
	if err := loopable(); err != nil {
		return err
	}
	if err := g.diskFull(ctx); err != nil {
		return err
	}
	if err := g.mountable(); err != nil {
		g.say("full      errors of the device: %v", err)
		return nil
	}
	return g.diskFails(ctx)
}

// slow is a host that stays silent now and then: there is always something to finish.
func slow() dialect {
	d := dialects()[0]
	d.manners = "p=0.05,0200:silent;p=0.05,0200:decline=51"
	return d
}

func (g *ground) diskFull(ctx context.Context) error {
	folder, err := g.folder("small-")
	if err != nil {
		return err
	}
	const small = 8 << 20
	v, err := g.format(folder, small, "")
	if err != nil {
		return err
	}
	defer func() {
		v.unmount()
		v.detach()
	}()
	s, err := openShop(g, slow(), g.seed, v.dir, "")
	if err != nil {
		return err
	}
	defer s.end()
	if err := s.begin(ctx); err != nil {
		return err
	}
	filler := filepath.Join(v.dir, "filler")
	if err := fillUp(filler); err != nil {
		return err
	}
	code, err := s.refusedAll(ctx)
	if err != nil {
		return fmt.Errorf("on the full disk: %w", err)
	}
	if err := s.drain(ctx); err != nil {
		return fmt.Errorf("open payments on the full disk: %w", err)
	}
	// A start on the full disk must do without new files.
	if err := s.die(true); err != nil {
		return err
	}
	if err := s.startDaemon(); err != nil {
		return err
	}
	if err := s.daemon.waitFor("listening on "); err != nil {
		return fmt.Errorf("a start on the full disk: %w", err)
	}
	if _, err := s.refusedAll(ctx); err != nil {
		return fmt.Errorf("on the full disk, after a start: %w", err)
	}
	if err := os.Remove(filler); err != nil {
		return err
	}
	if err := s.approvedAgain(ctx); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	t, err := s.settle(ctx)
	if err != nil {
		return err
	}
	for _, f := range t.faults {
		g.fail("full disk: %s", f)
	}
	g.say("full      on a full ext4 new payments are refused with code %s, open ones finished, a "+
		"start works, and with room it sells again", code)
	g.say("full      %s", &t)
	return nil
}

// begin starts daemon and tills, and waits for the first sale.
func (s *shop) begin(ctx context.Context) error {
	if err := s.startDaemon(); err != nil {
		return err
	}
	if err := s.daemon.waitFor("listening on "); err != nil {
		return err
	}
	if err := s.openTills(); err != nil {
		return err
	}
	return s.approvedAgain(ctx)
}

// fillUp writes until there is no room.
func fillUp(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for block := make([]byte, 64<<10); len(block) >= 512; {
		if _, err = f.Write(block); err != nil {
			block = block[:len(block)/2]
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("filling the disk: %w", err)
	}
	return f.Sync()
}

// latest are what the tills were told last.
func (s *shop) latest(n int) []told {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]told(nil), s.tolds[max(0, len(s.tolds)-n):]...)
}

// refusedAll waits until every payment is refused, and gives the code.
func (s *shop) refusedAll(ctx context.Context) (code string, err error) {
	const inARow = 40
	err = until(ctx, "every payment to be refused", func() error {
		if s.daemon.over() {
			return fmt.Errorf("the daemon ended: %w: %s", s.daemon.err, s.daemon.words())
		}
		last := s.latest(inARow)
		for _, t := range last {
			if t.Outcome != "declined" || t.Code == "51" {
				return fmt.Errorf("%s %s was told %s %s %s", t.TID, t.STAN, t.Outcome, t.Code,
					t.Why)
			}
			code = t.Code
		}
		if len(last) < inARow {
			return errors.New("too few sales")
		}
		return nil
	})
	return code, err
}

func (s *shop) approvedAgain(ctx context.Context) error {
	return until(ctx, "a payment to be approved", func() error {
		for _, t := range s.latest(5) {
			if t.Outcome == "approved" {
				return nil
			}
		}
		return fmt.Errorf("the last were told %+v", s.latest(1))
	})
}

// diskFails lets the device below ext4 refuse every write, under a selling daemon.
func (g *ground) diskFails(ctx context.Context) error {
	d, err := g.mount(0)
	if err != nil {
		return err
	}
	defer d.unmount()
	v, err := g.format(d.dir, diskBytes, "errors=remount-ro")
	if err != nil {
		return err
	}
	defer func() {
		v.unmount()
		v.detach()
	}()
	s, err := openShop(g, slow(), g.seed+1, v.dir, "")
	if err != nil {
		return err
	}
	defer s.end()
	if err := s.begin(ctx); err != nil {
		return err
	}
	if err := d.order("dead forget"); err != nil {
		return err
	}
	if err := s.stopsByItself(ctx); err != nil {
		return fmt.Errorf("a dead device: %w", err)
	}
	if err := d.order("heal"); err != nil {
		return err
	}
	// What a technician does: the file system is put right and mounted again.
	v.unmount()
	if out, err := exec.Command("e2fsck", "-y", v.device).CombinedOutput(); exitCode(err) > 2 {
		return fmt.Errorf("e2fsck: %w: %s", err, out)
	}
	if err := v.mount(""); err != nil {
		return err
	}
	if err := s.startDaemon(); err != nil {
		return err
	}
	if err := s.approvedAgain(ctx); err != nil {
		return fmt.Errorf("after the repair: %w", err)
	}
	t, err := s.settle(ctx)
	if err != nil {
		return err
	}
	for _, f := range t.faults {
		g.fail("dead device: %s", f)
	}
	g.say("full      a device that fails below ext4 ends the daemon with %d; repaired, it goes on",
		exitDead)
	g.say("full      %s", &t)
	return nil
}
