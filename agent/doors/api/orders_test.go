package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"reversald/agent"
	"reversald/agent/doors/api"
)

// crew is an agent that takes orders, and refuses some.
type crew struct{ orders []string }

func (c *crew) act(what string, id uint64, by, why string) (agent.Payment, error) {
	c.orders = append(c.orders, fmt.Sprintf("%s %d by %s: %s", what, id, by, why))
	switch {
	case by == "":
		return agent.Payment{}, agent.ErrNoName
	case id == 404:
		return agent.Payment{}, fmt.Errorf("%w: %d", agent.ErrNoPayment, id)
	case id == 409:
		return agent.Payment{}, fmt.Errorf("%w: %d is asked", agent.ErrPhase, id)
	case id == 503:
		return agent.Payment{}, agent.ErrStopped
	}
	return agent.Payment{ID: id, Held: what == "hold"}, nil
}

func (c *crew) Hold(_ context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.act("hold", id, by, why)
}

func (c *crew) Release(_ context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.act("release", id, by, why)
}

func (c *crew) Resolve(_ context.Context, id uint64, by, why string) (agent.Payment, error) {
	return c.act("resolve", id, by, why)
}

func (c *crew) Command(_ context.Context, by, what string) error {
	switch what {
	case "too many":
		return agent.ErrTooMany
	case "no room":
		return agent.ErrNoRoom
	}
	c.orders = append(c.orders, by+" said "+what)
	return nil
}

func (c *crew) Frames(id uint64) ([]agent.Frame, error) {
	switch id {
	case 404:
		return nil, nil
	case 500:
		return nil, errors.New("damaged")
	}
	return []agent.Frame{{Seq: id, Hex: "30*3"}}, nil
}

func (c *crew) Evidence(_ context.Context, id uint64, by, software string) (agent.Bundle, error) {
	if id == 404 {
		return agent.Bundle{}, agent.ErrNoPayment
	}
	text, err := json.Marshal(by + " " + software)
	return agent.Bundle{Evidence: text}, err
}

// TestOrders: what each order is answered with, and that everything else goes to the handler behind.
func TestOrders(t *testing.T) {
	c := &crew{}
	behind := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	handler := api.WithOrders(behind, c, "v1.2.3")
	for _, test := range []struct {
		request, body string
		code          int
		says          string
	}{
		{"POST /v1/payments/7/hold", `{"by":"li","why":"x"}`, 200, `"held":true`},
		{"POST /v1/payments/7/release", `{"by":"li","why":""}`, 200, `"id":7`},
		{"POST /v1/payments/7/resolve", `{"by":"li","why":"done"}`, 200, `"id":7`},
		{"POST /v1/payments/7/hold", `{"by":""}`, 400, "a name and a reason"},
		{"POST /v1/payments/7/hold", `{"by":"li","color":"red"}`, 400, "the body is not an order"},
		{"POST /v1/payments/7/hold", `{"by":"` + strings.Repeat("x", 5000) + `"}`, 400, "too large"},
		{"POST /v1/payments/seven/hold", `{"by":"li"}`, 400, "digits"},
		{"POST /v1/payments/404/hold", `{"by":"li"}`, 404, "no such open payment"},
		{"POST /v1/payments/409/hold", `{"by":"li"}`, 409, "409 is asked"},
		{"POST /v1/payments/503/hold", `{"by":"li"}`, 503, "stopped"},
		{"POST /v1/commands", `{"by":"li","what":"log in"}`, 200, `"what":"log in"`},
		{"POST /v1/commands", `{"by":"li","what":"too many"}`, 429, "too many"},
		{"POST /v1/commands", `{"by":"li","what":"no room"}`, 507, "last room"},
		{"POST /v1/commands", `[]`, 400, "the body is not a command"},
		{"GET /v1/payments/3/frames", "", 200, `"hex":"30*3"`},
		{"GET /v1/payments/404/frames", "", 404, "no payment 404"},
		{"GET /v1/payments/500/frames", "", 500, "damaged"},
		{"GET /v1/payments/x/frames", "", 400, "digits"},
		{"GET /v1/payments/3/evidence?by=ann", "", 200, `"ann v1.2.3"`},
		{"GET /v1/payments/404/evidence", "", 404, "no such open payment"},
		{"GET /v1/payments/x/evidence", "", 400, "digits"},
		{"GET /v1/payments/7/hold", "", http.StatusTeapot, ""},
		{"GET /v1/status", "", http.StatusTeapot, ""},
		{"POST /v1/payments/7/replay", "{}", http.StatusTeapot, ""},
	} {
		method, path, _ := strings.Cut(test.request, " ")
		r := httptest.NewRequest(method, path, strings.NewReader(test.body))
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != test.code || !strings.Contains(w.Body.String(), test.says) {
			t.Errorf("%s %.60s: %d %s, want %d %s", test.request, test.body, w.Code, w.Body, test.code,
				test.says)
		}
	}
	if c.orders[0] != "hold 7 by li: x" {
		t.Errorf("ordered: %q", c.orders)
	}
}

// FuzzOrders: whatever a program on this device sends, it is answered.
func FuzzOrders(f *testing.F) {
	f.Add("/v1/payments/1/hold", []byte(`{"by":"x","why":"y"}`))
	f.Add("/v1/commands", []byte(`{"by":"x","what":"y"}`))
	handler := api.WithOrders(http.NotFoundHandler(), &crew{}, "v")
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.URL.Path = path
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code < 200 || w.Code > 599 {
			t.Errorf("%q %q: %d", path, body, w.Code)
		}
	})
}
