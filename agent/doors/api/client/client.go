package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Errors of asking.
var (
	// ErrAway: nobody answers, or the answer was lost. Of a sale nobody knows then how it went: ask
	// again, with the same key.
	ErrAway = errors.New("reversald does not answer")
	// ErrConflict: the payment is past that; the Problem has it as it is.
	ErrConflict = errors.New("the payment is past that")
	// ErrNotSent: nothing has left the terminal, and nothing was charged.
	ErrNotSent = errors.New("nothing was sent")
)

// Client asks one daemon. It may be used by many goroutines.
type Client struct {
	http     http.Client
	base     string
	token    string
	Language string // of the cashier: en (also when empty) or zh
}

// New makes a client for the daemon behind a Unix socket.
func New(socket string) *Client {
	var dialer net.Dialer
	return &Client{base: "http://reversald", http: http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}}
}

// NewTCP makes a client for the daemon's loopback listener (api_listen), where a token is needed.
func NewTCP(address, token string) *Client {
	return &Client{base: "http://" + address, token: token}
}

// Sell asks for a payment and waits for its outcome, which may be Unknown. The same key again gives
// the same payment. An error that Is ErrNotSent is that nothing has left the terminal; ErrAway that
// nobody knows.
func (c *Client) Sell(ctx context.Context, key string, s Sale) (Payment, error) {
	var p Payment
	return p, c.do(ctx, http.MethodPost, "/v1/payments", key, s, &p)
}

// askAgain is how long SellSurely waits before it asks again.
const askAgain = 500 * time.Millisecond

// SellSurely is Sell, and asks again with the same key while the answer is lost, the daemon away or
// starting, until ctx ends. With an error that is neither a *Problem nor ErrNotSent the outcome is
// not known, and the same call later finds it out.
func (c *Client) SellSurely(ctx context.Context, key string, s Sale) (Payment, error) {
	for {
		p, err := c.Sell(ctx, key, s)
		var problem *Problem
		if !errors.Is(err, ErrAway) &&
			(!errors.As(err, &problem) || problem.Type != "urn:reversald:problem:stopping") {
			return p, err
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return Payment{}, err
		}
	}
}

// Confirm says that the sale is finished. An error that Is ErrConflict is that it must not be: it
// was reversed, or is about to be.
func (c *Client) Confirm(ctx context.Context, id uint64) (Payment, error) {
	return c.act(ctx, id, "confirm")
}

// Cancel takes a payment back: it is reversed.
func (c *Client) Cancel(ctx context.Context, id uint64) (Payment, error) {
	return c.act(ctx, id, "cancel")
}

func (c *Client) act(ctx context.Context, id uint64, verb string) (Payment, error) {
	var p Payment
	return p, c.do(ctx, http.MethodPost, fmt.Sprintf("/v1/payments/%d/%s", id, verb), "", nil, &p)
}

// Payment looks at one payment.
func (c *Client) Payment(ctx context.Context, id uint64) (Payment, error) {
	var p Payment
	return p, c.do(ctx, http.MethodGet, "/v1/payments/"+strconv.FormatUint(id, 10), "", nil, &p)
}

// Find looks for payments by key, reference, rrn, stan and terminal, state, limit and before; the
// newest come first.
func (c *Client) Find(ctx context.Context, by url.Values) ([]Payment, error) {
	var all []Payment
	return all, c.do(ctx, http.MethodGet, "/v1/payments?"+by.Encode(), "", nil, &all)
}

// do asks once, and reads the answer into a value.
func (c *Client) do(
	ctx context.Context, method, path, key string, body, into any,
) error {
	var text io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		text = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, text)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range map[string]string{
		"Idempotency-Key": key, "Accept-Language": c.Language, "Authorization": bearer(c.token),
	} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAway, cause(err))
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		p := &Problem{Status: resp.StatusCode, Title: resp.Status}
		_ = json.NewDecoder(io.LimitReader(resp.Body, problemBytesMax)).Decode(p)
		return p
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("%w: the answer is cut off: %w", ErrAway, err)
	}
	return nil
}

// problemBytesMax is more than any problem has.
const problemBytesMax = 16 << 10

func bearer(token string) string {
	if token == "" {
		return ""
	}
	return "Bearer " + token
}

// cause is an error without the URL in front of it.
func cause(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}
