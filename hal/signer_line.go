package hal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// signerLine is an open line to a module.
type signerLine struct {
	conn   net.Conn
	reader *bufio.Reader // of signerLineBytesMax, so no line is longer
}

// dialSigner opens a line. It gives up when ctx does.
func dialSigner(ctx context.Context, path string) (*signerLine, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignerAway, err)
	}
	return newSignerLine(conn), nil
}

func newSignerLine(conn net.Conn) *signerLine {
	return &signerLine{conn: conn, reader: bufio.NewReaderSize(conn, signerLineBytesMax)}
}

// exchange sends a question and reads the answer. The line is clean if it can be used again.
func (l *signerLine) exchange(
	ctx context.Context, q signerQuestion,
) (a signerAnswer, clean bool, err error) {
	line, err := encodeSignerLine(q)
	if err != nil {
		return a, true, err
	}
	release, err := l.bind(ctx)
	if err != nil {
		return a, false, err
	}
	if _, err = l.conn.Write(line); err == nil {
		line, err = l.readLine()
	} else if !errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("%w: %w", ErrSignerAway, err)
	}
	switch {
	case !release():
		// ctx ended meanwhile, and the deadline that this brings may hit whoever comes next.
		return a, false, ctx.Err()
	case err != nil:
		return a, false, err
	}
	a, err = decodeSignerAnswer(line, q)
	clean = l.reader.Buffered() == 0 && (err == nil || errors.Is(err, errSaidNo))
	return a, clean, err
}

// bind makes reads and writes end with ctx, until release, which tells whether it still was in
// time.
func (l *signerLine) bind(ctx context.Context) (release func() bool, err error) {
	deadline, _ := ctx.Deadline() // the zero time is none
	if err := l.conn.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignerAway, err)
	}
	return context.AfterFunc(ctx, func() {
		_ = l.conn.SetDeadline(time.Unix(1, 0)) // or it is closed, which is as good
	}), nil
}

// readLine reads to the end of a line, which is not part of what it returns. The result is good
// until the next call.
func (l *signerLine) readLine() ([]byte, error) {
	line, err := l.reader.ReadSlice('\n')
	switch {
	case err == nil:
		return bytes.TrimRight(line, "\r\n"), nil
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("%w: line of more than %d bytes",
			ErrSignerProtocol, signerLineBytesMax)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", ErrSignerAway, err)
}
