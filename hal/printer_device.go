package hal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// FileScheme begins the address of a printer that is a device file.
const FileScheme = "file:"

// ErrPrinterAddress is wrapped when the address of a printer makes no sense.
var ErrPrinterAddress = errors.New("is no printer: want file:/dev/usb/lp0 or " +
	"serial:/dev/ttyS2?baud=9600&mode=8N1")

// CheckPrinter tells whether an address is that of a printer.
func CheckPrinter(address string) error {
	if path, ok := strings.CutPrefix(address, FileScheme); ok && strings.HasPrefix(path, "/") {
		return nil
	}
	_, _, err := parseSerialPrinter(address)
	return err
}

// parseSerialPrinter reads the address of a serial printer: it has no envelope and no dialogue.
func parseSerialPrinter(address string) (Serial, string, error) {
	h, device, err := ParseSerialHost(address)
	if err != nil || strings.Contains(address, "envelope=") || h.ACK || h.ENQ || h.Resend > 0 {
		return Serial{}, "", fmt.Errorf("%.120q %w", address, ErrPrinterAddress)
	}
	return h.Serial, device, nil
}

// OpenPrinter opens the printer at an address. A device file is never made: where there is none,
// the printer is away.
func OpenPrinter(ctx context.Context, address string) (Printer, error) {
	if path, ok := strings.CutPrefix(address, FileScheme); ok {
		line, err := openPrinterFile(path)
		if err != nil {
			return nil, fmt.Errorf("printer: %w", err)
		}
		return NewESCPOS(line), nil
	}
	serial, device, err := parseSerialPrinter(address)
	if err != nil {
		return nil, err
	}
	port, err := serial.Open(ctx, device)
	if err != nil {
		return nil, fmt.Errorf("printer: %w", err)
	}
	return NewESCPOS(port), nil
}

// openPrinterFile opens a device for both directions where it has both; a FIFO and a plain file
// take what is written, and answer nothing.
func openPrinterFile(path string) (io.ReadWriteCloser, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	const flags = syscall.O_NONBLOCK | syscall.O_NOCTTY | os.O_APPEND
	if info.Mode()&os.ModeCharDevice != 0 {
		if f, err := os.OpenFile(path, os.O_RDWR|flags, 0); err == nil {
			return &deaf{file: f, hears: true, closed: make(chan struct{})}, nil
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|flags, 0)
	if err != nil {
		return nil, err
	}
	return &deaf{file: f, closed: make(chan struct{})}, nil
}

// deaf is a device file from which nothing may ever come: a printer of one direction says so with
// an error, and prints all the same.
type deaf struct {
	file   *os.File
	hears  bool
	closed chan struct{}
}

// Read waits for what does not come.
func (d *deaf) Read(b []byte) (int, error) {
	if d.hears {
		if n, err := d.file.Read(b); err == nil && n > 0 {
			return n, nil
		}
		d.hears = false // a printer that is gone is found out by the next slip
	}
	<-d.closed
	return 0, os.ErrClosed
}

// Write implements io.Writer.
func (d *deaf) Write(b []byte) (int, error) { return d.file.Write(b) }

// Close implements io.Closer.
func (d *deaf) Close() error {
	close(d.closed)
	return d.file.Close()
}

// AnswersNothing tells that there is no use in a question.
func (d *deaf) AnswersNothing() bool { return !d.hears }
