package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Event is one fact about a payment, as it came on file.
type Event struct {
	Seq     uint64 `json:"seq"` // where to go on from
	Payment uint64 `json:"id"`
	Kind    string `json:"kind"` // asked, approved, confirmed, doubted, reversed, stuck …
	Code    string `json:"code"`
	Reason  string `json:"reason"`
}

// eventBytesMax is more than any line of an event has.
const eventBytesMax = 64 << 10

// Events calls each for what happens to payments from now on, or, where after is not 0, since that
// event; until ctx ends, each returns an error, or the stream breaks, which is ErrAway: go on after
// the last event then.
func (c *Client) Events(ctx context.Context, after uint64, each func(Event) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/v1/events", nil)
	if err != nil {
		return err
	}
	if after != 0 {
		req.Header.Set("Last-Event-ID", strconv.FormatUint(after, 10))
	}
	if c.token != "" {
		req.Header.Set("Authorization", bearer(c.token))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAway, cause(err))
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		p := &Problem{Status: resp.StatusCode, Title: resp.Status}
		_ = json.NewDecoder(resp.Body).Decode(p)
		return p
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, eventBytesMax)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return err
		}
		if err := each(e); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return fmt.Errorf("%w: the stream has ended", ErrAway)
}
