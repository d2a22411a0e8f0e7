package agent_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"reversald/agent"
	"reversald/store"
)

// bundleOf is the evidence about a payment, as it is handed out.
func (s *shop) bundleOf(id uint64) []byte {
	s.t.Helper()
	bundle, err := s.agent.Evidence(s.t.Context(), id, "Li", "v1")
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := json.MarshalIndent(bundle, "", "  ")
	if err != nil {
		s.t.Fatal(err)
	}
	s.emits(bundle)
	return text
}

// Rule: evidence proves itself to whoever has the key, and to whoever knows the public key; nothing
// in it can be changed unnoticed.
func TestEvidenceProvesItself(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubtsAndIsAnswered(h, app, "58")
		id := s.id("000001")
		text := s.bundleOf(id)
		key := filepath.Join(s.dir, "journal.db.key")

		proof, err := agent.CheckBundle(text, key)
		if err != nil || !proof.Chain || len(proof.Loose) != 0 {
			t.Fatalf("with the key: %+v, %v", proof, err)
		}
		ev := proof.Evidence
		if ev.ID != id || len(ev.Entries) != 4 || ev.Payment.Phase != "stuck" || len(ev.Frames) != 2 {
			t.Errorf("the bundle: %+v", ev)
		}
		for _, f := range ev.Frames {
			if f.Problem != "" || f.Hex == "" {
				t.Errorf("frame %+v", f)
			}
		}
		if f := ev.Frames[1]; f.MTI != "0400" || !strings.Contains(f.Hex, "343131313131"+"3*3*3*3*3*3*31313131") {
			t.Errorf("the reversal is a %s: %s", f.MTI, f.Hex)
		}
		if proof, err = agent.CheckBundle(text, ""); err != nil || proof.Chain {
			t.Errorf("without the key: %+v, %v", proof, err)
		}
		flat := bytes.Buffer{}
		if err := json.Compact(&flat, text); err != nil {
			t.Fatal(err)
		}
		for at := range flat.Len() {
			bad := bytes.Clone(flat.Bytes())
			bad[at] ^= 1
			if _, err := agent.CheckBundle(bad, ""); err == nil {
				t.Fatalf("byte %d was changed, and nobody noticed: %q", at, bad[max(0, at-20):at+20])
			} else if !errors.Is(err, agent.ErrTampered) && !errors.Is(err, agent.ErrNoBundle) {
				t.Fatalf("byte %d: %v", at, err)
			}
		}
		if _, err := agent.CheckBundle(append(text, '{'), ""); !errors.Is(err, agent.ErrTampered) {
			t.Errorf("something more behind it: %v", err)
		}
		other, err := store.Open(store.Options{Path: filepath.Join(folder(t), "o.db"), AnyFilesystem: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = other.Close() }()
		if _, err := agent.CheckBundle(text, other.Facts().KeyPath); !errors.Is(err, store.ErrOtherKey) {
			t.Errorf("another key: %v", err)
		}
		if _, err := s.agent.Evidence(t.Context(), 99, "Li", ""); !errors.Is(err, agent.ErrNoPayment) {
			t.Errorf("of nothing: %v", err)
		}
	})
}

// Rule: whoever signs anew with a key of their own is found out by whoever has the journal's.
func TestEvidenceIsNotSignedByAnybody(t *testing.T) {
	story(t, func(s *shop) {
		t := s.t
		h, app := s.lineComesUp(), s.till("TERM0001")
		s.doubtsAndIsAnswered(h, app, "58")
		var b agent.Bundle
		if err := json.Unmarshal(s.bundleOf(s.id("000001")), &b); err != nil {
			t.Fatal(err)
		}
		forger, err := store.Open(store.Options{Path: filepath.Join(folder(t), "f.db"), AnyFilesystem: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = forger.Close() }()
		forged := bytes.Replace(b.Evidence, []byte(`"code":"58"`), []byte(`"code":"00"`), 1)
		public, signature := forger.Sign(append([]byte("reversald evidence v1\x00"), forged...))
		text, err := json.Marshal(agent.Bundle{
			Evidence: forged, PublicKey: hexOf(public), Signature: hexOf(signature),
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := agent.CheckBundle(text, ""); err == nil {
			t.Error("an entry that reads differently from its bytes was taken")
		}
		if _, err := agent.CheckBundle(text, filepath.Join(s.dir, "journal.db.key")); err == nil {
			t.Error("a stranger's signature was taken for the journal's")
		}
	})
}

func FuzzCheckBundle(f *testing.F) {
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"evidence":{"v":1,"entries":[{"line":{},"raw":"AAAA"}]},"public_key":"00","signature":"00"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := agent.CheckBundle(text, ""); err == nil {
			t.Error("a bundle that nobody signed")
		}
	})
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }
