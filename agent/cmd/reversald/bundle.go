package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"reversald/agent"
	"reversald/agent/verbs"
	"reversald/store"
)

// bundleBytesMax is more than the longest story gives.
const bundleBytesMax = 32 << 20

// bundleProof is what verify --json prints about a bundle. Its keys are stable.
type bundleProof struct {
	V           int      `json:"v"`
	Bundle      string   `json:"bundle"`
	ID          uint64   `json:"id"`
	Journal     string   `json:"journal"`
	Entries     int      `json:"entries"`
	Fingerprint string   `json:"fingerprint"`
	PublicKey   string   `json:"public_key"`
	Known       bool     `json:"known"` // the public key is the one that was named
	Chain       bool     `json:"chain"` // every entry was proven with the journal's key
	Loose       []uint64 `json:"loose"`
}

// isBundle: JSON begins with a brace, and no journal does.
func isBundle(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	begin := make([]byte, 64)
	n, err := io.ReadFull(f, begin)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	return bytes.HasPrefix(bytes.TrimSpace(begin[:n]), []byte("{"))
}

// verifyBundle proves a bundle with what there is: the key that was named, or the configuration's,
// or none.
func (o *options) verifyBundle(path, key, public string) error {
	text, err := readBundle(path)
	if err != nil {
		return err
	}
	proof, err := agent.CheckBundle(text, "")
	if err != nil {
		return toolError{fmt.Errorf("%s: %w", path, err), exitData, bundleHint(err)}
	}
	if public != "" && !strings.EqualFold(public, proof.PublicKey) {
		return toolError{
			fmt.Errorf("%s is signed by %s", path, proof.PublicKey), exitData,
			"it is not of the terminal that --public names, or from before its key was changed",
		}
	}
	named := key != ""
	if key, err = o.bundleKey(key); err != nil {
		return err
	}
	note := ""
	if key != "" {
		switch with, err := agent.CheckBundle(text, key); {
		case err == nil:
			proof = with
		case errors.Is(err, agent.ErrTampered):
			return toolError{fmt.Errorf("%s: %w", path, err), exitData, bundleHint(err)}
		case errors.Is(err, store.ErrOtherKey) && !named:
			note = err.Error()
		default:
			return journalError{err}
		}
	}
	if err := o.printProof(path, proof, public != "", note); err != nil {
		return err
	}
	if !proof.Chain && public == "" {
		return verbs.Outcome{Code: exitFound}
	}
	return nil
}

func readBundle(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, journalError{err}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, bundleBytesMax+1))
	if err == nil && len(text) > bundleBytesMax {
		err = fmt.Errorf("%s is larger than %d bytes: no bundle is", path, bundleBytesMax)
	}
	if err != nil {
		return nil, toolError{err, exitData, "give the file that reversald evidence wrote"}
	}
	return text, nil
}

func bundleHint(err error) string {
	if errors.Is(err, agent.ErrTampered) {
		return "do not trust it: ask for it again where the journal is"
	}
	return "give the file that reversald evidence wrote, or use a newer reversald"
}

// bundleKey is the key file to prove with: the one named; "none" is none; else the configuration's,
// if this user may read it.
func (o *options) bundleKey(key string) (string, error) {
	switch key {
	case "none":
		return "", nil
	case "":
	default:
		return key, nil
	}
	c, err := o.load()
	if err != nil {
		return "", err
	}
	if key = c.Key; key == "" {
		key = c.Journal + ".key"
	}
	f, err := os.Open(key)
	if err != nil {
		return "", nil //nolint:nilerr // whoever may not read it proves without
	}
	f.Close()
	return key, nil
}

func (o *options) printProof(path string, p agent.Proof, known bool, note string) error {
	if o.json {
		return o.printJSON(bundleProof{
			V: 1, Bundle: path, ID: p.Evidence.ID, Journal: p.Evidence.Journal.ID,
			Entries: len(p.Evidence.Entries), Fingerprint: p.Fingerprint, PublicKey: p.PublicKey,
			Known: known, Chain: p.Chain, Loose: append([]uint64{}, p.Loose...),
		})
	}
	made := p.Evidence.Made.Local().Format("2006-01-02 15:04:05")
	o.printf("bundle       %s, payment %d, %d entries, made %s\n", verbs.Clean(path),
		p.Evidence.ID, len(p.Evidence.Entries), made)
	o.printf("journal      %s, terminal %q\n", verbs.Clean(p.Evidence.Journal.ID),
		p.Evidence.Journal.Terminal)
	o.printf("fingerprint  %s\n", p.Fingerprint)
	o.printf("unchanged    signed by %s\n", verbs.Clean(p.PublicKey))
	switch {
	case p.Chain:
		o.printf("proven       with the journal's key: every entry is one of it, in its place\n")
	case known:
		o.printf("proven       it is of the terminal with this evidence key\n")
	default:
		o.printf("not proven   whose it is: compare the key with what " +
			"reversald doctor shows there\n")
	}
	if note != "" {
		o.printf("chain        not followed: %s\n", verbs.Clean(note))
	}
	for _, seq := range p.Loose {
		o.printf("loose        entry %d: what stood before it was lost in an earlier damage\n", seq)
	}
	return nil
}
