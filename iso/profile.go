package iso

import "time"

// Profile is one host's dialect, loaded and proven. It does not change and may be shared.
type Profile struct {
	name        string
	framing     framing
	frameMax    int
	hostTimeout time.Duration
}

// Builtin returns a profile that comes with the program.
func Builtin(name string) (*Profile, error) {
	return &Profile{name: name, framing: framing{length: lengthBinary2}, frameMax: 4096}, nil
}

// BuiltinNames lists the profiles that come with the program, sorted.
func BuiltinNames() []string { return []string{"iso87-ascii", "iso87-bcd"} }

// Load reads a profile file. Every fault in it is reported, as file:line:column: what.
func Load(path string) (*Profile, error) { return nil, errNotYet }

// Name is what the profile calls itself.
func (p *Profile) Name() string { return p.name }

// FrameMax is the longest body, header included, in bytes.
func (p *Profile) FrameMax() int { return p.frameMax }

// HostTimeout is how long the host may take to answer.
func (p *Profile) HostTimeout() time.Duration { return p.hostTimeout }

// FieldName is what the profile calls a field; "" when it has none of that number.
func (p *Profile) FieldName(field int) string { return "" }
