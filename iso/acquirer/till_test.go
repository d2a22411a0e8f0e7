package acquirer_test

import (
	"bytes"
	"crypto/des"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"reversald/iso"
	"reversald/iso/acquirer"
)

// tmk is the key that the terminals of these tests were given by hand.
var tmk = []byte("0123456789abcdef")

// till is a terminal that does what the daemon does, with nothing but a profile: it pays, and when
// it does not know the outcome it reverses until the host has answered.
type till struct {
	*bench
	p      *iso.Profile
	conn   net.Conn
	frames *iso.FrameReader
	key    []byte // of the last sign-on
	stan   int
	batch  string
	vault  *acquirer.Vault
	signed int      // sign-ons
	sent   []string // reversals: type, trace number, reason
}

// patience is for a bank that hangs; a bank that only says nothing is found out by an echo.
const patience = 30 * time.Second

func newTill(b *bench) *till {
	c := &till{bench: b, p: b.profile, stan: 122, batch: "000001"}
	c.connect()
	return c
}

func (c *till) connect() {
	c.t.Helper()
	if c.conn != nil {
		_ = c.conn.Close()
	}
	conn, err := net.Dial("tcp", c.Address())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	c.conn, c.frames = conn, c.p.NewFrameReader(conn)
}

func (c *till) next() string {
	next, stan, _ := iso.NextSTAN(c.stan, func(string) bool { return false })
	c.stan = next
	return stan
}

func (c *till) values() iso.Values {
	return iso.Values{
		STAN: c.next(), Terminal: "T0000001", Merchant: "MERCHANT0000001", Batch: c.batch, Time: noon,
	}
}

// write puts the code in and sends.
func (c *till) write(body []byte, class iso.Class) {
	c.t.Helper()
	if m := c.p.MAC(); m.Sends(class) {
		code := make([]byte, 8) // before any sign-on
		if c.key != nil {
			code = c.code(body)
		}
		var err error
		if body, err = m.Place(body, code); err != nil {
			c.t.Fatal(err)
		}
	}
	frame, err := c.p.AppendFrame(nil, body)
	if err != nil {
		c.t.Fatal(err)
	}
	_, _ = c.conn.Write(frame) // an error shows in reading
}

func (c *till) code(body []byte) []byte {
	c.t.Helper()
	data, err := c.p.MAC().Cover(body)
	if err != nil {
		c.t.Fatal(err)
	}
	code, err := acquirer.MakeMAC(c.p.MAC().Algorithm(), c.key, data)
	if err != nil {
		c.t.Fatal(err)
	}
	return code
}

// errMAC is an answer that is none: its code is wrong or missing.
var errMAC = errors.New("wrong code")

// echo asks something harmless: the bank serves a line in order, so once that is answered nothing
// will come for what was asked before. It stands for the timeout.
func (c *till) echo() iso.Glance {
	c.t.Helper()
	body, err := c.p.Echo().Message(c.values())
	if c.p.Echo().None() {
		body, err = c.p.Compose("0800", fields{11: c.next(), 41: "T0000001", 70: "301"})
	}
	if err != nil {
		c.t.Fatal(err)
	}
	g, err := c.p.Glance(body)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(body, g.Class)
	return g
}

// answer waits for the answer to a question, passing over what is not it.
func (c *till) answer(question iso.Glance) (iso.Glance, []byte, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	echo := c.echo()
	for {
		body, err := c.frames.Next()
		if err != nil {
			c.connect()
			return iso.Glance{}, nil, err
		}
		g, err := c.p.Glance(body)
		if err == nil && g.Key == echo.Key && g.Class.Answers(echo.Class) {
			return iso.Glance{}, nil, os.ErrDeadlineExceeded
		}
		if err != nil || g.Key != question.Key || !g.Class.Answers(question.Class) {
			continue
		}
		m := c.p.MAC()
		code, has := m.Of(body)
		switch {
		case c.p.WantsSignOn(body): // believed whoever says it: it costs a sign-on
			return g, body, nil
		case has && c.key != nil && !bytes.Equal(code, c.code(body)), !has && m.Needs(g):
			return g, body, errMAC
		}
		return g, body, nil
	}
}

// signOn signs on and takes the keys out of the answer.
func (c *till) signOn() {
	c.t.Helper()
	s := c.p.SignOn()
	for i := range s.Messages() {
		body, err := s.Message(i, c.values())
		if err != nil {
			c.t.Fatal(err)
		}
		question, err := c.p.Glance(body)
		if err != nil {
			c.t.Fatal(err)
		}
		c.write(body, question.Class)
		g, answer, err := c.answer(question)
		if err != nil || !s.Accepted(g) {
			c.t.Fatalf("sign-on: %v %+v\n%s", err, g, c.log)
		}
		learned, err := s.Learn(answer)
		if err != nil {
			c.t.Fatal(err)
		}
		if learned.Keys != nil {
			c.key = unwrap(c.t, learned.Keys)
		}
		if learned.Batch != "" {
			c.batch = learned.Batch
		}
	}
	c.signed++
}

// unwrap takes the code key out of 40 bytes: PIN key 16, check value 4, code key 16, check value 4.
func unwrap(t *testing.T, blob []byte) []byte {
	t.Helper()
	if len(blob) != 40 {
		t.Fatalf("%d bytes of keys", len(blob))
	}
	cipher := func(key []byte) interface {
		Encrypt(dst, src []byte)
		Decrypt(dst, src []byte)
	} {
		block, err := des.NewTripleDESCipher(append(bytes.Clone(key), key[:8]...))
		if err != nil {
			t.Fatal(err)
		}
		return block
	}
	key, check := make([]byte, 16), make([]byte, 8)
	cipher(tmk).Decrypt(key, blob[20:28])
	cipher(tmk).Decrypt(key[8:], blob[28:36])
	cipher(key).Encrypt(check, check)
	if !bytes.Equal(check[:4], blob[36:]) {
		t.Fatal("check value")
	}
	return key
}

// sale is a sale in the till's dialect.
func (c *till) sale() []byte {
	c.t.Helper()
	f := saleFields(fields{7: "", 11: c.next(), 22: "051", 23: "001", 35: pans[0] + "=30122010000012345", 52: "0123456789ABCDEF"})
	mti := "0200"
	switch c.p.Name() {
	case "unionpay":
		delete(f, 12)
		delete(f, 13)
		f[60], f[64] = "22"+c.batch+"000500", "0000000000000000"
	case "as2805":
		f[7], f[32], f[64] = "0422120000", "10000000987", "0000000000000000"
	case "iso93":
		mti, f[12], f[22], f[32] = "1200", "260422120000", "510101510140", "123456"
		delete(f, 13)
		delete(f, 25)
	default:
		f[7] = "0422120000"
	}
	body, err := c.p.Compose(mti, f)
	if err != nil {
		c.t.Fatal(err)
	}
	return body
}

// ending is how a payment ended for the till.
type ending string

const (
	paid     ending = "paid"
	refused  ending = "refused"
	reversed ending = "reversed"
	stuck    ending = "stuck"
)

// pay makes one payment; between is called when its outcome is not known, before the reversal.
func (c *till) pay(between func()) (ending, iso.Original) {
	c.t.Helper()
	body := c.sale()
	question, err := c.p.Glance(body)
	if err != nil {
		c.t.Fatal(err)
	}
	original, err := c.p.Original(body)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(body, question.Class)
	g, answer, err := c.answer(question)
	reason := iso.ReasonTimeout
	var kept *iso.Kept
	switch {
	case errors.Is(err, errMAC):
		reason = iso.ReasonMACWrong
	case errors.Is(err, os.ErrDeadlineExceeded):
	case err != nil:
		reason = iso.ReasonLinkLost
	default:
		switch c.p.Outcome(g.Code) {
		case iso.OutcomeApproved:
			if c.p.WantsSignOn(answer) {
				c.signOn()
			}
			return paid, original
		case iso.OutcomeDeclined:
			return refused, original
		case iso.OutcomeAmbiguous:
			reason = iso.ReasonAmbiguous
		case iso.OutcomeProvisional:
		}
	}
	if between != nil {
		between()
	}
	return c.reverse(original, kept, reason, question), original
}

// reverse sends until the host says what became of it; twelve times are plenty here.
func (c *till) reverse(o iso.Original, k *iso.Kept, reason iso.Reason, payment iso.Glance) ending {
	c.t.Helper()
	for n := 1; n <= 12; n++ {
		a := iso.Attempt{N: n, Reason: reason}
		if c.p.StanPolicy().For(n) == iso.StanNew {
			a.STAN = c.next()
		}
		body, err := c.p.Reversal(o, k, a)
		if err != nil {
			c.t.Fatal(err)
		}
		question, err := c.p.Glance(body)
		if err != nil || question.OriginalKey != payment.Key {
			c.t.Fatalf("reversal leads to %q, %v", question.OriginalKey, err)
		}
		m, _ := c.p.Decode(body)
		c.sent = append(c.sent, strings.TrimSpace(m.MTI+" "+m.Fields[11]+" "+m.Fields[39]+m.Fields[25]))
		c.write(body, question.Class)
		g, _, err := c.answer(question)
		if err != nil {
			continue
		}
		switch c.p.Verdict(g.Code) {
		case iso.VerdictDone:
			return reversed
		case iso.VerdictStuck:
			return stuck
		case iso.VerdictSignOn:
			c.signOn()
		case iso.VerdictRetry:
		}
	}
	c.t.Fatalf("no answer to twelve reversals\n%s", c.log)
	return stuck
}
