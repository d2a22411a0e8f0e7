package slip

// What an ESC/POS printer is told. Sources: the command references of Epson TM printers; Chinese
// ones take the same, and FS & to print two bytes of GBK as a character.
var (
	escInit    = []byte{0x1b, '@'}             // forget what an earlier job has set
	escChinese = []byte{0x1c, '&'}             // Chinese characters from here on
	escFeed    = []byte{0x1b, 'd', 4}          // past the cutter
	escCut     = []byte{0x1d, 'V', 0x42, 0x00} // a partial cut, where there is a cutter
)

// ESCPOS is the slip as the bytes of a printer. encode turns UTF-8 into what the printer reads, GBK
// or UTF-8; nil leaves it as it is.
func (s Slip) ESCPOS(lang Lang, width int, encode func([]byte) []byte) []byte {
	text := []byte(s.Text(lang, width))
	if encode != nil {
		text = encode(text)
	}
	out := append([]byte(nil), escInit...)
	if lang != English {
		out = append(out, escChinese...)
	}
	out = append(out, text...)
	out = append(out, escFeed...)
	return append(out, escCut...)
}
