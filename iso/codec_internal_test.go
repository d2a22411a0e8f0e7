package iso

import "testing"

// The codec's message outlives the payment it was used for, and keeps nothing of it.
func TestSpareMessageIsEmpty(t *testing.T) {
	p, err := Builtin("iso87-bcd")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time with the message of the first
		body, err := p.Compose("0200", map[int]string{
			2: "4111111111111111", 11: "123", 35: "4111111111111111=2912", 52: "0123456789ABCDEF",
		})
		if err != nil {
			t.Fatal(err)
		}
		spareIsEmpty(t, p)
		m, err := p.Decode(body)
		if err != nil || len(m.Fields) != 4 {
			t.Fatalf("%v, %v", m, err)
		}
		spareIsEmpty(t, p)
		body, err = p.Compose("0810", map[int]string{39: "00"})
		if want := "\x08\x10\x00\x00\x00\x00\x02\x00\x00\x0000"; err != nil || string(body[5:]) != want {
			t.Fatalf("what an earlier message had is in this one: %X", body)
		}
	}
}

func spareIsEmpty(t *testing.T, p *Profile) {
	t.Helper()
	msg := p.codec.spare.Load()
	if msg == nil {
		t.Fatal("no message was kept")
	}
	for n := 2; n <= fieldMax; n++ {
		if p.elements[n].kind == 0 {
			continue
		}
		if v, err := msg.GetString(n); err != nil || v != "" {
			t.Errorf("field %d holds %d characters", n, len(v))
		}
	}
}
