package verbs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"reversald/agent"
	"reversald/agent/typeset"
	"reversald/iso"
)

func evidenceVerb() *Verb {
	return &Verb{
		Name: "evidence", Args: "ID", IDs: true,
		Short: "a bundle about one payment, for a dispute",
		Long: "" +
			"evidence gathers everything on file about one payment: its entries as they lie\n" +
			"in the journal with what ties them to it, its messages, masked, and a signature.\n" +
			"json is the bundle that verify proves; text and html are pages to print, which\n" +
			"carry its fingerprint. No card number is in any of them.",
		Flags: []Flag{
			{
				Name: "output", Letter: "o", Kind: Text, Default: "json",
				OneOf: []string{"json", "text", "html"},
				Doc:   "json, text or html",
			},
			{Name: "file", Kind: Text, Doc: "write it there, instead of printing it"},
		},
		Run: func(ctx context.Context, s *Session, in Input) error {
			id, err := in.oneID(s)
			if err != nil {
				return err
			}
			form := in.Text("output")
			switch form {
			case "json", "text", "html":
			default:
				return s.wrong("--output is json, text or html, not %q", form)
			}
			if s.Console && in.Text("file") != "" {
				return s.wrong("a file can not be written from here")
			}
			bundle, err := s.Client.Evidence(ctx, id, s.Who)
			if err != nil {
				return err
			}
			text, err := s.evidence(bundle, form)
			if err != nil {
				return err
			}
			if path := in.Text("file"); path != "" {
				return s.write(path, text)
			}
			_, err = s.Out.Write(text)
			return err
		},
	}
}

// write makes a file that only its owner reads, and never writes over one.
func (s *Session) write(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		s.tell(2, "%s written", path)
	}
	return err
}

// evidence is a bundle in one of its forms.
func (s *Session) evidence(b agent.Bundle, form string) ([]byte, error) {
	if form == "json" {
		text, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		return append(cleanJSON(text), '\n'), nil
	}
	var ev agent.Evidence
	if err := json.Unmarshal(b.Evidence, &ev); err != nil {
		return nil, fmt.Errorf("the agent's evidence can not be read: %w", err)
	}
	p := s.pageOf(ev, b)
	var out bytes.Buffer
	if form == "html" {
		p.html(&out, s.Lang)
	} else {
		p.text(&out, s.width())
	}
	return out.Bytes(), nil
}

// page is what is printed: sections of rows and blocks.
type page struct {
	title    string
	sections []section
}

type section struct {
	heading string
	rows    [][2]string // label and value
	block   []string    // lines that keep their blanks
}

func (s *Session) pageOf(ev agent.Evidence, b agent.Bundle) page {
	p := page{title: s.f("Evidence about payment %d", ev.ID)}
	p.sections = append(p.sections, s.whatItIs(ev), s.theStory(ev), s.theEntries(ev))
	for _, f := range ev.Frames {
		p.sections = append(p.sections, s.theFrame(f))
	}
	notes := [][2]string{}
	if ev.Left > 0 {
		notes = append(notes, [2]string{s.Tr("left out"), s.f("%d entries in the middle", ev.Left)})
	}
	for what, why := range ev.Notes {
		notes = append(notes, [2]string{Clean(what), Clean(why)})
	}
	if len(notes) > 0 {
		p.sections = append(p.sections, section{heading: s.Tr("Notes"), rows: notes})
	}
	p.sections = append(p.sections, section{heading: s.Tr("Proof"), rows: [][2]string{
		{s.Tr("fingerprint"), b.Fingerprint()},
		{s.Tr("public key"), Clean(b.PublicKey)},
		{s.Tr("signature"), Clean(b.Signature)},
		{s.Tr("check"), s.f("reversald verify BUNDLE proves the file this page was printed from, " +
			"and prints the same fingerprint. This page alone proves nothing.")},
	}})
	return p
}

func (s *Session) whatItIs(ev agent.Evidence) section {
	const layout = "2006-01-02 15:04:05 -0700"
	var l agent.Line // what was asked
	reference, state, at := "", "", ""
	for _, e := range ev.Entries {
		if e.Line.Kind == "asked" && l.Kind == "" {
			l, at = e.Line, s.clock(e.Line.Time, layout)
		}
		if e.Line.Kept != nil {
			reference = e.Line.Kept.RRN
		}
	}
	if ev.Payment != nil {
		state = s.phase(ev.Payment)
	}
	out := section{heading: s.Tr("Payment")}
	for _, row := range [...][2]string{
		{s.Tr("amount"), iso.Money(l.Amount, l.Currency)},
		{s.Tr("card"), l.Card},
		{s.Tr("terminal"), l.Terminal},
		{s.Tr("trace number"), l.STAN},
		{s.Tr("message type"), l.MTI},
		{s.Tr("host"), l.Host},
		{s.Tr("asked at"), at},
		{s.Tr("reference"), reference},
		{s.Tr("state"), state},
		{s.Tr("profile"), ev.Profile},
		{s.Tr("journal"), ev.Journal.ID},
		{s.Tr("software"), ev.Software},
		{s.Tr("made at"), s.clock(ev.Made, layout)},
		{s.Tr("made by"), ev.By},
	} {
		if row[1] != "" {
			out.rows = append(out.rows, [2]string{row[0], Clean(row[1])})
		}
	}
	return out
}

func (s *Session) theStory(ev agent.Evidence) section {
	out := section{heading: s.Tr("What happened")}
	for _, e := range ev.Entries {
		out.rows = append(out.rows, [2]string{
			s.clock(e.Line.Time, "01-02 15:04:05"), s.sentence(e.Line),
		})
	}
	return out
}

func (s *Session) theEntries(ev agent.Evidence) section {
	out := section{heading: s.Tr("Journal entries, and the links of their chain")}
	for _, e := range ev.Entries {
		out.block = append(out.block, fmt.Sprintf("%6d  %-17s  %.16s > %s", e.Line.Seq,
			Clean(e.Line.Kind), Clean(e.Before), Clean(e.Line.Chain)))
	}
	return out
}

func (s *Session) theFrame(f agent.Frame) section {
	what := s.Tr("reversal, built again from what is on file")
	if f.What == agent.FrameRequest {
		what = s.Tr("request, as far as its fields are on file")
	}
	out := section{heading: s.f("Entry %d: %s", f.Seq, what)}
	if f.Problem != "" {
		out.rows = append(out.rows, [2]string{s.Tr("problem"), Clean(f.Problem)})
		return out
	}
	for _, field := range f.Fields {
		out.block = append(out.block, Clean(fmt.Sprintf("%4d  %s: %s", field.Field, field.Name,
			field.Value)))
	}
	const perLine = 64
	for at := 0; at < len(f.Hex); at += perLine {
		out.block = append(out.block, "      "+Clean(f.Hex[at:min(at+perLine, len(f.Hex))]))
	}
	return out
}

// text writes the page for a printer that prints text.
func (p page) text(w io.Writer, width int) {
	const label = 16
	fmt.Fprintf(w, "%s\n", p.title)
	for _, sec := range p.sections {
		fmt.Fprintf(w, "\n%s\n", sec.heading)
		for _, row := range sec.rows {
			line := "  " + typeset.Pad(row[0], label-2) + " " + row[1]
			fmt.Fprintf(w, "%s\n", typeset.Wrap(line, width, label+1))
		}
		for _, line := range sec.block {
			fmt.Fprintf(w, "%s\n", typeset.Cut("  "+line, width))
		}
	}
}

// pageStyle is all that the page needs: it fetches nothing.
const pageStyle = "body{font:11pt/1.4 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}" +
	"h1{font-size:15pt}h2{font-size:12pt;border-bottom:1px solid}" +
	"td{vertical-align:top;padding:0 1em 0 0;overflow-wrap:anywhere}" +
	"td:first-child{white-space:nowrap}" +
	"pre{font-size:9pt;white-space:pre-wrap}@media print{body{margin:0}}"

// html writes the page for a browser: one file, nothing to fetch, no script.
func (p page) html(w io.Writer, lang Lang) {
	fmt.Fprintf(w, "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"+
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "+
		"style-src 'unsafe-inline'\">\n<title>%s</title><style>%s</style></head><body>\n"+
		"<h1>%s</h1>\n",
		lang, escape(p.title), pageStyle, escape(p.title))
	for _, sec := range p.sections {
		fmt.Fprintf(w, "<h2>%s</h2>\n", escape(sec.heading))
		if len(sec.rows) > 0 {
			fmt.Fprint(w, "<table>\n")
			for _, row := range sec.rows {
				fmt.Fprintf(w, "<tr><td>%s</td><td>%s</td></tr>\n", escape(row[0]), escape(row[1]))
			}
			fmt.Fprint(w, "</table>\n")
		}
		if len(sec.block) > 0 {
			fmt.Fprint(w, "<pre>")
			for _, line := range sec.block {
				fmt.Fprintf(w, "%s\n", escape(line))
			}
			fmt.Fprint(w, "</pre>\n")
		}
	}
	fmt.Fprint(w, "</body></html>\n")
}
