// Package ymodem sends a file over a serial line to a terminal program that receives YMODEM-1K:
// TeraTerm, SecureCRT, minicom, and picocom with lrzsz's rb.
//
// Think of a clerk who reads a long number aloud in groups, and goes on to the next group only when
// the other says "yes". The source is Chuck Forsberg's "XMODEM/YMODEM protocol reference", 1988:
// 1024-byte blocks, CRC-16, name and size in block 0, a batch of one file.
package ymodem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Line is the serial line, as far as this protocol needs it.
type Line interface {
	io.Writer
	// Next waits for a byte, at most so long; then its error wraps os.ErrDeadlineExceeded.
	Next(wait time.Duration) (byte, error)
}

// Why a file was not sent.
var (
	// ErrCancelled: the receiver has cancelled.
	ErrCancelled = errors.New("the receiver has cancelled")
	// ErrNobody: no receiver has asked for the file.
	ErrNobody = errors.New("no receiver has started")
	// ErrNoise: a block was refused or not answered so often that the line is of no use.
	ErrNoise = errors.New("the line is too noisy, or the receiver is gone")
)

const (
	soh    = 0x01 // a block of 128 bytes follows
	stx    = 0x02 // a block of 1024 bytes follows
	eot    = 0x04
	ack    = 0x06
	nak    = 0x15
	can    = 0x18
	sub    = 0x1a // fills the last block
	want   = 'C'  // the receiver asks for CRC-16
	backup = 0x08 // wipes the cancels off a screen

	shortBytes = 128
	longBytes  = 1024

	// triesMax is how often one block is sent: the protocol's own limit.
	triesMax = 10
	// startWait is how long a person may take to start the receiver.
	startWait = 60 * time.Second
	// answerWait is how long a receiver may take to answer a block, its disk included.
	answerWait = 10 * time.Second
	// goodbyeWait is how long a receiver may take over the end of the batch.
	goodbyeWait = 2 * time.Second
	// strayMax bounds what else may arrive while we wait for an answer: noise, or typed keys.
	strayMax = 4096
	// nameMax leaves room for the size in block 0.
	nameMax = 100
)

// Send sends one file of size bytes. Progress is called after every block with the bytes done; nil:
// nobody cares. A ctx that ends cancels the receiver too. On every error but ErrCancelled the
// receiver is told to stop.
func Send(
	ctx context.Context, line Line, name string, size int64, r io.Reader, progress func(int64),
) (err error) {
	s := sender{ctx: ctx, line: line}
	defer func() {
		if err != nil && !errors.Is(err, ErrCancelled) {
			cancel := []byte{can, can, can, can, can, can, can, can}
			_, _ = line.Write(append(cancel, backup, backup, backup, backup))
		}
	}()
	if len(name) == 0 || len(name) > nameMax {
		return fmt.Errorf("%q is no name for a file: 1 to %d bytes", name, nameMax)
	}
	if err := s.await(want, startWait); err != nil {
		return err
	}
	if err := s.block(0, append([]byte(name), fmt.Sprintf("\x00%d", size)...), 0); err != nil {
		return err
	}
	if err := s.await(want, answerWait); err != nil {
		return err
	}
	if err := s.blocks(r, size, progress); err != nil {
		return err
	}
	if err := s.end(); err != nil {
		return err
	}
	return s.goodbye()
}

// goodbye ends the batch with an empty name. The file has arrived, and was acknowledged: a receiver
// that leaves without a word, or whose last word is lost as its terminal is set back, is no
// failure, and what were sent again to it would be noise on somebody's screen.
func (s sender) goodbye() error {
	_ = s.await(want, goodbyeWait)
	const tries = 3
	for range tries {
		if _, err := s.line.Write(frameOf(0, nil, 0)); err != nil {
			return err
		}
		if answer, _ := s.answer(goodbyeWait); answer != nak {
			break
		}
	}
	return nil
}

type sender struct {
	ctx  context.Context //nolint:containedctx // lives for one Send
	line Line
}

// blocks sends the contents.
func (s sender) blocks(r io.Reader, size int64, progress func(int64)) error {
	chunk := make([]byte, longBytes)
	number, done := byte(1), int64(0)
	for done < size {
		n, err := io.ReadFull(r, chunk[:min(longBytes, size-done)])
		if err != nil {
			return fmt.Errorf("%d bytes of %d: %w", done+int64(n), size, err)
		}
		if err := s.block(number, chunk[:n], sub); err != nil {
			return err
		}
		number++
		done += int64(n)
		if progress != nil {
			progress(done)
		}
	}
	return nil
}

// block sends one block until it is acknowledged.
func (s sender) block(number byte, content []byte, fill byte) error {
	return s.until(frameOf(number, content, fill))
}

// frameOf is one block with its number and check sum.
func frameOf(number byte, content []byte, fill byte) []byte {
	size := longBytes
	head := byte(stx)
	if len(content) <= shortBytes {
		size, head = shortBytes, soh
	}
	frame := make([]byte, 0, 3+size+2)
	frame = append(frame, head, number, ^number)
	frame = append(frame, content...)
	for len(frame) < 3+size {
		frame = append(frame, fill)
	}
	sum := crc16(frame[3:])
	return append(frame, byte(sum>>8), byte(sum))
}

// end says that the contents are over. A receiver may ask once to hear it again.
func (s sender) end() error { return s.until([]byte{eot}) }

// until sends bytes until they are acknowledged.
func (s sender) until(b []byte) error {
	for range triesMax {
		if _, err := s.line.Write(b); err != nil {
			return err
		}
		switch answer, err := s.answer(answerWait); {
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case answer == ack:
			return nil
		}
	}
	return ErrNoise
}

// await waits for one byte.
func (s sender) await(b byte, wait time.Duration) error {
	for end := time.Now().Add(wait); ; {
		answer, err := s.answer(time.Until(end))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && b == want:
			return ErrNobody
		case err != nil:
			return err
		case answer == b:
			return nil
		}
	}
}

// answer is the next byte that means something. Two cancels in a row end it; one may be noise.
func (s sender) answer(wait time.Duration) (byte, error) {
	const step = 200 * time.Millisecond // how soon a cancelled ctx is noticed
	cancels, strays := 0, 0
	for end := time.Now().Add(wait); ; {
		if err := s.ctx.Err(); err != nil {
			return 0, err
		}
		left := time.Until(end)
		if left <= 0 || strays > strayMax {
			return 0, fmt.Errorf("no answer: %w", os.ErrDeadlineExceeded)
		}
		b, err := s.line.Next(min(left, step))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil {
			return 0, err
		}
		switch b {
		case can:
			if cancels++; cancels == 2 {
				return 0, ErrCancelled
			}
			continue
		case ack, nak, want:
			return b, nil
		}
		cancels = 0
		strays++
	}
}

// crc16 is CRC-16/XMODEM: polynomial 0x1021, starting at 0.
func crc16(b []byte) uint16 {
	var sum uint16
	for _, c := range b {
		sum ^= uint16(c) << 8
		for range 8 {
			if sum&0x8000 != 0 {
				sum = sum<<1 ^ 0x1021
			} else {
				sum <<= 1
			}
		}
	}
	return sum
}
