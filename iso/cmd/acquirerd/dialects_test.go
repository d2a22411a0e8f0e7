package main

import (
	"os"
	"testing"

	"reversald/iso"
)

// TestDialects: a till and a bank of every dialect, with keys where there are codes.
func TestDialects(t *testing.T) {
	const tmk = "30313233343536373839616263646566"
	for _, name := range iso.BuiltinNames() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			bank := serveIn(t, dir, "--listen", "127.0.0.1:0", "--profile", name, "--tmk", tmk)
			sell := func(wantExit int, args ...string) outcome {
				t.Helper()
				out, _ := do(t, dir, wantExit, append([]string{
					"sell", "--json", "--to", bank.address, "--profile", name, "--timeout", "10s",
				}, args...)...)
				return sold(t, out)
			}
			p, err := iso.Builtin(name)
			if err != nil {
				t.Fatal(err)
			}
			if !p.MAC().None() {
				if no := sell(exitDeclined, "--stan", "7"); no.Code != "A0" {
					t.Errorf("without a code: %+v", no)
				}
			}
			one := sell(exitOK, "--stan", "123", "--tmk", tmk, "--track")
			if one.Outcome != approved || one.MTI[1:] != "210" || one.RRN == "" {
				t.Errorf("sold %+v", one)
			}
			back := sell(exitOK, "--reverse", "--stan", "123", "--tmk", tmk)
			if back.MTI != p.AnswerMTI(p.ReversalMTI(1)) {
				t.Errorf("reversed %+v", back)
			}
			if got := booksOf(t, dir, "--stan", "000123").Entries; len(got) != 1 || got[0].State != "reversed" {
				t.Errorf("books %+v", got)
			}
			if code := bank.end(os.Interrupt); code != 0 {
				t.Errorf("exit %d", code)
			}
		})
	}
	dir := t.TempDir()
	do(t, dir, exitUsage, "serve", "--tmk", "12")
	do(t, dir, exitUsage, "sell", "--tmk", "zz")
}
