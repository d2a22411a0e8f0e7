package faultsim

import (
	"fmt"
	"slices"
	"strconv"

	moov "github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/prefix"
)

// plain is what others do, for comparison, as fairly as we can: a client on moov-io/iso8583 that
// speaks the same ISO 8583:1987 to the same bank over the same line.
//
// [Plain] has no journal. It matches answers by message type and trace number, and when the bank
// does not answer in time, or the line is lost, it sends a reversal, up to three times one timeout
// apart, for as long as the process lives.
//
// [NextSale] does what common terminals do: the sale is on file, synced, before its request leaves,
// and the record is deleted when the answer has come; one that is left is reversed before the next
// sale of its terminal, three times back to back, and is then deleted whatever came of it.
type plain struct {
	w        *world
	nextSale bool
	spec     *moov.MessageSpec
	lineIsUp bool
	under    []*plainSale
	file     []*plainSale // NextSale: what is on disk; synced at every change
}

// plainSale is one sale as such a client knows it.
type plainSale struct {
	m         Message
	reversing bool
	tries     int
	due       instant
	next      *Message // NextSale: the sale that waits for this one's reversal
}

// triesMax is how often such clients send a reversal.
const triesMax = 3

func newPlain(w *world, nextSale bool) *plain {
	number := func(n int) field.Field {
		return field.NewString(&field.Spec{
			Length: n, Enc: encoding.ASCII, Pref: prefix.ASCII.Fixed,
		})
	}
	return &plain{w: w, nextSale: nextSale, spec: &moov.MessageSpec{Fields: map[int]field.Field{
		0: number(4), 1: field.NewBitmap(&field.Spec{
			Length: 8, Enc: encoding.BytesToASCIIHex, Pref: prefix.Hex.Fixed,
		}),
		4: number(12), 11: number(6), 39: number(2), 41: number(8),
	}}}
}

// mtis are the message types of the comparison.
var mtis = map[Kind]string{
	Sale: "0200", SaleAnswer: "0210", Reversal: "0400", ReversalAnswer: "0410", Settle: "0500",
	SettleAnswer: "0510", EchoAnswer: "0830",
}

// pack is a message in bytes.
func (c *plain) pack(m *Message) ([]byte, error) {
	msg := moov.NewMessage(c.spec)
	msg.MTI(mtis[m.Kind])
	for n, v := range map[int]string{
		4: fmt.Sprintf("%012d", m.Sale), 11: fmt.Sprintf("%06d", m.STAN), 39: m.Code,
		41: terminalName(m.Till),
	} {
		if v == "" {
			continue
		}
		if err := msg.Field(n, v); err != nil {
			return nil, err
		}
	}
	return msg.Pack()
}

// unpack is bytes as a message.
func (c *plain) unpack(body []byte) (*Message, error) {
	msg := moov.NewMessage(c.spec)
	if err := msg.Unpack(body); err != nil {
		return nil, err
	}
	mti, err := msg.GetMTI()
	if err != nil {
		return nil, err
	}
	m := &Message{}
	for kind, name := range mtis {
		if name == mti {
			m.Kind = kind
		}
	}
	number := func(n int) uint32 {
		text, _ := msg.GetString(n)
		v, _ := strconv.Atoi(text)
		return uint32(v)
	}
	m.Sale, m.STAN = number(4), number(11)
	m.Code, _ = msg.GetString(39)
	terminal, _ := msg.GetString(41)
	till, _ := strconv.Atoi(terminal[min(4, len(terminal)):])
	m.Till = uint8(till - 1)
	return m, nil
}

// send packs a message and hands it to the line.
func (c *plain) send(m *Message) error {
	body, err := c.pack(m)
	if err != nil {
		return err
	}
	wire, err := c.unpack(body)
	if err != nil {
		return err
	}
	return c.w.send(wire)
}

func (c *plain) start() error {
	c.under, c.lineIsUp = nil, false
	if c.nextSale {
		for _, s := range c.file { // what was on its way is found on the disk
			s.reversing, s.tries, s.next = true, 0, nil
		}
	}
	return nil
}

func (c *plain) crash(d death) {
	if d.cause == WriteFailed && len(c.file) > 0 { // the record of the newest did not land
		c.file = c.file[:len(c.file)-1]
	}
}

func (*plain) close()                      {}
func (*plain) suffers(Fault)               {}
func (*plain) told(uint64, bool)           {}
func (*plain) confirm(uint32)              {}
func (*plain) stalled() (from, to instant) { return 0, 0 }
func (*plain) look(uint32) standing        { return notDone }
func (*plain) replay(uint32)               {}
func (*plain) resolve(uint32)              {}
func (*plain) open() []opened              { return nil }
func (c *plain) lineUp()                   { c.lineIsUp = true }

// store is a synced write: before it the record is not there, after it it is.
func (c *plain) store(change func()) {
	if !c.nextSale {
		return
	}
	c.w.step()
	if f, strikes := c.w.writes(); strikes {
		if f != WriteFailed {
			change()
		}
		panic(death{cause: f, mid: true})
	}
	change()
	c.w.step()
}

func (c *plain) ask(_ uint8, m *Message) {
	switch {
	case m.Kind == Sale && c.nextSale && c.owed(m.Till) != nil:
		c.reverseFirst(c.owed(m.Till), m)
	case m.Kind == Sale:
		c.sell(m)
	default:
		if c.send(m) != nil {
			c.answerLocally(m, "91")
		}
	}
}

// owed is a record on file of which nobody knows what became.
func (c *plain) owed(till uint8) *plainSale {
	for _, s := range c.file {
		if s.m.Till == till && s.reversing {
			return s
		}
	}
	return nil
}

func (c *plain) sell(m *Message) {
	if !c.lineIsUp {
		c.answerLocally(m, "91")
		return
	}
	s := &plainSale{m: *m, due: c.w.now + hostTimeout}
	c.store(func() { c.file = append(c.file, s) })
	c.under = append(c.under, s)
	if c.send(m) != nil {
		c.forget(s)
		c.answerLocally(m, "91")
	}
}

func (c *plain) answerLocally(q *Message, code string) {
	answer := *q
	answer.Kind, answer.Code = q.Kind.answer(), code
	c.w.tell(q.Till, 0, &answer)
}

// forget deletes a sale, from the disk too.
func (c *plain) forget(s *plainSale) {
	same := func(o *plainSale) bool { return o == s }
	c.under = slices.DeleteFunc(c.under, same)
	if slices.ContainsFunc(c.file, same) {
		c.store(func() { c.file = slices.DeleteFunc(c.file, same) })
	}
}

// reverseFirst sends what is owed before a new sale.
func (c *plain) reverseFirst(s *plainSale, next *Message) {
	s.next, s.tries = next, 0
	if !slices.Contains(c.under, s) {
		c.under = append(c.under, s)
	}
	c.reverse(s)
}

// reverse sends a reversal, or gives up for good.
func (c *plain) reverse(s *plainSale) {
	if s.tries >= triesMax {
		next := s.next
		c.forget(s)
		if next != nil {
			c.ask(next.Till, next)
		}
		return
	}
	s.reversing, s.due = true, c.w.now+hostTimeout
	s.tries++
	m := s.m
	m.Kind, m.Repeat = Reversal, false
	_ = c.send(&m) // an error is one of its tries, as in the field
}

// doubt: the answer will not come.
func (c *plain) doubt(s *plainSale) {
	c.answerLocally(&s.m, "68")
	s.reversing = true
	if c.nextSale {
		c.under = slices.DeleteFunc(c.under, func(o *plainSale) bool { return o == s })
		return // until the next sale
	}
	c.reverse(s)
}

func (c *plain) lineLost() {
	c.lineIsUp = false
	for _, s := range slices.Clone(c.under) {
		if !s.reversing {
			c.doubt(s)
		}
	}
}

func (c *plain) gone(till uint8) {
	for _, s := range c.under {
		if s.next != nil && s.next.Till == till {
			s.next = nil
		}
	}
}

func (c *plain) never(m *Message) {
	for _, s := range slices.Clone(c.under) {
		if s.m.Sale == m.Sale && m.Kind == Sale && !s.reversing {
			c.forget(s)
			c.answerLocally(&s.m, "91")
		}
	}
}

func (c *plain) arrived(m *Message) {
	if m.Garbled || m.Kind != SaleAnswer && m.Kind != ReversalAnswer {
		if m.Kind == SettleAnswer && !m.Garbled {
			c.w.tell(min(m.Till, uint8(len(c.w.tills)-1)), 0, m)
		}
		return
	}
	body, err := c.pack(m)
	if err != nil {
		return
	}
	if m, err = c.unpack(body); err != nil {
		return
	}
	for _, s := range slices.Clone(c.under) {
		if s.m.STAN != m.STAN || s.m.Till != m.Till {
			continue
		}
		switch {
		case m.Kind == SaleAnswer && !s.reversing && m.Code != "09":
			c.forget(s)
			if c.w.tell(m.Till, 0, m) == gone && approves(m.Code) {
				c.takeBack(s)
			}
			return
		case m.Kind == ReversalAnswer && s.reversing && verdictOf(m.Code) == verdictOf("00"):
			next := s.next
			c.forget(s)
			if next != nil {
				c.ask(next.Till, next)
			}
			return
		}
	}
	if m.Kind == ReversalAnswer { // of a reversal of the till's own
		c.w.tell(min(m.Till, uint8(len(c.w.tills)-1)), 0, m)
	}
}

// takeBack: the approval can not be handed over, so it is doubted as if none had come.
func (c *plain) takeBack(s *plainSale) {
	s.reversing = true
	c.store(func() { c.file = append(c.file, s) })
	if !c.nextSale {
		c.under = append(c.under, s)
		c.reverse(s)
	}
}

func (c *plain) tick() {
	for _, s := range slices.Clone(c.under) {
		switch {
		case s.due > c.w.now:
		case s.reversing:
			c.reverse(s)
		default:
			c.doubt(s)
		}
	}
}

func (c *plain) wake() (instant, bool) {
	next := instant(1<<63 - 1)
	for _, s := range c.under {
		next = min(next, s.due)
	}
	return next, len(c.under) > 0
}
