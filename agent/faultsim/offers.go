package faultsim

import (
	"crypto/sha256"
	"strconv"

	"reversald/agent"
)

// offer is a sale that its app confirms, and whose outcome it waits for.
type offer struct {
	*agent.Offer
	question *Message
}

// unconfirmed is an app's confirm whose answer it waits for.
type unconfirmed struct {
	sale   uint32
	till   uint8
	answer <-chan any
}

// apiSale is a till's question as the API door hands it over: the app's own message, and a key.
func (*shipped) apiSale(n uint8, m *Message, body []byte) agent.Sale {
	return agent.Sale{
		App: apiApp(n), Key: strconv.Itoa(int(m.Sale)), Digest: sha256.Sum256(body), Frame: body,
	}
}

func apiApp(n uint8) string { return "api till " + strconv.Itoa(int(n)+1) }

// tellOffers gives the tills what has become of their sales.
func (r *shipped) tellOffers() {
	for n := range r.offers {
		o := r.offers[n]
		if o.Offer == nil {
			continue
		}
		p, refusal, known := o.Outcome()
		if !known {
			continue
		}
		r.offers[n] = offer{}
		m := &Message{
			Kind: SaleAnswer, Till: uint8(n), STAN: o.question.STAN, Sale: o.question.Sale,
			Code: "91", // nothing was sent
		}
		if refusal == nil {
			r.ids[m.Sale] = p.ID
			switch p.Phase {
			case "approved", "declined":
				m.Code = p.Code
			case "unsent":
			default:
				m.Code = "68"
			}
		}
		r.w.tell(m.Till, 0, m)
	}
}

func (r *shipped) confirm(sale uint32) {
	till := r.w.sales[sale].till
	answer := r.agent.Confirm(r.ids[sale], apiApp(till))
	r.confirms = append(r.confirms, unconfirmed{sale: sale, till: till, answer: answer})
	r.settle()
}

// tellConfirms tells the tills which of their confirms are on file.
func (r *shipped) tellConfirms() {
	waiting := r.confirms
	r.confirms = nil
	for _, c := range waiting {
		select {
		case ok := <-c.answer:
			if ok == true {
				r.w.confirmed(c.till, c.sale)
			}
		default:
			r.confirms = append(r.confirms, c)
		}
	}
}

func (r *shipped) look(sale uint32) standing {
	switch r.agent.Phase(r.ids[sale]) {
	case "approved":
		return approvedOnly
	case "confirmed":
		return confirmed
	}
	return notDone
}
