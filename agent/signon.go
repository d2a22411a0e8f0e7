package agent

import (
	"errors"
	"log/slog"
	"strconv"
	"time"

	"reversald/iso"
)

// A sign-on that failed is tried again, later each time: until then the line is used without, and
// the host's answers say whether it minds.
const (
	signOnPauseMin = 5 * time.Second
	signOnPauseMax = 5 * time.Minute
)

// keeping is what is known of the line beyond its being there: whether the terminal has signed on
// over it, and when the host was last heard. Owned by Run.
type keeping struct {
	signingOn bool
	step      int     // which message of the sign-on waits for its answer
	key       string  // what that answer is matched by
	until     instant // when it is overdue
	loading   bool    // the answer was good, and the signer has its keys in hand
	failures  int
	again     instant // when the next sign-on is due; zero: none is
	soonest   instant // no sign-on before this, whatever the host says

	heard     instant // when anything last arrived, or the line came up
	heardLast instant // when anything last arrived, on whatever line
	heardEver bool
	echoKey   string // the echo that waits for its answer; empty: none does
	echoUntil instant

	values iso.Values // terminal, merchant and header of the newest payment
	batch  string     // the host's, from the newest sign-on
}

// ready: payments and reversals may go out.
func (a *Agent) ready() bool { return a.host != "" && !a.keeping.signingOn }

// lineUp begins the life of a new line: with a sign-on where the host wants one.
func (a *Agent) lineUp(now instant) {
	k := &a.keeping
	k.heard, k.echoKey, k.signingOn, k.soonest = now, "", false, 0
	a.queue.LineUp(now)
	s := a.profile.SignOn()
	if !s.None() && (s.AtLinkUp() || (s.BeforeReversals() && a.queue.Len() > 0)) {
		a.beginSignOn(now)
	}
}

// lineDown ends it.
func (a *Agent) lineDown() {
	a.keeping.signingOn, a.keeping.loading, a.keeping.again, a.keeping.echoKey = false, false, 0, ""
}

// beginSignOn signs on, and holds everything else until that is done. Where nobody knows the
// terminal yet, it is left to the app, whose sign-on passes through.
func (a *Agent) beginSignOn(now instant) {
	k := &a.keeping
	if k.signingOn || a.host == "" || a.profile.SignOn().None() {
		return
	}
	if now < k.soonest {
		k.again = max(k.again, k.soonest)
		return
	}
	k.again, k.soonest = 0, now+signOnPauseMin
	if _, known := a.values(); !known {
		a.log.Info("sign-on left to the app: terminal and merchant are not known yet")
		return
	}
	k.signingOn, k.step = true, 0
	a.queue.Pause()
	a.sendSignOn(now)
}

// sendSignOn sends the message of the sign-on whose turn it is.
func (a *Agent) sendSignOn(now instant) {
	k := &a.keeping
	body, key, err := a.compose(func(v iso.Values) ([]byte, error) {
		return a.profile.SignOn().Message(k.step, v)
	})
	if err == nil {
		err = a.sendOurs(passTag, iso.ClassOther, body)
	}
	if err != nil {
		a.endSignOn(now, err)
		return
	}
	k.key, k.until = key, now+a.limits.HostTimeout
}

// errNotKnown: a message of ours needs a terminal, and there is none to name.
var errNotKnown = errors.New("terminal and merchant are not known")

// compose makes a message of ours that is no payment, with a trace number of its own, and says
// what its answer is matched by.
func (a *Agent) compose(
	word func(iso.Values) ([]byte, error),
) (body []byte, key string, err error) {
	v, known := a.values()
	if !known {
		return nil, "", errNotKnown
	}
	v.STAN, v.Time, v.Batch = a.nextSTAN(), a.clock.Wall(), a.keeping.batch
	if body, err = word(v); err != nil {
		return nil, "", err
	}
	g, err := a.profile.Glance(body)
	return body, g.Key, err
}

// values are what our own messages are made with: the configuration's, or those of the newest
// payment.
func (a *Agent) values() (iso.Values, bool) {
	v := a.keeping.values
	if a.limits.Terminal != "" {
		v.Terminal = a.limits.Terminal
	}
	if a.limits.Merchant != "" {
		v.Merchant = a.limits.Merchant
	}
	return v, v.Terminal != "" && v.Merchant != ""
}

// waitsFor: this is the answer to the sign-on under way.
func (k *keeping) waitsFor(g iso.Glance) bool {
	return k.signingOn && !k.loading && g.Class == iso.ClassOtherAnswer && g.Key == k.key
}

// signedOn takes an answer, if it is one to the sign-on under way.
func (a *Agent) signedOn(g iso.Glance, body []byte) bool {
	k := &a.keeping
	if !k.waitsFor(g) {
		return false
	}
	now := a.now()
	if !a.profile.SignOn().Accepted(g) {
		a.endSignOn(now, errors.New("the host answers "+g.Code))
		return true
	}
	keys, err := a.learn(body)
	switch {
	case err != nil:
		a.endSignOn(now, err)
	case len(keys) == 0:
		a.nextSignOn(now)
	default:
		k.loading, k.until = true, now+signerTime
		if err := a.loadKeys(keys); err != nil {
			a.endSignOn(now, err)
		}
	}
	return true
}

// learn reads what the answer to a sign-on brings.
func (a *Agent) learn(body []byte) (keys []byte, err error) {
	learned, err := a.profile.SignOn().Learn(body)
	if learned.Batch != "" {
		a.keeping.batch = learned.Batch
	}
	return learned.Keys, err
}

// overhear reads a sign-on of the app's own that passes through: the signer needs the same keys.
func (a *Agent) overhear(g iso.Glance, body []byte) {
	s := a.profile.SignOn()
	if g.Class != iso.ClassOtherAnswer || s.None() || !s.Accepted(g) {
		return
	}
	keys, err := a.learn(body)
	if err == nil && len(keys) > 0 {
		err = a.loadKeys(keys)
	}
	if err != nil {
		a.log.Warn("the app's sign-on brought keys that are of no use", slog.Any("error", err))
	}
}

// loaded: the signer has the keys, or has refused them.
func (a *Agent) loaded(err error) {
	k := &a.keeping
	if !k.signingOn || !k.loading {
		if err != nil {
			a.log.Warn("working keys refused", slog.Any("error", err))
		}
		return
	}
	k.loading = false
	if err != nil {
		a.endSignOn(a.now(), err)
		return
	}
	a.nextSignOn(a.now())
}

// nextSignOn goes on to the next message, or to business.
func (a *Agent) nextSignOn(now instant) {
	k := &a.keeping
	if k.step++; k.step < a.profile.SignOn().Messages() {
		a.sendSignOn(now)
		return
	}
	a.endSignOn(now, nil)
}

// endSignOn lets business begin. After a failure it begins all the same: the host says whether it
// minds, and a shop that can not sell is no safer.
func (a *Agent) endSignOn(now instant, err error) {
	k := &a.keeping
	k.signingOn, k.loading, k.key = false, false, ""
	a.queue.Resume()
	if err == nil {
		k.failures = 0
		a.log.Info("signed on", slog.String("host", a.host), slog.String("batch", k.batch))
		return
	}
	pause := min(signOnPauseMin<<min(k.failures, 10), signOnPauseMax)
	k.failures++
	k.again = now + pause
	k.soonest = k.again
	a.log.Warn("sign-on failed", slog.Any("error", err), slog.String("again_in", pause.String()))
}

// expireKeeping gives up on a sign-on or an echo that is overdue, and begins what is due.
func (a *Agent) expireKeeping(now instant) {
	k := &a.keeping
	switch {
	case a.host == "":
		return
	case k.signingOn && k.until <= now:
		a.endSignOn(now, errors.New("no answer"))
	case k.again != 0 && k.again <= now:
		a.beginSignOn(now)
	}
	idle := a.profile.Echo().Idle()
	switch {
	case idle == 0 || k.signingOn:
	case k.echoKey != "" && k.echoUntil <= now && k.heard > k.echoUntil-a.limits.HostTimeout:
		k.echoKey = "" // something else came since it was asked: the line is alive
	case k.echoKey != "" && k.echoUntil <= now:
		k.echoKey = ""
		a.log.Warn("no answer to the echo, the line leads nowhere", slog.String("host", a.host))
		a.line.Drop()
	case k.echoKey == "" && k.heard+idle <= now:
		a.sendEcho(now)
	}
}

// sendEcho asks the host whether it is there: an open line that leads nowhere looks like a quiet
// one.
func (a *Agent) sendEcho(now instant) {
	k := &a.keeping
	k.heard = now // not again before the next idle time, whatever becomes of this one
	body, key, err := a.compose(a.profile.Echo().Message)
	if err == nil {
		err = a.sendOurs(passTag, iso.ClassOther, body)
	}
	if err != nil {
		a.log.Debug("no echo", slog.Any("error", err))
		return
	}
	k.echoKey, k.echoUntil = key, now+a.limits.HostTimeout
}

// wakeKeeping is when the line wants attention; zero is never.
func (a *Agent) wakeKeeping() instant {
	k := &a.keeping
	idle := a.profile.Echo().Idle()
	switch {
	case a.host == "":
		return 0
	case k.signingOn:
		return k.until
	case k.echoKey != "":
		return earliest(k.echoUntil, k.again)
	case idle != 0:
		return earliest(k.heard+idle, k.again)
	}
	return k.again
}

// earliest is the sooner of two instants of which zero is never.
func earliest(x, y instant) instant {
	if x == 0 || (y != 0 && y < x) {
		return y
	}
	return x
}

// nextSTAN is a trace number for a message of ours, never one that is still open.
func (a *Agent) nextSTAN() string {
	next, stan, ok := iso.NextSTAN(a.stan, func(stan string) bool {
		for _, p := range a.books.open {
			if p.stan == stan || p.reversalSTAN == stan {
				return true
			}
		}
		return false
	})
	if !ok { // cannot happen: openMax is far below a million
		return iso.FormatSTAN(1)
	}
	a.stan = next
	return stan
}

// reversalSTANFor is the trace number of attempt n at reversing a payment, by the profile; empty is
// the original's. It goes on file with the attempt, before anything leaves.
func (a *Agent) reversalSTANFor(p *held, n int) string {
	switch a.profile.StanPolicy().For(n) {
	case iso.StanOriginal:
		return ""
	case iso.StanSame:
		if p.reversalSTAN != "" {
			return p.reversalSTAN
		}
	case iso.StanNew:
	}
	return a.nextSTAN()
}

// askedSTAN begins the counter, where nothing else did, behind the newest payment on file: a number
// that was just used would be refused by many a host.
func (a *Agent) askedSTAN(seq uint64, stan string) {
	if n, err := strconv.Atoi(stan); err == nil && seq > a.stanAsked {
		a.stanAsked = seq
		if a.stanSeq == 0 {
			a.stan = n
		}
	}
}

// counted takes the trace number of a reversal on file for the counter's newest.
func (a *Agent) counted(seq uint64, stan string) {
	if n, err := strconv.Atoi(stan); err == nil && seq > a.stanSeq {
		a.stan, a.stanSeq = n, seq
	}
}
