package acquirer_test

import (
	"context"
	"encoding/hex"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"reversald/iso/acquirer"
)

func TestAnswersOfABankThatBehaves(t *testing.T) {
	c := open(t, "").dial()
	sale := c.trade("0200", saleFields(), "0210", "00")
	for f, want := range map[int]string{
		3: "000000", 4: "000000001234", 7: "0422120000", 11: "000123", 12: "120000", 13: "0422",
		25: "00", 41: "T0000001", 42: "MERCHANT0000001", 49: "156", 37: "260422000001", 38: "112648",
		2: "", 14: "", 22: "",
	} {
		if got := sale.Fields[f]; got != want {
			t.Errorf("DE %d is %q, want %q", f, got, want)
		}
	}
	c.expect("000123", acquirer.StateDebited)
	again := c.trade("0200", saleFields(), "0210", "00")
	if again.Fields[37] != sale.Fields[37] || again.Fields[38] != sale.Fields[38] {
		t.Error("the double has other references")
	}
	c.trade("0400", saleFields(), "0410", "00")
	c.expect("000123", acquirer.StateReversed)
	c.trade("0401", saleFields(), "0410", "00")
	c.trade("0421", saleFields(), "0430", "00")
	e := c.entry("000123")
	if e.Reversals != 3 || e.MTIs["0400"] != 1 || e.MTIs["0401"] != 1 || e.MTIs["0421"] != 1 ||
		e.Requests != 2 || e.ReversedAt == nil {
		t.Errorf("entry %+v", e)
	}
	c.trade("0100", saleFields(fields{11: "000124"}), "0110", "00")
	c.trade("0420", saleFields(fields{11: "000777"}), "0430", "25")
	c.trade("0200", saleFields(fields{11: "000777"}), "0210", "12")
	c.expect("000777", acquirer.StateDeclined)
	c.trade("0200", saleFields(fields{11: "000124", 4: "99"}), "0210", "94")
	echo := fields{7: "0422120000", 11: "000999", 41: "T0000001", 70: "301"}
	if m := c.trade("0800", echo, "0810", "00"); m.Fields[70] != "301" {
		t.Error("the echo has no DE 70")
	}
	c.trade("0500", fields{11: "000998", 41: "T0000001"}, "0510", "00")
	c.trade("0220", saleFields(fields{11: "000997"}), "0230", "12")
	c.trade("0200", saleFields(fields{41: ""}), "0210", "30")
	c.trade("0200", saleFields(fields{4: "", 11: "000996"}), "0210", "30")
	if got := c.Stats(); got.Received["0200"] != 6 || got.Answered["00"] != 8 ||
		got.Connections.Accepted != 1 || got.Connections.Open != 1 {
		t.Errorf("stats %+v", got)
	}
}

func TestCardsAreFoundInTracks(t *testing.T) {
	c := open(t, "").dial()
	c.trade("0200", saleFields(), "0210", "00")
	c.trade("0200", saleFields(fields{2: "", 14: "", 35: pans[0] + "=30122010000012345"}), "0210", "00")
	if e := c.entry("000123"); e.Requests != 2 || e.Card != "411111******1111" {
		t.Errorf("the swiped card is another one: %+v", e)
	}
	c.trade("0200", saleFields(fields{2: "", 14: "", 35: pans[1] + "=30122010000012345"}), "0210", "94")
}

// TestEveryDialect: the same sale in every dialect that ships, and the header swapped.
func TestEveryDialect(t *testing.T) {
	for _, name := range builtins(t) {
		t.Run(name, func(t *testing.T) {
			b := openIn(t, t.TempDir(), name, "")
			c := b.dial()
			sale, answer, back, undone, ok, undoneOK := "0200", "0210", "0400", "0410", "00", "00"
			f := saleFields()
			if strings.Contains(name, "93") {
				sale, answer, back, undone, ok, undoneOK = "1200", "1210", "1420", "1430", "000", "400"
				f = saleFields(fields{12: "260422120000", 13: "", 22: "", 25: ""})
			}
			if b.profile.AnswerMTI(back) == "" {
				back, undone = "0420", "0430"
			}
			for n := range f {
				if b.profile.FieldName(n) == "" {
					delete(f, n)
				}
			}
			c.trade(sale, f, answer, ok)
			c.expect("000123", acquirer.StateDebited)
			c.trade(back, f, undone, undoneOK)
			c.expect("000123", acquirer.StateReversed)
		})
	}
}

func TestHeaderIsSwapped(t *testing.T) {
	c := openIn(t, t.TempDir(), "iso87-bcd", "").dial()
	body, err := c.profile.ComposeWith([]byte{0x60, 0x12, 0x34, 0x56, 0x78}, "0200", saleFields())
	if err != nil {
		t.Fatal(err)
	}
	frame, err := c.profile.AppendFrame(nil, body)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(c.receive().Header); got != "6056781234" {
		t.Errorf("header %s", got)
	}
}

func TestMannersOnTheLine(t *testing.T) {
	answerLen := func(b *bench) int { // of the approval as a frame
		c := b.dial()
		c.send("0200", saleFields(fields{11: "000001"}))
		body, err := c.frames.Next()
		if err != nil {
			t.Fatal(err)
		}
		frame, _ := b.profile.AppendFrame(nil, body)
		return len(frame)
	}
	const none = acquirer.State("")
	for _, test := range []struct {
		spec string
		then func(c *terminal, n int) // n is the length of a whole answer
		want acquirer.State
	}{
		{"silent", func(c *terminal, _ int) { c.quiet() }, acquirer.StateDebited},
		{"unbooked-silent", func(c *terminal, _ int) { c.quiet() }, none},
		{"cut-before", func(c *terminal, _ int) { c.gone(0) }, none},
		{"cut-booked", func(c *terminal, _ int) { c.gone(0) }, acquirer.StateDebited},
		{"cut-middle", func(c *terminal, n int) { c.gone(n / 2) }, acquirer.StateDebited},
		{"cut-after", func(c *terminal, n int) { c.gone(n) }, acquirer.StateDebited},
		{"decline=51", func(c *terminal, _ int) {
			if m := c.receive(); m.Fields[39] != "51" || m.Fields[37] != "" || m.Fields[38] != "" {
				c.t.Errorf("declined with %v", m.Fields)
			}
		}, acquirer.StateDeclined},
		{"code=68", func(c *terminal, _ int) {
			if m := c.receive(); m.Fields[39] != "68" {
				c.t.Errorf("answered %s", m.Fields[39])
			}
		}, acquirer.StateDebited},
		{"twice", func(c *terminal, _ int) {
			if one, two := c.receive(), c.receive(); one.Fields[37] != two.Fields[37] {
				c.t.Error("the two answers differ")
			}
			c.quiet()
		}, acquirer.StateDebited},
		{"wrong-stan", func(c *terminal, _ int) {
			if m := c.receive(); m.Fields[11] != "000124" || m.Fields[39] != "00" {
				c.t.Errorf("STAN %s", m.Fields[11])
			}
		}, acquirer.StateDebited},
		{"wrong-tid", func(c *terminal, _ int) {
			if m := c.receive(); m.Fields[41] != "Z0000001" {
				c.t.Errorf("terminal %s", m.Fields[41])
			}
		}, acquirer.StateDebited},
		{"wrong-mti", func(c *terminal, _ int) {
			if m := c.receive(); m.MTI != "0410" || m.Fields[11] != "000123" {
				c.t.Errorf("MTI %s", m.MTI)
			}
		}, acquirer.StateDebited},
		{"garbage", func(c *terminal, n int) {
			body, err := c.frames.Next()
			if err != nil || len(body) != n-2 {
				c.t.Fatalf("%d bytes, %v", len(body), err)
			}
			if _, err := c.profile.Decode(body); err == nil {
				c.t.Error("noise was readable")
			}
			c.quiet()
		}, acquirer.StateDebited},
		{"half-frame", func(c *terminal, n int) {
			half := make([]byte, n/2)
			if _, err := c.conn.Read(half); err != nil {
				c.t.Fatal(err)
			}
			_ = c.conn.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
			if _, err := c.conn.Read(half); !os.IsTimeout(err) {
				c.t.Errorf("after half a frame: %v", err)
			}
		}, acquirer.StateDebited},
		{"split=1ms", func(c *terminal, n int) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range 2 * n {
					c.clock.move(time.Millisecond)
					time.Sleep(50 * time.Microsecond)
				}
			}()
			if m := c.receive(); m.Fields[39] != "00" {
				c.t.Errorf("answered %s", m.Fields[39])
			}
			<-done
			c.until("the last byte was waited for", func() bool { c.clock.move(1e9); return true })
		}, acquirer.StateDebited},
		{"late=3s", func(c *terminal, _ int) {
			c.quiet() // the next message is served meanwhile
			c.until("the answer waits", func() bool { return c.clock.asked() == 1 })
			c.clock.move(2999 * time.Millisecond)
			c.quiet()
			c.clock.move(time.Millisecond)
			if m := c.receive(); m.Fields[11] != "000123" || m.Fields[39] != "00" {
				c.t.Errorf("late answer %v", m.Fields)
			}
		}, acquirer.StateDebited},
	} {
		t.Run(test.spec, func(t *testing.T) {
			b := open(t, "stan=123:"+test.spec+" x1")
			n := answerLen(b)
			c := b.dial()
			c.t = t
			c.send("0200", saleFields())
			test.then(c, n)
			if test.want != none {
				c.expect("000123", test.want)
			} else if got, _ := b.Ledger().Books(acquirer.Filter{STAN: "000123"}); len(got.Entries) > 0 {
				t.Errorf("booked: %+v", got.Entries)
			}
			// Whatever happened, a reversal on a new line brings the money home.
			d := b.dial()
			code := "00"
			if test.want == none {
				code = "25"
			}
			d.trade("0400", saleFields(), "0410", code)
			if got, _ := b.Ledger().Books(acquirer.Filter{}); got.Balances["156"].Debited != 1234 {
				t.Errorf("debited %+v", got.Balances) // the sale that measured the answer
			}
		})
	}
}

func TestRefusesReversals(t *testing.T) {
	c := open(t, "0400#1:code=96; 0400#2:decline=A0").dial()
	c.trade("0200", saleFields(), "0210", "00")
	c.trade("0400", saleFields(), "0410", "96")
	c.expect("000123", acquirer.StateDebited)
	c.trade("0400", saleFields(), "0410", "A0")
	c.expect("000123", acquirer.StateDebited)
	c.trade("0401", saleFields(), "0410", "00")
	c.expect("000123", acquirer.StateReversed)
}

// TestAwayAndBack: the host is down, the port is the same afterwards, the books were open all along.
func TestAwayAndBack(t *testing.T) {
	b := open(t, "0200,stan=000124:refuse=10s")
	c := b.dial()
	c.trade("0200", saleFields(), "0210", "00")
	b.Away()
	c.gone(0)
	if _, err := net.Dial("tcp", b.Address()); err == nil {
		t.Error("somebody listens")
	}
	if !b.Stats().Away {
		t.Error("the stats do not say so")
	}
	if err := b.Back(context.Background()); err != nil {
		t.Fatal(err)
	}
	c = b.dial()
	c.trade("0400", saleFields(), "0410", "00")
	c.send("0200", saleFields(fields{11: "000124"}))
	c.gone(0)
	b.until("it is away", func() bool { return b.Stats().Away })
	b.until("it is back", func() bool { b.clock.move(time.Second); return !b.Stats().Away })
	b.dial().trade("0400", saleFields(fields{11: "000124"}), "0410", "25")
}

func TestRestartKeepsTheBooks(t *testing.T) {
	dir := t.TempDir()
	b := openIn(t, dir, "iso87-ascii", "silent")
	c := b.dial()
	c.send("0200", saleFields())
	b.until("it is booked", func() bool { return b.Stats().Received["0200"] == 1 })
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	b = openIn(t, dir, "iso87-ascii", "")
	b.expect("000123", acquirer.StateDebited)
	c = b.dial()
	c.trade("0200", saleFields(), "0210", "00")
	c.trade("0400", saleFields(), "0410", "00")
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	b = openIn(t, dir, "iso87-ascii", "")
	if e := b.entry("000123"); e.State != acquirer.StateReversed || e.Requests != 2 || e.Reversals != 1 {
		t.Errorf("after two restarts: %+v", e)
	}
}

// TestStopIsClean: late answers that wait, connections that idle and one inside a frame do not
// hold up the stop.
func TestStopIsClean(t *testing.T) {
	b := open(t, "0200:late=9m")
	b.dial()
	half := b.dial()
	if _, err := half.conn.Write([]byte{0, 100, 1}); err != nil {
		t.Fatal(err)
	}
	c := b.dial()
	_, _ = c.conn.Write(b.frame("0200", saleFields()))
	b.until("an answer waits", func() bool { return b.Stats().LateWaiting == 1 })
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	if got := b.Stats(); got.LateWaiting != 0 || got.Connections.Open != 0 || got.Undelivered != 1 {
		t.Errorf("after the stop: %+v", got)
	}
}

func TestTooManyConnections(t *testing.T) {
	b := open(t, "")
	for range 64 {
		b.dial()
	}
	b.until("all are in", func() bool { return b.Stats().Connections.Open == 64 })
	b.dial().gone(0)
	b.until("one is turned away", func() bool {
		got := b.Stats().Connections
		return got.TurnedAway == 1 && got.Open == 64 && got.Accepted == 64
	})
}

func TestBrokenFramingIsCut(t *testing.T) {
	b := open(t, "")
	c := b.dial()
	if _, err := c.conn.Write([]byte{0xff, 0xff, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	c.gone(0)
	c = b.dial()
	if _, err := c.conn.Write([]byte{0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o'}); err != nil {
		t.Fatal(err)
	}
	c.quiet()
	if got := b.Stats(); got.BadFrames != 1 || got.Keepalives != 1 || got.Received["????"] != 1 {
		t.Errorf("stats %+v", got)
	}
}
