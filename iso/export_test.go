package iso

import "go.yaml.in/yaml/v3"

// What the fuzz targets need of the inside.

// ParseTrack2 is parseTrack2.
var ParseTrack2 = parseTrack2

// MaskDigits is maskDigits.
var MaskDigits = maskDigits

// SubsetTLV is subsetTLV without the offset.
func SubsetTLV(b []byte, wanted []string) ([]byte, error) {
	out, _, err := subsetTLV(nil, b, wanted)
	return out, err
}

// TagsTLV lists the tags at the top of b.
func TagsTLV(b []byte) (names []string, raw [][]byte, err error) {
	_, err = walkTLV(b, func(t tlv) bool {
		names, raw = append(names, tagName(t.tag)), append(raw, t.raw)
		return true
	})
	return names, raw, err
}

// CardOfChip is cardOfChip.
var CardOfChip = cardOfChip

// KeyTexts are the descriptions of keys.
var KeyTexts = keyTexts

// ReadFaults reads a profile without judging it, and lists what the reader has against it.
func ReadFaults(root *yaml.Node) []string {
	d := &desk{origin: map[*yaml.Node]string{}}
	readDraft(d, root)
	var out []string
	for _, f := range d.faults {
		out = append(out, f.What)
	}
	return out
}
