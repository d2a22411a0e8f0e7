package api

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"reversald/store"
)

// Verifier is what the proof of a running journal needs of it.
type Verifier interface {
	Verify(ctx context.Context, each func(store.Progress) error) (store.Verdict, error)
}

// Proof is what a proof has found. Its keys are stable: reversald verify --json prints it too.
type Proof struct {
	Journal  string   `json:"journal"`
	ID       string   `json:"id"`
	Terminal string   `json:"terminal"`
	Format   int      `json:"format"`
	First    uint64   `json:"first"`
	Last     uint64   `json:"last"`
	Entries  int      `json:"entries"`
	Payments uint64   `json:"payments"`
	Open     []uint64 `json:"open"`
	Waiting  int      `json:"waiting"`
	Keyless  bool     `json:"keyless"`
	Lost     []string `json:"lost"`
	Faults   []string `json:"faults"`
}

// NewProof puts a verdict into words.
func NewProof(v *store.Verdict) Proof {
	p := Proof{
		Journal: v.Path, ID: hex.EncodeToString(v.ID[:]), Terminal: v.Terminal,
		Format: v.Format, First: v.First, Last: v.Last, Entries: v.Entries,
		Payments: v.Payments, Open: v.Open, Waiting: v.Waiting, Keyless: v.Keyless,
		Lost: []string{}, Faults: []string{},
	}
	for _, r := range v.Lost {
		p.Lost = append(p.Lost, r.String())
	}
	for _, f := range v.Faults {
		p.Faults = append(p.Faults, f.String())
	}
	return p
}

// ProofStep is one line of the answer to GET /v1/journal/verify: how far the proof has come or, at
// the end, one of the other two.
type ProofStep struct {
	Entry   uint64   `json:"entry,omitempty"`
	Last    uint64   `json:"last,omitempty"`
	Proof   *Proof   `json:"proof,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

// verify proves the running journal, page by page, while payments go on: one JSON object a line,
// see ProofStep. No transaction is held while a line is written, one proof runs at a time (409 to
// others), and a reader that stops reading is dropped.
func (s *server) verify(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	out := json.NewEncoder(w)
	said := false
	say := func(step ProofStep) error {
		if !said {
			w.Header().Set("Content-Type", "application/x-ndjson")
			said = true
		}
		if err := rc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
		if err := out.Encode(step); err != nil {
			return err
		}
		return rc.Flush()
	}
	v, err := s.verifier.Verify(r.Context(), func(p store.Progress) error {
		return say(ProofStep{Entry: p.Entry, Last: p.Last})
	})
	if err != nil && !said {
		p := trouble(typeInternal, http.StatusInternalServerError, err.Error())
		if errors.Is(err, store.ErrBusy) {
			p = trouble(typeConflict, http.StatusConflict, err.Error())
		}
		s.refuse(w, r, p)
		return
	}
	last := ProofStep{}
	if err != nil {
		last.Problem = trouble(typeInternal, http.StatusInternalServerError, err.Error())
	} else {
		p := NewProof(&v)
		last.Proof = &p
	}
	_ = say(last) // a reader that is gone needs no verdict
}

// Verify asks for a proof of the running journal, and calls each with every step before the last.
func (c *Client) Verify(ctx context.Context, each func(ProofStep)) (Proof, error) {
	resp, err := c.send(ctx, http.MethodGet, "/v1/journal/verify", nil)
	if err != nil {
		return Proof{}, err
	}
	defer resp.Body.Close()
	lines := json.NewDecoder(resp.Body)
	for {
		var s ProofStep
		err := lines.Decode(&s)
		switch {
		case errors.Is(err, io.EOF):
			return Proof{}, fmt.Errorf("%w: the proof broke off", ErrAway)
		case err != nil:
			return Proof{}, fmt.Errorf("%w: the proof broke off: %w", ErrAway, err)
		case s.Problem != nil:
			return Proof{}, fmt.Errorf("%w: %s", ErrRefused, s.Problem.Detail)
		case s.Proof != nil:
			return *s.Proof, nil
		}
		each(s)
	}
}
