package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"reversald/iso"
)

// till is a payment app for rehearsals: it words one message, sends it, and waits for the answer.
type till struct {
	profile  *iso.Profile
	to       string
	mti      string
	amount   int64 // minor units
	currency string
	tid, mid string
	stan     int // 1 to 999999
	sent     time.Time
	linked   bool // sent is that of the original, and a reversal may say so
	pan      string
	expiry   string
	track    bool           // the card is swiped: DE 35 instead of DE 2 and 14
	extra    map[int]string // --field
	timeout  time.Duration
	lang     string
	master   []byte // --tmk
	key      []byte // of the last sign-on

	conn   net.Conn
	frames *iso.FrameReader
}

// outcome is what the app got, the JSON of sell --json.
type outcome struct {
	MTI     string  `json:"mti"`  // of the answer; empty when there was none
	Code    string  `json:"code"` // DE 39
	Outcome string  `json:"outcome"`
	Words   string  `json:"words"` // for the cashier
	RRN     string  `json:"rrn"`
	Auth    string  `json:"auth"`
	MS      float64 `json:"ms"`   // from the first byte out to the last byte in
	STAN    string  `json:"stan"` // of the question
	Sent    string  `json:"sent"` // DE 7 of the question, for --sent of its reversal
	Strays  int     `json:"strays,omitempty"`
	Why     string  `json:"why,omitempty"` // when unknown without an answer

	took time.Duration
}

// The three answers to a till, and never another.
const (
	approved = "approved"
	declined = "declined"
	unknown  = "unknown"
)

// exitCode turns an outcome into the exit code of sell.
func (o outcome) exitCode() int {
	switch o.Outcome {
	case approved:
		return exitOK
	case declined:
		return exitDeclined
	}
	return exitUnknown
}

// dial connects. rcvbuf 0 leaves the receive buffer alone.
func (t *till) dial(ctx context.Context, rcvbuf int) error {
	dialer := net.Dialer{Timeout: t.timeout}
	if rcvbuf > 0 {
		dialer.Control = func(_, _ string, raw syscall.RawConn) error {
			var err error
			outer := raw.Control(func(fd uintptr) {
				err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, rcvbuf)
			})
			return errors.Join(outer, err)
		}
	}
	network, to := "tcp", t.to
	if path, ok := strings.CutPrefix(t.to, "unix:"); ok {
		network, to = "unix", path
	}
	c, err := dialer.DialContext(ctx, network, to)
	if err != nil {
		return err
	}
	t.conn, t.frames = c, t.profile.NewFrameReader(c)
	return nil
}

func (t *till) hangUp() {
	if t.conn != nil {
		_ = t.conn.Close()
		t.conn = nil
	}
}

// trade sends one message and waits for its answer. Answers to something else are counted and
// passed over, as a careful app does.
func (t *till) trade(ctx context.Context) (outcome, error) {
	o := outcome{Outcome: unknown, STAN: t.trace(), Sent: t.sent.Format("0102150405")}
	frame, err := t.frame(t.mti)
	if err != nil {
		return o, err
	}
	if t.conn == nil {
		if err := t.dial(ctx, 0); err != nil {
			o.Why = "no connection: " + plain(err)
			o.Words, _ = iso.OutcomeWords(iso.SituationNotSent, t.lang)
			return o, nil
		}
	}
	defer context.AfterFunc(ctx, func() { _ = t.conn.Close() })()
	if class := t.mti[1]; class == '1' || class == '2' {
		o.Words, _ = iso.OutcomeWords(iso.SituationUnknown, t.lang) // until an answer says more
	}
	start := time.Now()
	_ = t.conn.SetDeadline(start.Add(t.timeout))
	if _, err := t.conn.Write(frame); err != nil {
		o.Why = "the line broke while sending: " + plain(err)
		return o, nil
	}
	for {
		body, err := t.frames.Next()
		o.took = time.Since(start)
		o.MS = float64(o.took.Microseconds()) / 1000
		if err != nil {
			o.Why = "no answer: " + plain(err)
			return o, nil
		}
		if t.hear(body, &o) {
			return o, nil
		}
	}
}

// hear reports whether body is the final answer, and fills it in.
func (t *till) hear(body []byte, o *outcome) bool {
	if len(body) == 0 {
		return false
	}
	m, err := t.profile.Decode(body)
	switch {
	case err != nil, m.MTI != t.profile.AnswerMTI(t.mti), m.Fields[11] != t.trace(),
		strings.TrimSpace(m.Fields[41]) != t.tid:
		o.Strays++
		return false
	}
	o.MTI, o.Code = m.MTI, m.Fields[39]
	o.RRN, o.Auth = strings.TrimSpace(m.Fields[37]), strings.TrimSpace(m.Fields[38])
	o.Words, _ = t.profile.Words(o.Code, t.lang)
	if t.mti[1] == '4' {
		o.Outcome = declined
		if t.profile.Verdict(o.Code) == iso.VerdictDone {
			o.Outcome = approved
			o.Words, _ = iso.OutcomeWords(iso.SituationReversed, t.lang)
		}
		return true
	}
	switch t.profile.Outcome(o.Code) {
	case iso.OutcomeApproved:
		o.Outcome = approved
	case iso.OutcomeDeclined:
		o.Outcome = declined
	case iso.OutcomeAmbiguous:
	case iso.OutcomeProvisional:
		return false // "wait": the answer is still to come
	}
	return true
}

// plain is an error without addresses, the same on every machine.
func plain(err error) string {
	var op *net.OpError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "the time was up"
	case errors.As(err, &op):
		return op.Err.Error()
	}
	return err.Error()
}

func (t *till) trace() string { return fmt.Sprintf("%06d", t.stan) }

// next moves on to the next sale: another STAN, 999999 is followed by 1.
func (t *till) next(now time.Time) {
	t.stan = t.stan%999_999 + 1
	t.sent = now
}

// frame words a message of this till, ready to send.
func (t *till) frame(mti string) ([]byte, error) {
	fields := t.fields(mti)
	for f := range fields {
		if t.profile.FieldName(f) == "" {
			delete(fields, f) // not in this dialect
		}
	}
	for f, v := range t.extra {
		fields[f] = v
		if v == "" {
			delete(fields, f)
		}
	}
	proven := t.key != nil && t.profile.MAC().Sends(t.profile.ClassOf(mti))
	if proven {
		t.profile.MAC().Room(fields)
	}
	body, err := t.profile.Compose(mti, fields)
	if err != nil {
		return nil, usage(fmt.Errorf("word the %s: %w", mti, err))
	}
	if proven {
		if body, err = t.prove(body); err != nil {
			return nil, err
		}
	}
	return t.profile.AppendFrame(nil, body)
}

// fields are those of any message, then those of its class.
func (t *till) fields(mti string) map[int]string {
	f := map[int]string{
		7: t.sent.Format("0102150405"), 11: t.trace(), 41: t.tid, 42: t.mid,
		12: t.sent.Format("150405"), 13: t.sent.Format("0102"),
	}
	modern := mti[0] == '1'
	if modern {
		f[12] = t.sent.Format("060102150405")
		delete(f, 13)
	}
	if mti[1] == '8' || mti[1] == '5' {
		f[70] = "301" // echo
		return f
	}
	f[3], f[4], f[49] = "000000", strconv.FormatInt(t.amount, 10), t.currency
	f[22], f[25] = "012", "00"
	if modern {
		f[22], f[24] = "000000000010", "200"
		delete(f, 25)
	}
	if t.track {
		track := t.pan + "=" + t.expiry + "2010000012345678"
		f[35], f[22] = track[:min(len(track), 37)], "022" // a track 2 has 37 characters at most
		if modern {
			f[22] = "000000000020"
		}
	} else {
		f[2], f[14] = t.pan, t.expiry
	}
	if _, ok := t.profile.HeaderRequest(make([]byte, t.profile.FrameMax())); ok {
		f[60] = "22000001000500" // UnionPay: a sale in batch 1
	}
	if mti[1] == '4' {
		t.reversalFields(f, modern)
	}
	return f
}

// reversalFields turn a sale into the app's own reversal of it. With --sent the link field names
// the original exactly; without, the bank goes by terminal and STAN.
func (t *till) reversalFields(f map[int]string, modern bool) {
	delete(f, 35)
	if modern {
		f[24], f[25] = "400", "4000"
		if t.linked {
			f[56] = "1200" + t.trace() + f[12] + "00"
		}
		return
	}
	f[39] = "17" // the customer cancelled
	if t.linked {
		f[90] = "0200" + t.trace() + f[7] + strings.Repeat("0", 22)
	}
}
