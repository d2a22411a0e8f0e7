package hal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Power warns that the power is about to go: some milliseconds on a terminal with a capacitor, some
// minutes on one with a battery.
type Power interface {
	// Watch reports whether the power is failing, first as it is and then every change, until ctx
	// ends. An error other than ctx's means that nobody watches.
	Watch(ctx context.Context, report func(PowerState)) error
}

// PowerState is what a source says of the power.
type PowerState struct {
	Failing bool
	Why     string // what the source shows, for people
}

// ErrPowerSource is wrapped when the source's description makes no sense.
var ErrPowerSource = errors.New("is no power source: want file:PATH, supply:PATH, " +
	"gpio:CHIP:LINE[:low] or evdev:DEVICE:key|switch:CODE")

// powerPoll is how often a file is looked at. Files of sysfs announce nothing on most drivers; ten
// reads a second cost a terminal nothing that can be measured, and a tenth of a second is what
// whoever chose a file has.
const powerPoll = 100 * time.Millisecond

// powerBytesMax is more than any such file holds.
const powerBytesMax = 64

// ParsePower makes a source of its description.
//
//	file:/run/power         "0", "ok", "online", "high" or an empty or missing file: power is there;
//	                        anything else, such as "1", "fail" or "low": it is failing
//	supply:/sys/class/power_supply/AC   its file online: 0 is failing
//	gpio:/dev/gpiochip0:17  the line is high while the power fails; with :low while it is low
//	evdev:/dev/input/event0:key:116     the key or switch is on while the power fails
func ParsePower(text string) (Power, error) {
	kind, rest, _ := strings.Cut(text, ":")
	bad := func() (Power, error) { return nil, fmt.Errorf("%.80q %w", text, ErrPowerSource) }
	if rest == "" {
		return bad()
	}
	switch kind {
	case "file":
		return PowerFile{Path: rest}, nil
	case "supply":
		return PowerFile{Path: filepath.Join(rest, "online"), Supply: true}, nil
	case "gpio":
		parts := strings.Split(rest, ":")
		low := len(parts) == 3 && parts[2] == "low"
		if len(parts) < 2 || len(parts) > 2 && !low {
			return bad()
		}
		line, err := strconv.ParseUint(parts[1], 10, 16)
		if err != nil {
			return bad()
		}
		return PowerGPIO{Chip: parts[0], Line: uint32(line), ActiveLow: low}, nil
	case "evdev":
		parts := strings.Split(rest, ":")
		if len(parts) != 3 || parts[1] != "key" && parts[1] != "switch" {
			return bad()
		}
		code, err := strconv.ParseUint(parts[2], 10, 16)
		if err != nil || code > inputCodeMax {
			return bad()
		}
		return PowerKey{Device: parts[0], Switch: parts[1] == "switch", Code: uint16(code)}, nil
	}
	return bad()
}

// inputCodeMax is the kernel's KEY_MAX.
const inputCodeMax = 0x2ff

// PowerFile reads a file again and again: one of sysfs, or whatever the vendor's service writes.
type PowerFile struct {
	Path   string
	Supply bool // the file says whether power is there, not whether it fails; missing is failing
	Every  time.Duration
}

// PowerGPIO is a line of a GPIO chip (character device, ABI v2, Linux 5.10).
type PowerGPIO struct {
	Chip      string
	Line      uint32
	ActiveLow bool
}

// PowerKey is a key or a switch of an input device.
type PowerKey struct {
	Device string
	Switch bool
	Code   uint16
}

// Watch implements Power. A file that can not be read for another reason than that it is missing
// is taken for good power: a terminal must not stop selling for a permission.
func (f PowerFile) Watch(ctx context.Context, report func(PowerState)) error {
	every := f.Every
	if every == 0 {
		every = powerPoll
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := PowerState{Failing: false, Why: "not read yet"}
	for first := true; ; first = false {
		if now := f.read(); first || now.Failing != last.Failing {
			report(now)
			last = now
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (f PowerFile) read() PowerState {
	data, err := readSome(f.Path)
	if err != nil {
		return PowerState{Why: err.Error(), Failing: f.Supply && errors.Is(err, os.ErrNotExist)}
	}
	text := strings.ToLower(strings.TrimSpace(string(data)))
	good := text == "0" || text == "" || text == "ok" || text == "online" || text == "high"
	if f.Supply {
		good = text != "0"
	}
	return PowerState{Failing: !good, Why: fmt.Sprintf("%s says %q", f.Path, text)}
}

func readSome(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b := make([]byte, powerBytesMax)
	n, err := f.Read(b)
	if errors.Is(err, io.EOF) {
		err = nil // an empty file
	}
	return b[:n], err
}
