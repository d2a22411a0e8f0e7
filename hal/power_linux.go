package hal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The GPIO character device, version 2: <linux/gpio.h>. x/sys has neither requests nor structures.
const (
	gpioGetLine      = 0xc250b407 // _IOWR(0xB4, 0x07, struct gpio_v2_line_request), 592 bytes
	gpioGetValues    = 0xc010b40e // _IOWR(0xB4, 0x0E, struct gpio_v2_line_values), 16 bytes
	gpioFlagLow      = 1 << 1
	gpioFlagInput    = 1 << 2
	gpioFlagRising   = 1 << 4
	gpioFlagFalling  = 1 << 5
	gpioEventBytes   = 48
	gpioLinesMax     = 64
	gpioNameBytes    = 32
	gpioAttrsMax     = 10
	gpioAttrBytes    = 24
	gpioConsumerName = "reversald power"
)

type gpioLineRequest struct {
	offsets  [gpioLinesMax]uint32
	consumer [gpioNameBytes]byte
	flags    uint64
	_        uint32 // how many attributes: none
	_        [5]uint32
	_        [gpioAttrsMax * gpioAttrBytes]byte
	lines    uint32
	_        uint32 // size of the event buffer: the kernel's own
	_        [5]uint32
	fd       int32
}

type gpioLineValues struct{ bits, mask uint64 }

// Watch implements Power.
func (g PowerGPIO) Watch(ctx context.Context, report func(PowerState)) error {
	line, err := g.open()
	if err != nil {
		return fmt.Errorf("watch line %d of %s: %w", g.Line, g.Chip, err)
	}
	read := func() (bool, error) {
		values := gpioLineValues{mask: 1}
		err := ioctl(line, gpioGetValues, &values)
		return values.bits&1 == 1, err
	}
	return watchEdges(ctx, line, gpioEventBytes, report, read, func([]byte) (bool, bool) {
		on, err := read() // an edge says that it has changed; what it is now counts
		return on, err == nil
	})
}

func (g PowerGPIO) open() (*os.File, error) {
	chip, err := os.OpenFile(g.Chip, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = chip.Close() }()
	request := gpioLineRequest{
		flags: gpioFlagInput | gpioFlagRising | gpioFlagFalling, lines: 1,
	}
	if g.ActiveLow {
		request.flags |= gpioFlagLow
	}
	request.offsets[0] = g.Line
	copy(request.consumer[:], gpioConsumerName)
	if err := ioctl(chip, gpioGetLine, &request); err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(int(request.fd), true); err != nil {
		_ = unix.Close(int(request.fd)) // nothing was asked of it
		return nil, err
	}
	return os.NewFile(uintptr(request.fd), g.Chip), nil
}

// Input devices: <linux/input.h>.
const (
	inputKey     = 0x01
	inputSwitch  = 0x05
	inputKeys    = 0x18 // EVIOCGKEY
	inputSwitch0 = 0x1b // EVIOCGSW
)

// inputEventBytes is a struct input_event: two longs of time, type, code, value.
const inputEventBytes = 2*unsafe.Sizeof(uintptr(0)) + 8

// Watch implements Power.
func (k PowerKey) Watch(ctx context.Context, report func(PowerState)) error {
	device, err := os.OpenFile(k.Device, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("watch input device: %w", err)
	}
	kind, ask := uint16(inputKey), uintptr(inputKeys)
	if k.Switch {
		kind, ask = inputSwitch, inputSwitch0
	}
	read := func() (bool, error) {
		var bits [inputCodeMax/8 + 1]byte
		request := 2<<30 | uintptr(len(bits))<<16 | 'E'<<8 | ask // _IOR('E', ask, bits)
		err := ioctl(device, request, &bits)
		if errors.Is(err, unix.ENOTTY) { // not an input device, but something that talks like one
			return false, nil
		}
		return bits[k.Code/8]>>(k.Code%8)&1 == 1, err
	}
	return watchEdges(ctx, device, int(inputEventBytes), report, read, func(e []byte) (bool, bool) {
		return inputEvent(e, kind, k.Code)
	})
}

// inputEvent tells whether an event concerns a key or a switch, and whether it is on.
func inputEvent(e []byte, kind, code uint16) (on, concerns bool) {
	e = e[len(e)-8:]
	concerns = binary.NativeEndian.Uint16(e) == kind && binary.NativeEndian.Uint16(e[2:]) == code
	return binary.NativeEndian.Uint32(e[4:]) != 0, concerns // 1 is pressed, 2 is held
}

// watchEdges reports the state of a device, and then what its events make of it.
func watchEdges(ctx context.Context, device *os.File, eventBytes int, report func(PowerState),
	read func() (bool, error), event func([]byte) (on, concerns bool),
) error {
	stop := context.AfterFunc(ctx, func() { _ = device.Close() })
	defer func() {
		stop()
		_ = device.Close()
	}()
	on, err := read()
	if err != nil {
		return fmt.Errorf("watch %s: %w", device.Name(), err)
	}
	say := func() { report(PowerState{Failing: on, Why: fmt.Sprintf("%s: %v", device.Name(), on)}) }
	say()
	buf := make([]byte, eventBytes*eventsMax)
	for {
		n, err := device.Read(buf)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("watch %s: %w", device.Name(), err)
		}
		for ; n >= eventBytes; n -= eventBytes {
			now, concerns := event(buf[:eventBytes])
			copy(buf, buf[eventBytes:])
			if concerns && now != on {
				on = now
				say()
			}
		}
	}
}

// eventsMax is how many events one read takes.
const eventsMax = 16

// ioctl is one request that does not block, on a file that stays open for it. What it takes has the
// size that the request's number says.
func ioctl[T any](f *os.File, request uintptr, argument *T) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno unix.Errno
	if err := raw.Control(func(fd uintptr) {
		//nolint:gosec // x/sys has no call for these; a test checks the sizes
		_, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(argument)))
	}); err != nil {
		return err
	}
	if errno != 0 {
		return errno
	}
	return nil
}
