package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf16"

	"reversald/store"
)

// EvidenceVersion is that of the bundle. It goes up when a reader of the one before would be
// misled.
const EvidenceVersion = 1

// evidenceEntriesMax bounds a bundle: of a longer story the first half and the newest half are in.
const evidenceEntriesMax = 1000

// Evidence is everything on file about one payment, for a dispute, as EVIDENCE.md describes. It
// holds no card data but the masked number and, unreadable without the journal's key, what is
// sealed in its entries.
type Evidence struct {
	V        int               `json:"v"`
	Made     time.Time         `json:"made"`
	By       string            `json:"by,omitempty"`
	Software string            `json:"software"`
	Journal  EvidenceJournal   `json:"journal"`
	Profile  string            `json:"profile"`
	ID       uint64            `json:"id"`
	Payment  *Payment          `json:"payment,omitempty"` // nil when it is long closed
	Entries  []EvidenceEntry   `json:"entries"`
	Left     int               `json:"left_out,omitempty"` // entries in the middle of a long story
	Frames   []Frame           `json:"frames"`
	Notes    map[string]string `json:"notes,omitempty"` // what could not be had, by what
}

// EvidenceJournal says which journal it is of, and how far that went.
type EvidenceJournal struct {
	ID       string `json:"id"`
	Terminal string `json:"terminal,omitempty"`
	First    uint64 `json:"first"`
	Last     uint64 `json:"last"`
	LastLink string `json:"last_link,omitempty"` // the chain of entry Last
}

// EvidenceEntry is one entry: as it reads, as it lies in the journal, and what it follows.
type EvidenceEntry struct {
	Line   Line   `json:"line"`
	Raw    []byte `json:"raw"`              // store/FORMAT.md
	Before string `json:"before,omitempty"` // the chain of the entry before it; empty: lost
}

// Bundle is evidence with its signature.
type Bundle struct {
	Evidence  json.RawMessage `json:"evidence"`
	PublicKey string          `json:"public_key"` // Ed25519, hexadecimal
	Signature string          `json:"signature"`  // over the label, 0x00, and the compact evidence
}

// evidenceLabel keeps a signature from being good for anything else.
const evidenceLabel = "reversald evidence v1\x00"

// Faults of a bundle.
var (
	// ErrNoBundle: not a bundle at all, or of a newer version.
	ErrNoBundle = errors.New("not an evidence bundle that this version reads")
	// ErrTampered: something in it is not as it was when it was made.
	ErrTampered = errors.New("the bundle was changed")
)

// Evidence makes the bundle of one payment, in the name of a person.
func (a *Agent) Evidence(ctx context.Context, id uint64, by, software string) (Bundle, error) {
	entries, err := a.storyEntries(id)
	if err != nil {
		return Bundle{}, err
	}
	p, looked, err := a.Look(ctx, id)
	if err != nil {
		return Bundle{}, err
	}
	if len(entries) == 0 {
		return Bundle{}, fmt.Errorf("%w: %d", ErrNoPayment, id)
	}
	facts := a.journal.Facts()
	out := Evidence{
		V: EvidenceVersion, Made: a.clock.Wall().UTC(), By: by, Software: software, ID: id,
		Profile: a.profile.Name(), Frames: a.frames(entries), Notes: map[string]string{},
		Journal: EvidenceJournal{
			ID: facts.ID, Terminal: facts.Terminal, First: facts.First, Last: facts.Last,
		},
	}
	if looked {
		out.Payment = &p
	}
	if last, err := a.journal.Witness(facts.Last); err == nil {
		if e, err := store.ParseEntry(last.Raw); err == nil {
			out.Journal.LastLink = hex.EncodeToString(e.Chain[:])
		}
	}
	if n := len(entries); n > evidenceEntriesMax {
		out.Left = n - evidenceEntriesMax
		entries = append(entries[:evidenceEntriesMax/2:evidenceEntriesMax/2],
			entries[n-evidenceEntriesMax/2:]...)
	}
	for _, e := range entries {
		out.add(a, e)
	}
	return a.bundle(out)
}

// add puts one entry in.
func (ev *Evidence) add(a *Agent, e store.Entry) {
	l, err := line(e, a.maskedCard(e))
	if err != nil {
		ev.Notes[fmt.Sprintf("entry %d", e.Seq)] = err.Error()
		return
	}
	w, err := a.journal.Witness(e.Seq)
	if err != nil {
		ev.Notes[fmt.Sprintf("entry %d", e.Seq)] = err.Error()
		return
	}
	entry := EvidenceEntry{Line: l, Raw: w.Raw}
	if w.Known {
		entry.Before = hex.EncodeToString(w.Before[:])
	}
	ev.Entries = append(ev.Entries, entry)
}

func (a *Agent) bundle(ev Evidence) (Bundle, error) {
	text, err := json.Marshal(ev)
	if err != nil {
		return Bundle{}, err
	}
	text = asciiJSON(text)
	public, signature := a.journal.Sign(append([]byte(evidenceLabel), text...))
	return Bundle{
		Evidence: text, PublicKey: hex.EncodeToString(public),
		Signature: hex.EncodeToString(signature),
	}, nil
}

// Fingerprint is SHA-256 over the compact evidence, hexadecimal: what a printed page says of the
// file it was printed from.
func (b *Bundle) Fingerprint() string {
	var text bytes.Buffer
	if err := json.Compact(&text, b.Evidence); err != nil {
		return ""
	}
	sum := sha256.Sum256(text.Bytes())
	return hex.EncodeToString(sum[:])
}

// asciiJSON escapes whatever is not plain ASCII: so that no screen, no cable and no code page
// changes a byte of what is signed.
func asciiJSON(text []byte) []byte {
	var out []byte
	for _, r := range string(text) {
		switch {
		case r < 0x7f:
			out = append(out, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// Proof is what was found about a bundle that is as it was made.
type Proof struct {
	Evidence    Evidence
	Fingerprint string
	// PublicKey is the terminal's, hexadecimal. A bundle proves where it is from only to whoever
	// knows that this is the terminal's.
	PublicKey string
	// Chain: the journal's key was there, and every entry is one that its holder wrote, in that
	// place. Without it only the signature was checked.
	Chain bool
	// Loose are entries whose predecessor is lost: they are not tied to their place.
	Loose []uint64
}

// CheckBundle proves a bundle, or says what is wrong with it. keyPath is the journal's key file;
// empty: there is none, and the chain is not followed.
func CheckBundle(text []byte, keyPath string) (Proof, error) {
	var b Bundle
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&b); err != nil {
		return Proof{}, fmt.Errorf("%w: %w", ErrNoBundle, err)
	}
	if in.More() {
		return Proof{}, fmt.Errorf("%w: something follows it", ErrTampered)
	}
	ev, err := b.open()
	if err != nil {
		return Proof{}, err
	}
	proof := Proof{Evidence: ev, Fingerprint: b.Fingerprint(), PublicKey: b.PublicKey}
	if err := proof.readEntries(); err != nil {
		return Proof{}, err
	}
	if keyPath == "" {
		return proof, nil
	}
	return proof, proof.follow(keyPath)
}

// open checks the signature, and reads what it is over.
func (b *Bundle) open() (Evidence, error) {
	var ev Evidence
	message := bytes.NewBufferString(evidenceLabel)
	if err := json.Compact(message, b.Evidence); err != nil {
		return ev, fmt.Errorf("%w: %w", ErrNoBundle, err)
	}
	public, err1 := hex.DecodeString(b.PublicKey)
	signature, err2 := hex.DecodeString(b.Signature)
	if err := errors.Join(err1, err2); err != nil {
		return ev, fmt.Errorf("%w: its signature is not hexadecimal", ErrTampered)
	}
	var version struct{ V int }
	if err := json.Unmarshal(b.Evidence, &version); err != nil || version.V > EvidenceVersion {
		return ev, fmt.Errorf("%w: version %d", ErrNoBundle, version.V)
	}
	if !store.Signed(public, message.Bytes(), signature) {
		return ev, fmt.Errorf("%w: the signature does not fit", ErrTampered)
	}
	if err := json.Unmarshal(b.Evidence, &ev); err != nil {
		return ev, fmt.Errorf("%w: %w", ErrNoBundle, err)
	}
	return ev, nil
}

// readEntries checks that every entry reads as it is said to read.
func (p *Proof) readEntries() error {
	before := uint64(0)
	for _, entry := range p.Evidence.Entries {
		e, err := store.ParseEntry(entry.Raw)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrTampered, err)
		}
		l, err := line(e, entry.Line.Card)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrTampered, err)
		}
		said, err1 := json.Marshal(entry.Line)
		reads, err2 := json.Marshal(l)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		switch {
		case !bytes.Equal(said, reads):
			return fmt.Errorf("%w: entry %d does not say what the bundle says", ErrTampered, e.Seq)
		case e.Key != p.Evidence.ID:
			return fmt.Errorf("%w: entry %d is of another payment", ErrTampered, e.Seq)
		case e.Seq <= before:
			return fmt.Errorf("%w: entry %d is out of order", ErrTampered, e.Seq)
		}
		before = e.Seq
	}
	return nil
}

// follow checks the chain with the journal's key.
func (p *Proof) follow(keyPath string) error {
	id, err1 := hex.DecodeString(p.Evidence.Journal.ID)
	public, err2 := hex.DecodeString(p.PublicKey)
	if err := errors.Join(err1, err2); err != nil || len(id) != 16 {
		return fmt.Errorf("%w: the journal's name is not 16 bytes", ErrTampered)
	}
	holder, err := store.Hold(store.Options{KeyPath: keyPath}, [16]byte(id), public)
	if err != nil {
		return err
	}
	for _, entry := range p.Evidence.Entries {
		w := store.Witness{Seq: entry.Line.Seq, Raw: entry.Raw}
		before, err := hex.DecodeString(entry.Before)
		switch {
		case err != nil || len(before) != 0 && len(before) != len(w.Before):
			return fmt.Errorf("%w: a link is not 16 bytes", ErrTampered)
		case len(before) == 0:
			p.Loose = append(p.Loose, w.Seq)
			continue
		}
		w.Before, w.Known = [16]byte(before), true
		if !holder.Follows(w) {
			return fmt.Errorf("%w: entry %d does not follow the chain", ErrTampered, w.Seq)
		}
	}
	p.Chain = true
	return nil
}
