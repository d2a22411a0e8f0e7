package hal

import (
	"net/netip"
	"testing"
)

// Rule: an address counts while its interface runs, and a line is lost with its own address only.
func TestAddressesComeAndGoWithTheirInterface(t *testing.T) {
	n := interfaces{}
	a, b := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fe80::1")
	if _, news := n.address(3, a, true); news {
		t.Error("an address on an interface that is down leads somewhere")
	}
	if c, news := n.link(3, "ppp0", true); !news || len(c.Back) != 1 || c.Interface != "ppp0" {
		t.Errorf("up: %+v %v", c, news)
	}
	if _, news := n.link(3, "ppp0", true); news {
		t.Error("up twice is news")
	}
	if c, news := n.address(3, b, true); !news || len(c.Back) != 1 {
		t.Errorf("another address: %+v %v", c, news)
	}
	c, news := n.unlink(3)
	if !news || len(c.Gone) != 2 {
		t.Errorf("gone: %+v %v", c, news)
	}
	for local, want := range map[string]bool{
		"10.0.0.2:4711": true, "10.0.0.3:4711": false, "[::ffff:10.0.0.2]:1": true,
		"[fe80::1%ppp0]:1": true, "/dev/ttyS0": false, "": false,
	} {
		if got := c.Loses(local); got != want {
			t.Errorf("a line from %q is lost: %v", local, got)
		}
	}
	for i := range 2 * addressesMax {
		n.address(4, netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), true)
	}
	if got := len(n.at(4).addrs); got != addressesMax {
		t.Errorf("%d addresses are kept, want %d", got, addressesMax)
	}
}
