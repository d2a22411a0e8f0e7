package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// pageMax is how many entries are copied out of the journal at a time.
const pageMax = 256

// followRest is how long a follower lets a busy journal grow before it looks again: whoever reads
// sees no difference, and the one who writes has the processor to itself.
const followRest = 10 * time.Millisecond

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
	if want.follow {
		leave := s.follow(w, r)
		if leave == nil {
			return
		}
		defer leave()
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	rc := http.NewResponseController(w)
	out := json.NewEncoder(w)
	for sent := uint64(0); ; {
		looked := time.Now()
		changed := s.agent.Changed() // before looking, so that nothing slips in between
		lines, err := s.agent.Lines(want.from, pageMax)
		if err != nil {
			_ = out.Encode(trouble(typeInternal, http.StatusInternalServerError, err.Error()))
			return
		}
		_ = rc.SetWriteDeadline(time.Now().Add(writeTimeout))
		for _, l := range lines {
			if want.max != 0 && sent == want.max {
				return
			}
			if err := out.Encode(l); err != nil {
				return
			}
			want.from = l.Seq + 1
			sent++
		}
		if err := rc.Flush(); err != nil {
			return
		}
		if len(lines) == pageMax {
			continue
		}
		if !want.follow {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
		select {
		case <-time.After(followRest - time.Since(looked)): // at once where that has passed
		case <-r.Context().Done():
			return
		}
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
