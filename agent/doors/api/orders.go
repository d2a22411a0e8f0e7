package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"reversald/agent"
)

// People is what this door needs of the agent for the orders of people.
type People interface {
	Hold(ctx context.Context, id uint64, by, why string) (agent.Payment, error)
	Release(ctx context.Context, id uint64, by, why string) (agent.Payment, error)
	Replay(ctx context.Context, id uint64, by, why string) (agent.Payment, error)
	Resolve(ctx context.Context, id uint64, by, why string) (agent.Payment, error)
	Command(ctx context.Context, by, what string) error
	Frames(id uint64) ([]agent.Frame, error)
	Evidence(ctx context.Context, id uint64, by, software string) (agent.Bundle, error)
}

// addOrders adds what people order, and what they take away with them.
func (d *Door) addOrders(people People) {
	d.add("POST /v1/payments/{id}/replay", operators, d.order(people.Replay))
	d.add("POST /v1/payments/{id}/hold", operators, d.order(people.Hold))
	d.add("POST /v1/payments/{id}/release", operators, d.order(people.Release))
	d.add("POST /v1/payments/{id}/resolve", operators, d.order(people.Resolve))
	d.add("GET /v1/payments/{id}/frames", lookers, d.frames)
	d.add("GET /v1/payments/{id}/evidence", lookers, d.evidence)
	d.add("POST /v1/commands", operators, d.command)
}

// Order is the body of a person's order.
type Order struct {
	By  string `json:"by"`
	Why string `json:"why"`
}

// order carries out what a person wants of a payment.
func (s *server) order(
	carryOut func(ctx context.Context, id uint64, by, why string) (agent.Payment, error),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, problem := idIn(r)
		var order Order
		if problem == nil {
			problem = readBody(w, r, false, &order)
		}
		if problem != nil {
			s.refuse(w, r, problem)
			return
		}
		p, err := carryOut(r.Context(), id, order.By, order.Why)
		if err != nil {
			s.refuse(w, r, s.problemOf(err, languageIn(r)))
			return
		}
		s.reply(w, http.StatusOK, s.tell(p, languageIn(r)))
	}
}

// frames are the messages of one payment, masked, built again from what is on file.
func (s *server) frames(w http.ResponseWriter, r *http.Request) {
	id, problem := idIn(r)
	if problem != nil {
		s.refuse(w, r, problem)
		return
	}
	frames, err := s.agent.Frames(id)
	if err == nil && len(frames) == 0 {
		err = fmt.Errorf("%w: %d is not on file", agent.ErrNoPayment, id)
	}
	if err != nil {
		s.refuse(w, r, s.problemOf(err, languageIn(r)))
		return
	}
	s.reply(w, http.StatusOK, frames)
}

func (s *server) evidence(w http.ResponseWriter, r *http.Request) {
	id, problem := idIn(r)
	if problem != nil {
		s.refuse(w, r, problem)
		return
	}
	bundle, err := s.agent.Evidence(r.Context(), id, r.URL.Query().Get("by"), s.about.Version)
	if err != nil {
		s.refuse(w, r, s.problemOf(err, languageIn(r)))
		return
	}
	s.reply(w, http.StatusOK, bundle)
}

// Spoken is the body of a command to be noted.
type Spoken struct {
	By   string `json:"by"`
	What string `json:"what"`
}

func (s *server) command(w http.ResponseWriter, r *http.Request) {
	var said Spoken
	if problem := readBody(w, r, false, &said); problem != nil {
		s.refuse(w, r, problem)
		return
	}
	if err := s.agent.Command(r.Context(), said.By, said.What); err != nil {
		s.refuse(w, r, s.problemOf(err, languageIn(r)))
		return
	}
	s.reply(w, http.StatusOK, said)
}

// Hold stops the attempts to reverse a payment.
func (c *Client) Hold(ctx context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.order(ctx, id, "hold", by, why)
}

// Release lets them go on.
func (c *Client) Release(ctx context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.order(ctx, id, "release", by, why)
}

// Command notes in the journal what a person said, or that somebody tried to log in.
func (c *Client) Command(ctx context.Context, by, what string) error {
	return c.post(ctx, "/v1/commands", Spoken{By: by, What: what}, &Spoken{})
}

// Frames asks for the messages of one payment, masked.
func (c *Client) Frames(ctx context.Context, id uint64) ([]agent.Frame, error) {
	var frames []agent.Frame
	return frames, c.get(ctx, fmt.Sprintf("/v1/payments/%d/frames", id), &frames)
}

// Evidence asks for the bundle of one payment.
func (c *Client) Evidence(ctx context.Context, id uint64, by string) (agent.Bundle, error) {
	var bundle agent.Bundle
	path := fmt.Sprintf("/v1/payments/%d/evidence?by=%s", id, url.QueryEscape(by))
	return bundle, c.get(ctx, path, &bundle)
}

func (c *Client) post(ctx context.Context, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.do(ctx, http.MethodPost, path, text, into)
}
