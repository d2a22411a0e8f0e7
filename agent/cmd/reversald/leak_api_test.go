package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// liveByAPI sells through the API in every way there is, and in many that there are not. All that
// is answered is kept for the search.
func (s *stage) liveByAPI() {
	s.t.Helper()
	n := 0
	ask := func(method, path, body string) string {
		s.t.Helper()
		n++
		conn := s.dialAPIAt("reversald/reversald.sock", fmt.Sprintf(
			"%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"+
				"Idempotency-Key: leak-%d\r\nContent-Length: %d\r\n\r\n%s", method, path, n, len(body), body))
		before := s.said.Len()
		s.hears(conn, 200, 201, 400, 404, 409, 413, 422, 503)
		return s.said.String()[before:]
	}
	sale := func(more string) string {
		return `{"amount":700,"currency":"156","terminal":"TERM0001","merchant":"MERCHANT0000001",` + more + `}`
	}
	var last struct {
		ID    uint64 `json:"id"`
		Phase string `json:"phase"`
	}
	s.do("acquirerd", "behave", "--forget")
	for _, pan := range testPANs {
		swiped := pan + "=3012" + trackTail
		swiped = swiped[:min(len(swiped), 37)]
		for _, body := range []string{
			sale(`"pan":"` + pan + `","expiry":"3012"`),
			sale(`"track2":"` + swiped + `","pin_block":"` + pinBlock + `"`),
			sale(`"pan":"` + pan + `","track2":"` + swiped + `","reference":"order 7"`),
		} {
			answer := ask(http.MethodPost, "/v1/payments", body)
			if err := json.Unmarshal([]byte(answer), &last); err != nil || last.Phase != "approved" {
				s.t.Errorf("a sale by the API: %s", answer)
			}
			ask(http.MethodPost, fmt.Sprintf("/v1/payments/%d/confirm", last.ID), "")
		}
		for _, bad := range []string{
			`{"pan":` + pan + `}`, `{"` + pan + `":"` + swiped + `"}`, `{"pan":"` + swiped + `","pan":"x"}`, swiped,
			sale(`"pan":"` + swiped + `"`), sale(`"pan":"` + pan + `","stan":"` + pan + `"`),
			sale(`"pan":"` + pan + `","reference":"` + pan + `"`), sale(`"pan":"` + pan + `","pin_block":"` + pinBlock + `0"`),
			sale(`"pan":"` + pan + `","fields":{"60":"\u0001` + strings.Repeat(swiped, 30) + `"}`),
			`{"frame":"` + swiped + `"}`, `{"frame_hex":"` + pinBlock + `"}`, `{"kind":"` + pan + `"}`,
		} {
			ask(http.MethodPost, "/v1/payments", bad)
		}
		ask(http.MethodGet, "/v1/payments?reference="+pan+"x", "")
	}
	s.do("acquirerd", "behave", "0200:silent x1")
	ask(http.MethodPost, "/v1/payments", sale(`"track2":"`+testPANs[1]+`=3012`+trackTail[:10]+`","pin_block":"`+pinBlock+`"`))
	s.waitStatus(`"owed":0,`)
	for _, path := range []string{"/v1/payments?state=all", "/v1/payments/" + fmt.Sprint(last.ID), "/v1/journal", "/v1/status"} {
		ask(http.MethodGet, path, "")
	}
}
