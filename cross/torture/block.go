package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// diskBytes is as small as an ext4 with a journal of its own that holds ours gets.
const diskBytes = 16 << 20

// diskFile is the backing file of a disk. storm looks for it under this name.
const diskFile = "disk.img"

// volume is a real ext4 on a loop device whose backing file lies somewhere.
type volume struct {
	file, dir, device string
}

// loopable says why there can be no loop device here.
func loopable() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: mounting needs root", errSkipped)
	}
	for _, tool := range []string{"mkfs.ext4", "losetup"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%w: no %s", errSkipped, tool)
		}
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return fmt.Errorf("%w: no loop devices: %w", errSkipped, err)
	}
	return nil
}

// format makes a disk in a folder, with ext4 on it, and mounts it.
func (g *ground) format(folder string, bytes int64, options string) (*volume, error) {
	mount, err := g.folder("ext4-")
	if err != nil {
		return nil, err
	}
	v := &volume{file: filepath.Join(folder, diskFile), dir: mount}
	f, err := os.OpenFile(v.file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(bytes), f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := v.attach(); err != nil {
		return nil, err
	}
	out, err := exec.Command("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0",
		v.device).CombinedOutput()
	if err != nil {
		v.detach()
		return nil, fmt.Errorf("mkfs.ext4: %w: %s", err, out)
	}
	if err := v.mount(options); err != nil {
		v.detach()
		return nil, err
	}
	return v, nil
}

func (v *volume) attach() error {
	out, err := exec.Command("losetup", "-f", "--show", v.file).CombinedOutput()
	if err != nil {
		return fmt.Errorf("losetup: %w: %s", err, out)
	}
	v.device = strings.TrimSpace(string(out))
	return nil
}

func (v *volume) mount(options string) error {
	if err := syscall.Mount(v.device, v.dir, "ext4", syscall.MS_NOATIME, options); err != nil {
		return fmt.Errorf("mount %s: %w", v.device, err)
	}
	return nil
}

// unmount leaves nothing behind, whoever still has files open.
func (v *volume) unmount() {
	if syscall.Unmount(v.dir, 0) != nil {
		_ = syscall.Unmount(v.dir, syscall.MNT_DETACH)
	}
}

func (v *volume) detach() {
	if v.device != "" {
		_ = exec.Command("losetup", "-d", v.device).Run()
		v.device = ""
	}
	_ = os.Remove(v.dir)
}

// blockLog lets a journal be kept on ext4 on a disk that remembers, and gives the disk's log.
func (g *ground) blockLog(ctx context.Context, steps, options string) (log string, err error) {
	d, err := g.mount(0)
	if err != nil {
		return "", err
	}
	defer d.unmount()
	v, err := g.format(d.dir, diskBytes, options)
	if err != nil {
		return "", err
	}
	defer func() {
		v.unmount()
		v.detach()
	}()
	syscall.Sync()
	if err := d.order("settle"); err != nil { // the log begins with the empty file system
		return "", err
	}
	err = ask(ctx, nil, g.program("storm"), "write", "-dir", v.dir, "-marks",
		filepath.Join(d.dir, ".mark"), "-seed", number(g.seed), "-steps", steps)
	if err != nil {
		return "", err
	}
	return g.dump(d)
}

// blockSteps are a life on ext4: creation, appends, a copy and a start.
const blockSteps = "open,append:10,note:2,append:6,compact,append:4,reopen,append:4"

// blockLevel cuts the power below a real file system.
func (g *ground) blockLevel(ctx context.Context) error {
	if err := errors.Join(g.mountable(), loopable()); err != nil {
		return err
	}
	began := time.Now()
	j, err := g.judgeBlocks(ctx, "defaults", g.blocks)
	if err != nil {
		return err
	}
	g.say("block     %d states of a disk with ext4, %.0f a minute, bad %d: %s", j.All,
		float64(j.All)/time.Since(began).Minutes(), j.AllBad, counted(j.States))
	if j.AllBad > 0 {
		g.fail("block level: %s\n%s", counted(j.Bad), strings.Join(j.First, "\n"))
	}
	if j.All == 0 {
		return errors.New("no states")
	}
	return nil
}

func (g *ground) judgeBlocks(
	ctx context.Context, options string, states int,
) (j judged, err error) {
	mountOptions := options
	if options == "defaults" {
		mountOptions = ""
	}
	log, err := g.blockLog(ctx, blockSteps, mountOptions)
	if err != nil {
		return j, err
	}
	defer func() { _ = os.RemoveAll(filepath.Dir(log)) }()
	return g.judge(ctx, log, "-block", options, "-seed", number(g.seed), "-states",
		strconv.Itoa(states))
}

// noBarriers is the control of the block level: a file system that does not flush.
func (g *ground) noBarriers(ctx context.Context) error {
	if err := loopable(); errors.Is(err, errSkipped) {
		g.say("control   ext4 with barrier=0: %v", err)
		return nil
	}
	j, err := g.judgeBlocks(ctx, "barrier=0", 100)
	if err != nil {
		return fmt.Errorf("barrier=0: %w", err)
	}
	g.controlled("ext4 with barrier=0", j)
	return nil
}
