//go:build linux

package hal

import (
	"testing"
	"unsafe"
)

// Rule: the structures are as long as <linux/gpio.h> has them, on every architecture: the length is
// part of the request's number, and the kernel refuses any other.
func TestGPIOStructuresHaveTheKernelsSize(t *testing.T) {
	if n := unsafe.Sizeof(gpioLineRequest{}); n != gpioGetLine>>16&0x3fff {
		t.Errorf("a line request has %d bytes, the kernel's %d", n, gpioGetLine>>16&0x3fff)
	}
	if n := unsafe.Sizeof(gpioLineValues{}); n != gpioGetValues>>16&0x3fff {
		t.Errorf("line values have %d bytes, the kernel's %d", n, gpioGetValues>>16&0x3fff)
	}
}
