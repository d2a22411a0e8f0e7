package agent

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"reversald/agent/link"
	"reversald/agent/payment"
	"reversald/hal"
	"reversald/iso"
)

// jobsMax bounds what waits for the signer: more reversals and answers than are ever due at once.
const jobsMax = 64

// signerTime is how long the signer may take over one MAC. A vendor's module needs milliseconds.
const signerTime = 5 * time.Second

// A reversal that the signer did not sign is tried again after a pause that doubles.
const (
	signerPauseMin = time.Second
	signerPauseMax = 5 * time.Minute
)

// errNoMAC: an answer that must be authenticated is not.
var errNoMAC = errors.New("the answer carries no MAC")

// notary asks the signer. What goes out is signed in a goroutine of its own, one after the other:
// a vendor's module may take its time, and no payment waits for it. A message is signed when it
// leaves, with the key of that moment.
type notary struct {
	signer    hal.Signer
	mac       iso.MAC
	algorithm hal.MACAlgorithm
	jobs      chan func(context.Context)
}

func newNotary(p *iso.Profile, signer hal.Signer) *notary {
	n := &notary{signer: signer, mac: p.MAC(), jobs: make(chan func(context.Context), jobsMax)}
	if n.signer == nil {
		n.signer = hal.None{}
	}
	// A name the signer does not know stays zero, and is refused at the first use.
	n.algorithm, _ = hal.ParseMACAlgorithm(n.mac.Algorithm())
	return n
}

// run does the jobs until ctx ends.
func (n *notary) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case job := <-n.jobs:
			ask, cancel := context.WithTimeout(ctx, signerTime)
			job(ask)
			cancel()
		}
	}
}

// do queues a job, unless too many wait.
func (n *notary) do(job func(context.Context)) error {
	select {
	case n.jobs <- job:
		return nil
	default:
		return link.ErrBusy
	}
}

// sign is a message with its MAC put in.
func (n *notary) sign(ctx context.Context, body []byte) ([]byte, error) {
	data, err := n.mac.Cover(body)
	if err != nil {
		return nil, err
	}
	mac, err := n.signer.Sign(ctx, hal.MACRequest{Algorithm: n.algorithm, Data: data})
	if err != nil {
		return nil, err
	}
	return n.mac.Place(body, mac)
}

// check says what is wrong with the MAC of an answer; nil is good, or none needed.
func (n *notary) check(ctx context.Context, g iso.Glance, body []byte) error {
	if n.mac.None() || g.Class.Question() {
		return nil
	}
	mac, present := n.mac.Of(body)
	if !present {
		if n.mac.Needs(g) {
			return errNoMAC
		}
		return nil
	}
	data, err := n.mac.Cover(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, signerTime)
	defer cancel()
	return n.signer.Verify(ctx, hal.MACRequest{
		Algorithm: n.algorithm, Length: len(mac), Data: data,
	}, mac)
}

// fromLine takes a report of the line, in the line's own goroutine: a MAC is checked here, before
// the answer takes its place in the inbox.
func (a *Agent) fromLine(r link.Report) {
	m := fromLink{report: r}
	if arrived, ok := r.(link.Arrived); ok && !a.notary.mac.None() {
		if g, err := a.profile.Glance(arrived.Body); err == nil {
			m.mac = a.notary.check(context.Background(), g, arrived.Body)
		}
	}
	a.post(m)
}

// sendOurs hands a message of our own making to the line, signed if the host wants that. An error
// means that provably nothing left; where the signer is asked first, notSent follows instead.
func (a *Agent) sendOurs(tag link.Tag, class iso.Class, body []byte) error {
	if !a.notary.mac.Sends(class) {
		return a.line.Send(tag, body)
	}
	return a.notary.do(func(ctx context.Context) {
		signed, err := a.notary.sign(ctx, body)
		if err == nil {
			err = a.line.Send(tag, signed)
		}
		if err != nil {
			a.post(notSent{tag: tag, err: err})
		}
	})
}

// unsigned: nothing of a message of ours left, because it was not signed. A reversal is tried again,
// later each time: every attempt is on file before the signer is asked, and one that is away for a
// day must not fill the journal.
func (a *Agent) unsigned(m notSent) error {
	a.log.Warn("not sent, because it was not signed", slog.Any("error", m.err))
	if err := a.fromLink(link.NeverLeft{Tag: m.tag}, nil); err != nil {
		return err
	}
	p := a.books.byID[payment.ID(m.tag.ID)]
	if p == nil || !m.tag.Reversal {
		return nil
	}
	pause := min(signerPauseMin<<min(p.unsigned, 10), signerPauseMax)
	p.unsigned++
	a.queue.NotBefore(m.tag.ID, a.now()+pause)
	return nil
}

// tellOurs gives an app an answer of our own making, signed if its question was.
func (a *Agent) tellOurs(app App, body []byte) {
	if _, wants := a.notary.mac.Of(body); !wants {
		app.Tell(0, body)
		return
	}
	err := a.notary.do(func(ctx context.Context) {
		signed, err := a.notary.sign(ctx, body)
		if err != nil {
			app.Hang("its answer can not be signed")
			return
		}
		app.Tell(0, signed)
	})
	if err != nil {
		app.Hang("too many answers wait to be signed")
	}
}

// loadKeys hands the working keys of a sign-on to the signer, and says how it went.
func (a *Agent) loadKeys(keys []byte) error {
	return a.notary.do(func(ctx context.Context) {
		_, err := a.notary.signer.LoadWorkingKeys(ctx, hal.WorkingKeys{Blob: keys})
		clear(keys)
		a.post(keysLoaded{err: err})
	})
}
