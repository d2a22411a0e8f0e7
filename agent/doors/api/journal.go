package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"reversald/agent"
)

// span is what a reader of the journal asks for.
type span struct {
	from   uint64 // the first entry
	max    uint64 // how many at most; 0: no limit
	follow bool   // wait for more
}

// journal streams entries, one JSON object a line. It copies a page, lets go of the journal, and
// only then writes to the reader: no reader can hold up a payment.
func (s *server) journal(w http.ResponseWriter, r *http.Request) {
	want, err := s.parseSpan(r.URL.Query())
	if err != nil {
		s.refuse(w, r, badRequest("", err.Error()))
		return
	}
	next := func(from uint64) ([]agent.Encoded, error) { return s.agent.Encoded(from, pageMax) }
	if want.follow {
		leave := s.follow(w, r)
		if leave == nil {
			return
		}
		defer leave()
		next = s.feed.from
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := stream{w: w, rc: http.NewResponseController(w)}
	for sent := uint64(0); ; {
		looked := time.Now()
		changed := s.agent.Changed() // before looking, so that nothing slips in between
		page, err := next(want.from)
		if err != nil {
			_ = json.NewEncoder(w).Encode(
				trouble(typeInternal, http.StatusInternalServerError, err.Error()))
			return
		}
		full := len(page) == pageMax
		if left := want.max - sent; want.max != 0 && uint64(len(page)) >= left {
			page, want.follow, full = page[:left], false, false
		}
		for _, e := range page {
			out.text = append(append(out.text, e.JSON...), '\n')
			want.from = e.Seq + 1
		}
		sent += uint64(len(page))
		if out.flush() != nil || !full && !want.follow {
			return
		}
		if !full && !s.rest(r, looked, s.ahead(changed, page), nil) {
			return
		}
	}
}

// stream is an answer that goes on. What is put into it leaves with one write.
type stream struct {
	w    http.ResponseWriter
	rc   *http.ResponseController
	text []byte
}

func (s *stream) flush() error {
	patience(s.w)
	if _, err := s.w.Write(s.text); err != nil {
		return err
	}
	s.text = s.text[:0]
	return s.rc.Flush()
}

// over is a change that has been.
var over = func() <-chan struct{} { c := make(chan struct{}); close(c); return c }()

// ahead is what to wait for behind a page: the change that comes after it, which may have been.
func (s *server) ahead(changed <-chan struct{}, page []agent.Encoded) <-chan struct{} {
	if n := len(page); n > 0 && page[n-1].Seq < s.agent.Newest() {
		return over
	}
	return changed
}

// rest waits until there is more, and a while longer where somebody has looked just now, so that
// all that comes meanwhile is read at once. False: the reader is gone. A beat wakes it earlier.
func (*server) rest(
	r *http.Request, looked time.Time, changed <-chan struct{}, beat <-chan time.Time,
) bool {
	select {
	case <-changed:
	case <-beat:
		return true
	case <-r.Context().Done():
		return false
	}
	more := time.NewTimer(followRest - time.Since(looked)) // at once where that has passed
	defer more.Stop()
	select {
	case <-more.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (s *server) parseSpan(q url.Values) (span, error) {
	want := span{from: 1, follow: q.Get("follow") == "true"}
	var last uint64
	for key, into := range map[string]*uint64{"from": &want.from, "max": &want.max, "last": &last} {
		text := q.Get(key)
		if text == "" {
			continue
		}
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return span{}, fmt.Errorf("%s is not a number", key)
		}
		*into = n
	}
	if q.Has("last") {
		want.from = s.agent.Newest() + 1
		want.from -= min(last, want.from-1)
	}
	return want, nil
}
