package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"reversald/agent"
	"reversald/agent/doors/api"
	"reversald/iso"
)

const (
	pan   = "4111111111111111"
	track = pan + "=29122010000012345678"
)

// post gives one body to a door, without a connection in between.
func post(door http.Handler, body string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPost, "/v1/payments", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "key-1")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	door.ServeHTTP(w, req)
	return w
}

// Rule: what a body can not be is refused with where and why, nothing of it reaches the agent, and
// no value of it is told back: it may be a card's.
func TestABodyIsReadStrictly(t *testing.T) {
	good := `"amount":1,"currency":"840","terminal":"T","pan":"` + pan + `"`
	long := strings.Repeat("x", 65)
	for name, c := range map[string]struct {
		body, kind, field string
		status            int
	}{
		"nothing":            {"", "bad-request", "", 400},
		"no JSON":            {pan, "bad-request", "", 400},
		"cut off":            {`{"pan":"` + pan, "bad-request", "", 400},
		"an array":           {`["` + pan + `"]`, "bad-request", "", 400},
		"null":               {`null`, "bad-request", "", 400},
		"two objects":        {`{` + good + `}{"pan":"` + pan + `"}`, "bad-request", "", 400},
		"a tail":             {`{` + good + `} ` + pan, "bad-request", "", 400},
		"unknown field":      {`{` + good + `,"cvv":"123"}`, "bad-request", "cvv", 400},
		"a card for a name":  {`{` + good + `,"` + pan + `":"x"}`, "bad-request", "", 400},
		"twice":              {`{` + good + `,"pan":"5413330089020011"}`, "bad-request", "pan", 400},
		"twice, other case":  {`{` + good + `,"PAN":"5413330089020011"}`, "bad-request", "", 400},
		"twice, inside":      {`{` + good + `,"fields":{"60":"1","60":"2"}}`, "bad-request", "", 400},
		"deep":               {`{"fields":{"60":{"x":1}}}`, "bad-request", "", 400},
		"very deep":          {strings.Repeat(`{"a":`, 5000), "bad-request", "", 400},
		"deep arrays":        {`{"fields":` + strings.Repeat(`[`, 5000), "bad-request", "", 400},
		"no UTF-8":           {"{" + good + ",\"reference\":\"\xff\"}", "bad-request", "", 400},
		"a number for text":  {`{"pan":` + pan + `}`, "bad-request", "pan", 400},
		"text for a number":  {`{"amount":"` + pan + `"}`, "bad-request", "amount", 400},
		"a fraction":         {`{"amount":1.5}`, "bad-request", "amount", 400},
		"a huge number":      {`{"amount":99999999999999999999}`, "bad-request", "amount", 400},
		"a list for a map":   {`{"fields":["` + pan + `"]}`, "bad-request", "fields", 400},
		"no amount":          {`{"currency":"840","terminal":"T","pan":"` + pan + `"}`, "bad-request", "amount", 400},
		"a negative amount":  {`{"amount":-1}`, "bad-request", "amount", 400},
		"no currency":        {`{"amount":1,"terminal":"T","pan":"` + pan + `"}`, "bad-request", "currency", 400},
		"no terminal":        {`{"amount":1,"currency":"840","pan":"` + pan + `"}`, "bad-request", "terminal", 400},
		"no card":            {`{"amount":1,"currency":"840","terminal":"T"}`, "bad-request", "pan", 400},
		"no such kind":       {`{` + good + `,"kind":"` + pan + `"}`, "bad-request", "kind", 400},
		"trace number 0":     {`{` + good + `,"stan":"000000"}`, "bad-request", "stan", 400},
		"field 0":            {`{` + good + `,"fields":{"0":"1"}}`, "bad-request", "fields", 400},
		"field 129":          {`{` + good + `,"fields":{"129":"1"}}`, "bad-request", "fields", 400},
		"field 060":          {`{` + good + `,"fields":{"060":"1"}}`, "bad-request", "fields", 400},
		"a field with name":  {`{` + good + `,"fields":{"4":"1"}}`, "bad-request", "amount", 400},
		"a long reference":   {`{` + good + `,"reference":"` + long + `"}`, "bad-request", "reference", 400},
		"frame and amount":   {`{"frame":"MDIwMA==","amount":1}`, "bad-request", "frame", 400},
		"two frames":         {`{"frame":"MDIwMA==","frame_hex":"30"}`, "bad-request", "frame", 400},
		"no base64":          {`{"frame":"` + track + `"}`, "bad-request", "frame", 400},
		"no hexadecimal":     {`{"frame_hex":"` + track + `"}`, "bad-request", "frame_hex", 400},
		"large":              {`{"pan":"` + strings.Repeat(pan, 10<<10) + `"}`, "too-large", "", 413},
		"large and chunked":  {strings.Repeat(" ", 33<<10), "too-large", "", 413},
		"a card for a field": {`{"amount":"` + pan + `","amount":1}`, "bad-request", "amount", 400},
	} {
		p := newPretended(0)
		w := post(api.New(p, options), c.body)
		var problem api.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil {
			t.Errorf("%s: %v in %s", name, err, w.Body)
			continue
		}
		if w.Code != c.status || problem.Type != "urn:reversald:problem:"+c.kind || problem.Field != c.field ||
			problem.Detail == "" || problem.Instance != "/v1/payments" {
			t.Errorf("%s: %d %+v, want %d %s at %q", name, w.Code, problem, c.status, c.kind, c.field)
		}
		if strings.Contains(w.Body.String(), pan[:13]) {
			t.Errorf("%s: a card is told back: %s", name, w.Body)
		}
		if len(p.sold) > 0 {
			t.Errorf("%s: it reached the agent", name)
		}
	}
}

// Rule: a payment needs a key, and the key is a short printable word.
func TestAKeyIsAShortWord(t *testing.T) {
	body := `{"amount":1,"currency":"840","terminal":"T","pan":"` + pan + `"}`
	for key, want := range map[string]int{
		"": 400, "a b": 400, "ä": 400, `"a"`: 400, `a\b`: 400, strings.Repeat("x", 65): 400,
		"x": 201, strings.Repeat("x", 64): 201, "order-7:1/2~3": 201,
	} {
		if w := post(api.New(newPretended(0), options), body, "Idempotency-Key", key); w.Code != want {
			t.Errorf("key %q: %d, want %d", key, w.Code, want)
		}
	}
	for kind, want := range map[string]int{
		"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415,
		"application/json": 201, "application/json; charset=utf-8": 201,
	} {
		if w := post(api.New(newPretended(0), options), body, "Content-Type", kind); w.Code != want {
			t.Errorf("content type %q: %d, want %d", kind, w.Code, want)
		}
	}
}

// Rule: the agent gets what the body says, under the name of the peer; the digest is the same for
// the same sale however it is written, and another for another.
func TestASaleReachesTheAgent(t *testing.T) {
	p := newPretended(0)
	p.outcome = agent.Payment{ID: 7, Phase: "approved", Confirms: true, Code: "00"}
	door := api.New(p, options)
	w := post(door, `{"amount":1,"currency":"840","terminal":"T","pan":"`+pan+`","fields":{"60":"x","61":"y"},"kind":"authorization"}`)
	if w.Code != http.StatusCreated || w.Header().Get("Location") != "/v1/payments/7" {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
	post(door, `{ "fields":{"61":"y","60":"x"}, "pan":"`+pan+`",
		"terminal":"T","currency":"840","kind":"authorization","amount":1}`)
	post(door, `{"amount":2,"currency":"840","terminal":"T","pan":"`+pan+`","fields":{"60":"x","61":"y"},"kind":"authorization"}`)
	post(door, `{"frame":"MDIwMA==","reference":"r"}`)
	post(door, `{"frame_hex":"30323030"}`)
	s := p.sold
	if len(s) != 5 || s[0].App != "api token" || s[0].Key != "key-1" || s[0].Request.PAN != pan ||
		s[0].Request.Amount != 1 || s[0].Request.Kind != iso.RequestAuthorization ||
		s[0].Request.Fields[60] != "x" || s[0].Frame != nil {
		t.Fatalf("%+v", s)
	}
	if s[0].Digest != s[1].Digest || s[0].Digest == s[2].Digest {
		t.Error("the digests do not tell sales apart")
	}
	if string(s[3].Frame) != "0200" || s[3].Reference != "r" || string(s[4].Frame) != "0200" {
		t.Errorf("frames %q %q", s[3].Frame, s[4].Frame)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if text := fmt.Sprintf(verb, s[0].Request); strings.Contains(text, pan[:13]) {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

// Rule: every phase is one of the outcomes, with words for the cashier and what to do, in English
// and Chinese.
func TestEveryPhaseHasItsWords(t *testing.T) {
	for phase, want := range map[string][2]string{
		"asked": {"unknown", "wait"}, "approved": {"approved", "confirm"}, "confirmed": {"approved", "done"},
		"declined": {"declined", "other_card"}, "unsent": {"not_sent", "try_again"},
		"doubted": {"unknown", "wait"}, "stuck": {"unknown", "call"}, "reversed": {"reversed", "try_again"},
		"resolved": {"unknown", "call"}, "anything": {"unknown", "wait"},
	} {
		var texts []string
		for _, lang := range []string{"en-GB", "zh-CN, en;q=0.5"} {
			p := newPretended(0)
			code := map[string]string{"declined": "51"}[phase]
			if phase == "approved" || phase == "confirmed" {
				code = "00"
			}
			p.outcome = agent.Payment{ID: 1, Phase: phase, Confirms: true, Code: code}
			w := post(api.New(p, options), `{"amount":1,"currency":"840","terminal":"T","pan":"`+pan+`"}`,
				"Accept-Language", lang)
			var got api.Payment
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if got.Outcome != want[0] || got.Next.Do != want[1] || got.Text == "" || got.Next.Text == "" {
				t.Errorf("%s: %+v, want %v", phase, got, want)
			}
			texts = append(texts, got.Text, got.Next.Text)
		}
		if texts[0] == texts[2] || texts[1] == texts[3] {
			t.Errorf("%s is the same in both languages: %q", phase, texts)
		}
	}
}

// Rule: English, unless the cashier likes Chinese better.
func TestTheLanguageOfTheCashier(t *testing.T) {
	for header, zh := range map[string]bool{
		"": false, "en": false, "zh": true, "zh-Hans-CN": true, "en, zh;q=0.9": false, "zh;q=0.9, en;q=0.8": true,
		"de, zh;q=0.1": true, "fr": false, "*": false, "zh;q=x": true, "zh;q=0": false, ";;,,": false,
	} {
		p := newPretended(0)
		p.outcome = agent.Payment{ID: 1, Phase: "doubted"}
		w := post(api.New(p, options), `{"amount":1,"currency":"840","terminal":"T","pan":"`+pan+`"}`,
			"Accept-Language", header)
		if got := strings.Contains(w.Body.String(), "冲正"); got != zh {
			t.Errorf("%q: Chinese %t", header, got)
		}
	}
}

// FuzzSale: whatever comes as a body is answered with JSON, never with a card, and reaches the agent
// only with an amount and a card, or as a message.
func FuzzSale(f *testing.F) {
	for _, seed := range []string{
		`{"amount":1,"currency":"840","terminal":"T","pan":"` + pan + `"}`, `{"frame":"MDIwMA=="}`,
		`{"frame_hex":"3030"}`, `{"fields":{"60":"1"},"amount":1}`, `{"` + pan + `":1}`, `[[[`, `{"a":{"b":{}}}`,
		"\xff", `{"amount":4111111111111111,"pan":4111111111111111}`, `{"stan":"000000","kind":"sale"}`,
	} {
		f.Add([]byte(seed), "key-1")
	}
	p := newPretended(0)
	p.outcome = agent.Payment{ID: 1, Phase: "approved"}
	door := api.New(p, options)
	f.Fuzz(func(t *testing.T, body []byte, key string) {
		p.sold = nil
		w := post(door, string(body), "Idempotency-Key", key)
		var answer map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%d: %v in %q", w.Code, err, w.Body)
		}
		if strings.Contains(w.Body.String(), pan) {
			t.Errorf("a card is told back: %s", w.Body)
		}
		switch w.Code {
		case 200, 201, 400, 413, 415:
		default:
			t.Errorf("status %d", w.Code)
		}
		if (w.Code < 300) != (len(p.sold) == 1) {
			t.Errorf("status %d, and %d sales", w.Code, len(p.sold))
		}
		for _, s := range p.sold {
			if r := s.Request; s.Frame == nil && (r.Amount <= 0 || r.PAN+r.Track2 == "" || r.Terminal == "") {
				t.Errorf("taken: %d", r.Amount)
			}
		}
	})
}
