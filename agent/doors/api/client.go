package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"reversald/agent"
)

// Errors of asking.
var (
	// ErrAway: nobody answers on the socket.
	ErrAway = errors.New("reversald is not running")
	// ErrRefused: the agent answered, and said no.
	ErrRefused = errors.New("refused")
)

// Client asks a running agent over its Unix socket.
type Client struct {
	socket string
	wait   time.Duration
}

// NewClient makes a client for the agent behind a socket. Wait is how long the agent may take to
// begin an answer; 0 is for ever.
func NewClient(socket string, wait time.Duration) *Client {
	return &Client{socket: socket, wait: wait}
}

// Status asks how the agent is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	return s, c.get(ctx, "/v1/status", &s)
}

// Payments lists open payments; state narrows it to one phase, "" is all.
func (c *Client) Payments(ctx context.Context, state string) ([]agent.Payment, error) {
	var all []agent.Payment
	return all, c.get(ctx, "/v1/payments?state="+state, &all)
}

// Payment asks for the story of one payment.
func (c *Client) Payment(ctx context.Context, id uint64) (Story, error) {
	var s Story
	return s, c.get(ctx, fmt.Sprintf("/v1/payments/%d", id), &s)
}

// Resolve closes a stuck payment in the name of a person.
func (c *Client) Resolve(ctx context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.order(ctx, id, "resolve", by, why)
}

// Replay has a reversal sent again.
func (c *Client) Replay(ctx context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.order(ctx, id, "replay", by, why)
}

func (c *Client) order(
	ctx context.Context, id uint64, verb, by, why string,
) (agent.Payment, error) {
	body, err := json.Marshal(Order{By: by, Why: why})
	if err != nil {
		return agent.Payment{}, err
	}
	var p agent.Payment
	path := fmt.Sprintf("/v1/payments/%d/%s", id, verb)
	return p, c.do(ctx, http.MethodPost, path, body, &p)
}

// Journal calls each for every entry asked for, until there are no more, or for ever.
func (c *Client) Journal(ctx context.Context, query string, each func(agent.Line) error) error {
	resp, err := c.send(ctx, http.MethodGet, "/v1/journal?"+query, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := json.NewDecoder(resp.Body)
	for {
		var l agent.Line
		err := lines.Decode(&l)
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: the journal's stream broke off: %w", ErrAway, err)
		}
		if err := each(l); err != nil {
			return err
		}
	}
}

// linesBytesMax is how much of a stream is read at once, and more than any line has.
const linesBytesMax = 64 << 10

// Lines is Journal for those who take the entries as they come: whole lines of JSON, as many as
// there are, which belong to the reader until it returns.
func (c *Client) Lines(ctx context.Context, query string, each func(lines []byte) error) error {
	resp, err := c.send(ctx, http.MethodGet, "/v1/journal?"+query, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text := make([]byte, linesBytesMax)
	for begun := 0; ; {
		n, err := resp.Body.Read(text[begun:])
		n += begun
		whole := bytes.LastIndexByte(text[begun:n], '\n') + 1 + begun
		if whole > begun {
			if err := each(text[:whole]); err != nil {
				return err
			}
			begun = copy(text, text[whole:n])
		} else {
			begun = n
		}
		switch {
		case errors.Is(err, io.EOF) && begun == 0, err != nil && ctx.Err() != nil:
			return nil
		case err == nil && begun == len(text):
			err = errors.New("a line without an end")
			fallthrough
		case err != nil:
			return fmt.Errorf("%w: the journal's stream broke off: %w", ErrAway, err)
		}
	}
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, nil, into)
}

func (c *Client) do(ctx context.Context, method, path string, body []byte, into any) error {
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}

// send returns an answer that is a success; anything else is an error that says why.
func (c *Client) send(
	ctx context.Context, method, path string, body []byte,
) (*http.Response, error) {
	resp, err := c.ask(ctx, method, path, body)
	if err != nil {
		return nil, fmt.Errorf("%w, or not behind %s: %w", ErrAway, c.socket, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	var p Problem
	if err := json.NewDecoder(io.LimitReader(resp.Body, bodyBytesMax)).Decode(&p); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrRefused, resp.Status)
	}
	return nil, fmt.Errorf("%w: %s", ErrRefused, p.Detail)
}
