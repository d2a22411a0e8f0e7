package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"reversald/agent"
	"reversald/agent/slip"
)

// slipWidth is that of the paper most terminals have, 58 mm.
const slipWidth = 32

// slip is what the printer got for a payment that failed, or would have.
func (s *server) slip(w http.ResponseWriter, r *http.Request) {
	id, problem := idIn(r)
	lang, width := slip.English, slipWidth
	if problem == nil {
		lang, width, problem = paperOf(r.URL.Query(), languageIn(r))
	}
	if problem == nil {
		var p agent.Payment
		if p, problem = s.theirs(r.Context(), id, ownApp(peerIn(r.Context()))); problem == nil {
			if paper, ok := p.Slip(s.contact); ok {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
				patience(w)
				//nolint:gosec // plain text, and nothing of the request is in it
				_, _ = w.Write([]byte(paper.Text(lang, width)))
				return
			}
			problem = trouble(typeNotFound, http.StatusNotFound,
				fmt.Sprintf("payment %d is %s: there is nothing to print", id, p.Phase))
		}
	}
	s.refuse(w, r, problem)
}

// theirs is a payment that a peer may see.
func (s *server) theirs(ctx context.Context, id uint64, app string) (agent.Payment, *Problem) {
	p, err := s.agent.Payment(ctx, id)
	switch {
	case err == nil && (app == "" || p.App == app):
		return p, nil
	case err == nil, errors.Is(err, agent.ErrNoPayment):
		return p, trouble(typeNotFound, http.StatusNotFound,
			fmt.Sprintf("there is no payment %d on file", id))
	}
	return p, s.problemOf(err, "en")
}

// paperOf is the language and the width of a slip.
func paperOf(values url.Values, accepted string) (slip.Lang, int, *Problem) {
	lang, _ := slip.ParseLang(accepted)
	width := slipWidth
	for name, all := range values {
		var ok bool
		switch name {
		case "lang":
			lang, ok = slip.ParseLang(all[0])
		case "width":
			n, err := strconv.Atoi(all[0])
			width, ok = n, err == nil && n >= slip.WidthMin && n <= slip.WidthMax
		default:
			return lang, width, badRequest(plainName(name), "there is no such parameter")
		}
		if !ok || len(all) != 1 {
			return lang, width, badRequest(name, fmt.Sprintf(
				"want lang=en, zh or both, and width=%d to %d, each once", slip.WidthMin,
				slip.WidthMax))
		}
	}
	return lang, width, nil
}
