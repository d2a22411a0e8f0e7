package acquirer_test

import (
	"context"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"reversald/iso/acquirer"
)

func TestControlSocket(t *testing.T) {
	b := open(t, "")
	ctx := context.Background()
	ask := func(c acquirer.Command) acquirer.Result {
		t.Helper()
		r, err := acquirer.Control(ctx, b.control, c)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if got := ask(acquirer.Command{Do: "behave", Spec: "0200:decline=51 x1"}).Manners; got != "0200:decline=51 x1" {
		t.Errorf("manners %q", got)
	}
	c := b.dial()
	c.trade("0200", saleFields(), "0210", "51")
	ask(acquirer.Command{Do: "forget"})
	c.trade("0200", saleFields(fields{11: "000124"}), "0210", "00")
	filter := acquirer.Filter{Terminal: "T0000001", State: acquirer.StateDebited}
	if got := ask(acquirer.Command{Do: "books", Filter: filter}).Books; len(got.Entries) != 1 ||
		got.Entries[0].STAN != "000124" || got.Totals.Declined != 1 || got.Balances["156"].Debited != 1234 {
		t.Errorf("books %+v", got)
	}
	if got := ask(acquirer.Command{Do: "stats"}).Stats; got.Received["0200"] != 2 || got.Address != b.Address() {
		t.Errorf("stats %+v", got)
	}
	ask(acquirer.Command{Do: "away"})
	ask(acquirer.Command{Do: "back"})
	b.dial().quiet()
	for _, bad := range []acquirer.Command{{Do: "dance"}, {Do: "behave", Spec: "0200:sillent"}} {
		if r, err := acquirer.Control(ctx, b.control, bad); err == nil {
			t.Errorf("%v was obeyed: %+v", bad, r)
		}
	}
	if info, err := os.Stat(b.control); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket %v, %v", info.Mode(), err)
	}
	if _, err := acquirer.New(ctx, acquirer.Options{Profile: b.profile, Control: b.control}); err == nil ||
		!strings.Contains(err.Error(), "another acquirer") {
		t.Errorf("a second one at the same socket: %v", err)
	}
}

// TestNothingLeaks: none of the test cards is in the books, the key, the log or on the control
// socket, whatever went wrong with their messages.
func TestNothingLeaks(t *testing.T) {
	b := open(t, "#4:garbage; #5:decline=51; #6:cut-after")
	stan := 0
	for _, pan := range pans {
		for _, f := range []fields{
			{2: pan},
			{2: "", 14: "", 35: pan + "=30122010000012345"},
			{2: "", 14: "", 45: "B" + pan + "^DOE/JANE^30122010000012345678"},
			{2: pan, 41: ""},
			{2: pan, 48: pan, 62: pan, 63: pan},
		} {
			stan++
			f[11] = strconv.Itoa(stan)
			for _, mti := range []string{"0200", "0400", "0220", "0800"} {
				c := b.dial()
				c.send(mti, saleFields(f))
				if mti == "0200" { // and the same, torn
					frame := b.frame(mti, saleFields(f))
					frame[1] -= 9
					_, _ = c.conn.Write(frame)
				}
				_ = c.conn.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, c.conn)
			}
		}
	}
	var seen strings.Builder
	for _, command := range []string{"books", "stats", "behave"} {
		c, err := net.Dial("unix", b.control)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(`{"do":"` + command + `","spec":"0200:nope` + "\"}\n"))
		_ = c.(*net.UnixConn).CloseWrite()
		_, _ = io.Copy(&seen, c)
	}
	got, err := b.Ledger().Books(acquirer.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = got.WriteTo(&seen)
	_, _ = b.Stats().WriteTo(&seen)
	seen.WriteString(b.log.String())
	for _, path := range []string{b.books, b.books + ".key"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(text)
	}
	if !strings.Contains(seen.String(), "411111******1111") {
		t.Error("not even the mask is there: this test looks at nothing")
	}
	for _, pan := range pans {
		if strings.Contains(seen.String(), pan) || strings.Contains(seen.String(), pan[6:]) {
			t.Errorf("card %s…%s is in the clear", pan[:6], pan[12:])
		}
	}
}
