package iso_test

import (
	"reversald/iso"
	"testing"
)

func TestSmoke(t *testing.T) {
	for _, n := range iso.BuiltinNames() {
		p, err := iso.Builtin(n)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Log(p.Name(), p.FrameMax())
	}
}
