package hal

import (
	"errors"
	"fmt"
	"os"

	"go.bug.st/serial"
)

// openLibrary opens a port of the library, set as s says.
func openLibrary(path string, s Serial) (serial.Port, error) {
	mode := &serial.Mode{BaudRate: s.Baud, DataBits: s.DataBits}
	switch s.Parity {
	case ParityNone:
		mode.Parity = serial.NoParity
	case ParityOdd:
		mode.Parity = serial.OddParity
	case ParityEven:
		mode.Parity = serial.EvenParity
	}
	if s.StopBits == 2 {
		mode.StopBits = serial.TwoStopBits
	}
	port, err := serial.Open(path, mode)
	if err != nil {
		return nil, explain(err)
	}
	return port, nil
}

// explain says in our words what the library's codes mean.
func explain(err error) error {
	var pe *serial.PortError
	if !errors.As(err, &pe) {
		return err
	}
	switch pe.Code() { //nolint:exhaustive // the others say it well enough themselves
	case serial.PortBusy:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case serial.PermissionDenied:
		return fmt.Errorf("%w: %w", os.ErrPermission, err)
	case serial.InvalidSerialPort, serial.PortNotFound:
		return fmt.Errorf("%w: %w", ErrNotSerial, err)
	default:
		return err
	}
}
