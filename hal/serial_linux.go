package hal

import (
	"context"
	"time"
)

// Port is an open serial port, held by this process alone. It implements Link.
type Port struct{}

var _ Link = (*Port)(nil)

// Open opens the device. The errors wrap ErrBusy, ErrNotSerial or the system's own.
func (s Serial) Open(ctx context.Context, device string) (*Port, error) { return nil, ErrUnsupported }

func (p *Port) Read(b []byte) (int, error)         { return 0, ErrLinkGone }
func (p *Port) Write(b []byte) (int, error)        { return 0, ErrLinkGone }
func (p *Port) TryWrite(b []byte) (int, error)     { return 0, ErrLinkGone }
func (p *Port) SetWriteDeadline(t time.Time) error { return nil }
func (p *Port) Close() error                       { return nil }
func (p *Port) Remote() string                     { return "" }
func (p *Port) Local() string                      { return "" }
