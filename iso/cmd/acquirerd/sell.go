package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"reversald/iso"
)

// sellFlags are what a person types; check turns them into a till.
type sellFlags struct {
	till
	profileName string
	amountText  string
	sentText    string
	fieldTexts  []string
	masterText  string
	asJSON      bool
	reverse     bool
	frozen      bool
	echoes      int
	hold        time.Duration
	repeat      int
}

func newSell() *cobra.Command {
	s := &sellFlags{repeat: 1, echoes: 200}
	cmd := &cobra.Command{
		Use:   "sell",
		Short: "be a till: send one sale and print what came back",
		Long: `sell words a sale, sends it to --to (the bank, or the daemon in front of it), waits
for the answer and prints one line. Exit code 0: approved, 1: declined, 2: unknown or no answer.

  --repeat N   N sales with consecutive STANs on one connection, then median and 99th percentile
  --reverse    the app's own reversal of --stan; --sent, as the sale printed it, names it exactly
  --frozen     an app that froze: a tiny receive buffer, echoes, one sale, and nothing is ever read
  --tmk        signs on first and puts authentication codes in, where the profile has them
  --field      sets any field, --field 60=22000001003; empty drops it, --field 24=`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.check(time.Now()); err != nil {
				return err
			}
			defer s.hangUp()
			switch {
			case s.frozen:
				return s.freeze(cmd.Context(), cmd.OutOrStdout())
			case s.repeat > 1:
				return s.sellMany(cmd.Context(), cmd.OutOrStdout())
			}
			if err := s.signOn(cmd.Context()); err != nil {
				return err
			}
			o, err := s.trade(cmd.Context())
			if err != nil {
				return err
			}
			return s.print(cmd.OutOrStdout(), o)
		},
	}
	s.define(cmd)
	return cmd
}

func (s *sellFlags) define(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.to, "to", defaultListen,
		"where the bank, or the daemon, listens: host:port or unix:PATH")
	f.StringVar(&s.profileName, "profile", defaultProfile, "built-in profile, or a profile file")
	f.StringVar(&s.mti, "mti", "0200", "message type: 0100, 0200, 0400, 0500, 0800; 1200 and so on")
	f.StringVar(&s.amountText, "amount", "1.00", "amount, two decimals")
	f.StringVar(&s.currency, "currency", "156", "currency, numeric")
	f.StringVar(&s.tid, "tid", "TERM0001", "terminal, up to 8 characters")
	f.StringVar(&s.mid, "mid", "MERCHANT0000001", "merchant, 15 characters")
	f.Var((*decimal)(&s.stan), "stan", "STAN, 1 to 999999; 0 takes one from the clock")
	f.StringVar(&s.sentText, "sent", "", "time in DE 7, 12 and 13, MMDDhhmmss; now when empty")
	f.StringVar(&s.pan, "pan", "4111111111111111", "card number (a test card)")
	f.StringVar(&s.expiry, "expiry", "3012", "expiry, YYMM")
	f.BoolVar(&s.track, "track", false, "swipe the card: DE 35 instead of DE 2 and 14")
	f.StringArrayVar(&s.fieldTexts, "field", nil, "set a field, N=VALUE; may be repeated")
	f.DurationVar(&s.timeout, "timeout", 35*time.Second, "how long to wait for the answer")
	f.StringVar(&s.lang, "lang", "en", "words for the cashier: en or zh")
	f.StringVar(&s.masterText, "tmk", "", "sign on with this master key, 32 hexadecimal digits")
	f.BoolVar(&s.asJSON, "json", false, "print JSON")
	f.Var((*decimal)(&s.repeat), "repeat", "so many sales, one after the other")
	f.BoolVar(&s.reverse, "reverse", false, "send the app's own reversal of --stan")
	f.BoolVar(&s.frozen, "frozen", false, "sell and never read")
	f.Var((*decimal)(&s.echoes), "echoes", "with --frozen: echoes sent before the sale")
	f.DurationVar(&s.hold, "hold", 0, "with --frozen: how long to hold on; 0: until killed")
}

// check reports every fault at once.
func (s *sellFlags) check(now time.Time) error {
	var faults []error
	var err error
	if s.profile, err = profileOf(s.profileName); err != nil {
		return err
	}
	if s.mti == "0200" && s.profile.ClassOf(s.mti) != iso.ClassPayment {
		s.mti = "1200" // a dialect of 1993
	}
	if s.master, err = parseMaster(s.masterText); err != nil {
		faults = append(faults, err)
	}
	if s.reverse {
		if s.profile.ClassOf(s.mti) == iso.ClassPayment {
			s.mti = s.profile.ReversalMTI(1)
		}
		if s.stan == 0 {
			faults = append(faults, errors.New("--reverse wants the --stan of the sale"))
		}
	}
	if s.profile.AnswerMTI(s.mti) == "" {
		faults = append(faults, fmt.Errorf("--mti %q asks for nothing in this profile", s.mti))
	}
	if s.amount, err = parseAmount(s.amountText); err != nil {
		faults = append(faults, err)
	}
	if s.stan < 0 || s.stan > 999_999 {
		faults = append(faults, errors.New("--stan goes from 1 to 999999"))
	}
	if s.stan == 0 {
		s.stan = int(now.UnixMilli()%999_999) + 1 // no two sales of a loop in a shell have the same
	}
	s.sent = now
	if s.sentText != "" {
		at, err := time.ParseInLocation("20060102150405",
			strconv.Itoa(now.Year())+s.sentText, now.Location())
		if err != nil {
			faults = append(faults, errors.New("--sent wants MMDDhhmmss"))
		}
		s.sent, s.linked = at, true
	}
	if s.repeat < 1 || s.timeout <= 0 || s.echoes < 0 {
		faults = append(faults, errors.New("--repeat and --timeout want more than nothing"))
	}
	s.extra = make(map[int]string)
	for _, text := range s.fieldTexts {
		number, value, ok := strings.Cut(text, "=")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 2 || n > 128 {
			faults = append(faults, errors.New("--field wants N=VALUE, N from 2 to 128"))
			continue
		}
		s.extra[n] = value
	}
	if len(faults) > 0 {
		return usage(errors.Join(faults...))
	}
	return nil
}

// parseAmount reads 12.34, 12.3 or 12 as minor units of two decimals.
func parseAmount(text string) (int64, error) {
	fault := fmt.Errorf("--amount %q: want an amount such as 12.34", text)
	whole, cents, _ := strings.Cut(text, ".")
	if len(cents) > 2 || whole == "" || len(whole) > 10 {
		return 0, fault
	}
	n, err := strconv.ParseUint(whole+(cents + "00")[:2], 10, 63)
	if err != nil {
		return 0, fault
	}
	return int64(n), nil
}

// print prints one outcome and turns it into the exit code.
func (s *sellFlags) print(w io.Writer, o outcome) error {
	if s.asJSON {
		if err := json.NewEncoder(w).Encode(o); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintln(w, s.line(o)); err != nil {
		return err
	}
	if code := o.exitCode(); code != exitOK {
		return exitError(code)
	}
	return nil
}

// line is the outcome for people.
func (s *sellFlags) line(o outcome) string {
	words := []string{
		fmt.Sprintf("%-8s", o.Outcome), s.tid, o.STAN, s.amountText,
	}
	if o.MTI != "" {
		words = append(words, o.MTI, "code "+orDash(o.Code), "rrn "+orDash(o.RRN),
			"auth "+orDash(o.Auth))
	}
	words = append(words, fmt.Sprintf("%.1f ms", o.MS))
	if o.Strays > 0 {
		words = append(words, fmt.Sprintf("strays %d", o.Strays))
	}
	for _, text := range []string{o.Why, o.Words} {
		if text != "" {
			words = append(words, text)
		}
	}
	return strings.Join(words, "  ")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
