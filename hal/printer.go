package hal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Printer prints slips. What is on them is the caller's: bytes of the printer's own language.
type Printer interface {
	// Print takes a job and returns: it is printed in its turn. ErrPrinterBusy means that too many
	// wait, and that this one was not taken.
	Print(job []byte) error
	// Paper asks the printer; ErrPrinterMute is wrapped where it does not answer in time.
	Paper(ctx context.Context) (Paper, error)
	// Close lets what is being printed end for as long as ctx, and throws away what waits.
	Close(ctx context.Context) error
}

// Paper is what a printer says of its paper.
type Paper uint8

// The answers.
const (
	PaperThere Paper = iota + 1
	PaperLow         // the roll is near its end
	PaperOut
)

// String names the answer for people.
func (p Paper) String() string {
	switch p {
	case PaperThere:
		return "paper"
	case PaperLow:
		return "paper is low"
	case PaperOut:
		return "no paper"
	}
	return fmt.Sprintf("paper %d", uint8(p))
}

// Errors of a printer.
var (
	// ErrPrinterBusy: as many slips wait as may.
	ErrPrinterBusy = errors.New("printer has too much to print")
	// ErrPrinterMute is wrapped when the printer does not answer.
	ErrPrinterMute = errors.New("printer does not answer")
	// ErrPrinterJob: nothing to print, or more than a slip has.
	ErrPrinterJob = errors.New("not a slip")
)

const (
	printJobsMax  = 16       // slips that wait: more than a printer prints in a minute
	printBytesMax = 64 << 10 // of one slip, logo included
	printerMute   = 2 * time.Second
)

// escposPaper asks for the state of the paper: DLE EOT 4.
var escposPaper = []byte{0x10, 0x04, 0x04}

// ESCPOS is a printer that speaks ESC/POS over a line: a serial [Port], or a device file such as
// /dev/usb/lp0. It carries jobs as they are, and puts nothing between their bytes but the question
// about the paper, between two jobs. Make one with [NewESCPOS].
type ESCPOS struct {
	line    io.ReadWriteCloser
	jobs    chan []byte
	answers chan byte
	end     chan struct{}
	done    chan struct{}

	deaf    bool       // its line has one direction: it is asked nothing
	writing sync.Mutex // one job, or one question, at a time

	mu     sync.Mutex
	failed error
	closed bool
	owed   int // jobs taken and not on the line as a whole
}

var _ Printer = (*ESCPOS)(nil)

// NewESCPOS begins to use a line, which is the printer's from here on.
func NewESCPOS(line io.ReadWriteCloser) *ESCPOS {
	p := &ESCPOS{
		line: line, jobs: make(chan []byte, printJobsMax), answers: make(chan byte, 1),
		end: make(chan struct{}), done: make(chan struct{}),
	}
	if one, ok := line.(*deaf); ok {
		p.deaf = one.AnswersNothing()
	}
	go p.listen()
	go p.work()
	return p
}

// Print implements Printer.
func (p *ESCPOS) Print(job []byte) error {
	if len(job) == 0 || len(job) > printBytesMax {
		return fmt.Errorf("print %d bytes: %w: want 1 to %d", len(job), ErrPrinterJob,
			printBytesMax)
	}
	if err := p.broken(); err != nil {
		return err
	}
	p.owe(1)
	select {
	case p.jobs <- append([]byte(nil), job...):
		return nil
	default:
		p.owe(-1)
		return ErrPrinterBusy
	}
}

// Unprinted is how many jobs were taken and have not gone out as a whole. Of a printer that is
// closed it is what was lost.
func (p *ESCPOS) Unprinted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.owed
}

func (p *ESCPOS) owe(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owed += n
}

// Paper implements Printer. A printer in the middle of a slip is asked when that is out.
func (p *ESCPOS) Paper(ctx context.Context) (Paper, error) {
	if p.deaf {
		return 0, fmt.Errorf("ask for paper: %w: its line has one direction", ErrPrinterMute)
	}
	ctx, cancel := context.WithTimeout(ctx, printerMute)
	defer cancel()
	asked := make(chan error, 1)
	go func() { asked <- p.send(escposPaper, true) }() // ends when the line takes it, or is closed
	var err error
	select {
	case err = <-asked:
	case <-ctx.Done():
		return 0, fmt.Errorf("ask for paper: %w: %w", ErrPrinterMute, ctx.Err())
	}
	if err != nil {
		return 0, err
	}
	select {
	case b := <-p.answers:
		return paperOf(b)
	case <-ctx.Done():
		return 0, fmt.Errorf("ask for paper: %w: %w", ErrPrinterMute, ctx.Err())
	case <-p.end:
		return 0, gone("ask for paper", errors.New("closed"))
	}
}

// paperOf reads the answer to DLE EOT 4: bits 1 and 4 are set and 0 and 7 are not, 2 and 3 are the
// end that is near, 5 and 6 the end.
func paperOf(b byte) (Paper, error) {
	switch {
	case b&0x93 != 0x12:
		return 0, fmt.Errorf("ask for paper: %w: %#02x is no status", ErrPrinterMute, b)
	case b&0x60 != 0:
		return PaperOut, nil
	case b&0x0c != 0:
		return PaperLow, nil
	}
	return PaperThere, nil
}

// send writes one thing whole.
func (p *ESCPOS) send(b []byte, question bool) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	if err := p.broken(); err != nil {
		return err
	}
	if question {
		select { // of an older question
		case <-p.answers:
		default:
		}
	}
	if _, err := p.line.Write(b); err != nil {
		return p.fail(err)
	}
	return nil
}

func (p *ESCPOS) work() {
	defer close(p.done)
	for {
		select {
		case <-p.end:
			return
		case job := <-p.jobs:
			if p.send(job, false) != nil {
				return
			}
			p.owe(-1)
		}
	}
}

// listen hears the printer. The newest byte counts.
func (p *ESCPOS) listen() {
	buf := make([]byte, 64)
	for {
		n, err := p.line.Read(buf)
		if n > 0 {
			select {
			case <-p.answers:
			default:
			}
			p.answers <- buf[n-1] //nolint:gosec // 0 < n <= len(buf), as a Reader promises
		}
		if err != nil {
			_ = p.fail(err)
			return
		}
	}
}

func (p *ESCPOS) fail(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = gone("printer", err)
	}
	return p.failed
}

func (p *ESCPOS) broken() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

// Close implements Printer.
func (p *ESCPOS) Close(ctx context.Context) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	p.mu.Unlock()
	close(p.end)
	select {
	case <-p.done:
	case <-ctx.Done():
	}
	err := p.line.Close()
	_ = p.fail(errors.New("closed"))
	return err
}
