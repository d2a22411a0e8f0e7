package main

import (
	"context"

	"reversald/agent"
	"reversald/agent/gbk"
	"reversald/agent/slip"
	"reversald/agent/spool"
	"reversald/hal"
)

// newSpool is the way to the slip printer, and gives it to the agent; nil where there is none.
func newSpool(c agent.PrinterConfig, parts *agent.Parts) *spool.Spool {
	if c.Device == "" {
		return nil
	}
	lang, _ := slip.ParseLang(c.Lang)
	var encode func([]byte) []byte
	if c.Encoding == "gbk" {
		encode = gbk.Encode
	}
	s := spool.New(
		func(ctx context.Context) (hal.Printer, error) { return hal.OpenPrinter(ctx, c.Device) },
		func(s slip.Slip) []byte { return s.ESCPOS(lang, c.Width, encode) }, parts.Log)
	parts.Slips, parts.Printing = s.Take, s.Printing
	return s
}
