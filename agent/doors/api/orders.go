package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"reversald/agent"
)

// People is what this door needs of the agent for the orders of people.
type People interface {
	Hold(ctx context.Context, id uint64, by, why string) (agent.Payment, error)
	Release(ctx context.Context, id uint64, by, why string) (agent.Payment, error)
	Resolve(ctx context.Context, id uint64, by, why string) (agent.Payment, error)
	Command(ctx context.Context, by, what string) error
	Frames(id uint64) ([]agent.Frame, error)
	Evidence(ctx context.Context, id uint64, by, software string) (agent.Bundle, error)
}

// orders answers what people order, and leaves the rest to the handler behind it.
type orders struct {
	people  People
	version string
}

// WithOrders adds to the API what people order.
//
//	POST /v1/payments/{id}/hold      {"by": "...", "why": "..."}
//	POST /v1/payments/{id}/release   {"by": "...", "why": "..."}
//	POST /v1/payments/{id}/resolve   {"by": "...", "why": "..."}
//	GET  /v1/payments/{id}/frames    masked, built again from what is on file
//	GET  /v1/payments/{id}/evidence?by=...
//	POST /v1/commands                {"by": "...", "what": "..."}
func WithOrders(rest http.Handler, people People, version string) http.Handler {
	o := &orders{people: people, version: version}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/payments/{id}/hold", ordered(people.Hold))
	mux.HandleFunc("POST /v1/payments/{id}/release", ordered(people.Release))
	mux.HandleFunc("POST /v1/payments/{id}/resolve", ordered(people.Resolve))
	mux.HandleFunc("GET /v1/payments/{id}/frames", o.frames)
	mux.HandleFunc("GET /v1/payments/{id}/evidence", o.evidence)
	mux.HandleFunc("POST /v1/commands", o.command)
	mux.Handle("/", rest)
	return mux
}

// Spoken is the body of a command to be noted.
type Spoken struct {
	By   string `json:"by"`
	What string `json:"what"`
}

func ordered(
	act func(ctx context.Context, id uint64, by, why string) (agent.Payment, error),
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, err := pathID(r)
		if err != nil {
			refuse(w, http.StatusBadRequest, err)
			return
		}
		var order Order
		if err := readBody(w, r, &order); err != nil {
			refuse(w, http.StatusBadRequest, fmt.Errorf("the body is not an order: %w", err))
			return
		}
		p, err := act(r.Context(), id, order.By, order.Why)
		if err != nil {
			refuse(w, statusOf(err), err)
			return
		}
		reply(w, p)
	}
}

func (o *orders) frames(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	frames, err := o.people.Frames(id)
	switch {
	case err != nil:
		refuse(w, http.StatusInternalServerError, err)
	case len(frames) == 0:
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no payment %d on file", id))
	default:
		reply(w, frames)
	}
}

func (o *orders) evidence(w http.ResponseWriter, r *http.Request) {
	id, err := pathID(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	bundle, err := o.people.Evidence(r.Context(), id, r.URL.Query().Get("by"), o.version)
	if err != nil {
		refuse(w, statusOf(err), err)
		return
	}
	reply(w, bundle)
}

func (o *orders) command(w http.ResponseWriter, r *http.Request) {
	var said Spoken
	if err := readBody(w, r, &said); err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf("the body is not a command: %w", err))
		return
	}
	if err := o.people.Command(r.Context(), said.By, said.What); err != nil {
		refuse(w, statusOf(err), err)
		return
	}
	reply(w, said)
}

// statusOf is what HTTP says about an order that is refused.
func statusOf(err error) int {
	switch {
	case errors.Is(err, agent.ErrNoPayment):
		return http.StatusNotFound
	case errors.Is(err, agent.ErrNoName), errors.Is(err, agent.ErrTooLong):
		return http.StatusBadRequest
	case errors.Is(err, agent.ErrPhase):
		return http.StatusConflict
	case errors.Is(err, agent.ErrTooMany):
		return http.StatusTooManyRequests
	case errors.Is(err, agent.ErrNoRoom):
		return http.StatusInsufficientStorage
	}
	return http.StatusServiceUnavailable
}

func pathID(r *http.Request) (uint64, error) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, errors.New("a payment's number is digits")
	}
	return id, nil
}

func readBody(w http.ResponseWriter, r *http.Request, into any) error {
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	body.DisallowUnknownFields()
	return body.Decode(into)
}

// Hold stops the attempts to reverse a payment.
func (c *Client) Hold(ctx context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.order(ctx, id, "hold", by, why)
}

// Release lets them go on.
func (c *Client) Release(ctx context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.order(ctx, id, "release", by, why)
}

// Resolve closes a stuck payment.
func (c *Client) Resolve(ctx context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.order(ctx, id, "resolve", by, why)
}

func (c *Client) order(
	ctx context.Context, id uint64, order, by, why string,
) (agent.Payment, error) {
	var p agent.Payment
	path := fmt.Sprintf("/v1/payments/%d/%s", id, order)
	return p, c.post(ctx, path, Order{By: by, Why: why}, &p)
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
	return c.do(ctx, http.MethodPost, path, bytes.NewReader(text), into)
}
