package acquirer_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"reversald/iso/acquirer"
)

func parse(t *testing.T, spec string) *acquirer.Manners {
	t.Helper()
	m, err := acquirer.ParseManners(spec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func asked(mti, tid, stan string) acquirer.Asked {
	answers := map[string]string{"0100": "0110", "0200": "0210", "0400": "0410", "0401": "0410"}
	return acquirer.Asked{
		MTI: mti, AnswerMTI: answers[mti], Terminal: tid, STAN: stan, AmountMinor: 1234,
	}
}

// TestMannersChoose: which rule each of a row of messages meets.
func TestMannersChoose(t *testing.T) {
	sale := asked("0200", "T1", "000123")
	back := asked("0400", "T1", "000123")
	other := asked("0200", "T2", "000124")
	for _, test := range []struct {
		name, spec string
		asks       []acquirer.Asked
		want       string // the manners taken, - for none
	}{
		{"nothing", "", []acquirer.Asked{sale}, "-"},
		{"by message", "0200:silent", []acquirer.Asked{sale, back, sale}, "silent - silent"},
		{"by answer", "0210:silent", []acquirer.Asked{sale, back}, "silent -"},
		{"by class", "04xx:silent", []acquirer.Asked{sale, back}, "- silent"},
		{"the second", "0200#2:twice", []acquirer.Asked{sale, back, sale, sale}, "- - twice -"},
		{"the second of any", "#2:twice", []acquirer.Asked{sale, back, sale}, "- twice -"},
		{
			"the next two", "0400:code=96 x2",
			[]acquirer.Asked{back, sale, back, back},
			"code=96 - code=96 -",
		},
		{"by STAN, zeros to be had", "stan=123:cut-after", []acquirer.Asked{other, sale}, "- cut-after"},
		{
			"by terminal and message", "tid=T1,0200:decline=51",
			[]acquirer.Asked{other, sale, back},
			"- decline=51 -",
		},
		{"by amount", "amount=1234:silent; amount=5:twice", []acquirer.Asked{sale}, "silent"},
		{"always", "late=3s+twice", []acquirer.Asked{sale, back}, "late=3s+twice late=3s+twice"},
		{
			"the first rule that fits", "stan=000123:good; 0200:silent",
			[]acquirer.Asked{sale, other},
			"good silent",
		},
		{
			"a rule counts what another took", "0200#1:silent; 0200#2:twice",
			[]acquirer.Asked{sale, sale},
			"silent twice",
		},
		{
			"a used-up rule makes way", "0200:silent x1\n0200:twice",
			[]acquirer.Asked{sale, sale},
			"silent twice",
		},
		{"never", "p=0:silent", []acquirer.Asked{sale, sale}, "- -"},
		{"for sure", "p=1:silent", []acquirer.Asked{sale, sale}, "silent silent"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := parse(t, test.spec)
			var got []string
			for _, q := range test.asks {
				text := m.Plan(q).Text
				if text == "" {
					text = "-"
				}
				got = append(got, text)
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestMannersPlan(t *testing.T) {
	q := asked("0200", "T1", "000123")
	got := parse(t, "late=1500ms+code=96+wrong-stan+wrong-mti+wrong-tid+twice+split=2ms+garbage+cut-after").
		Plan(q)
	got.Noise, got.Text = 0, ""
	want := acquirer.Plan{
		Say: "96", Late: 1500 * time.Millisecond, Split: 2 * time.Millisecond, Twice: true,
		WrongSTAN: true, WrongMTI: true, WrongTID: true, Garbage: true, End: acquirer.EndCutAfter,
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := parse(t, "refuse=10s").Plan(q); got.End != acquirer.EndAway || got.AwayFor != 10*time.Second {
		t.Errorf("got %+v", got)
	}
}

// TestMannersChanceHasASeed: the same seed gives the same misbehaviour.
func TestMannersChanceHasASeed(t *testing.T) {
	draw := func(spec string) string {
		m := parse(t, spec)
		var b strings.Builder
		for range 200 {
			if m.Plan(asked("0200", "T1", "000001")).Text == "" {
				b.WriteByte('.')
			} else {
				b.WriteByte('x')
			}
		}
		return b.String()
	}
	one, again, other := draw("seed=7;p=0.1:silent"), draw("seed=7;p=0.1:silent"), draw("seed=8;p=0.1:silent")
	if one != again {
		t.Errorf("seed 7 gave two histories:\n%s\n%s", one, again)
	}
	if one == other {
		t.Error("seeds 7 and 8 gave the same history")
	}
	if n := strings.Count(one, "x"); n < 5 || n > 45 {
		t.Errorf("%d of 200 at p=0.1", n)
	}
}

func TestMannersFaultsHaveAPlace(t *testing.T) {
	for spec, want := range map[string]string{
		"0200:sillent":          `manners, column 6: no manner "sillent"`,
		"0200:silent; 02:twice": `manners, column 14: want an MTI such as 0200 or 04xx, or a condition such as "tid=T1"`,
		"0200:":                 `manners, column 6: no manner ""`,
		"0200#0:silent":         `manners, column 6: want a count from 1 to 1000000`,
		"0200:silent x":         `manners, column 14: want a count from 1 to 1000000`,
		"0200:silent x+3":       `manners, column 14: want a count from 1 to 1000000`,
		"0200 :silent":          `manners, column 5: a space belongs only before "xN"; rules are parted by ";"`,
		"0200:late":             `manners, column 6: "late" wants a value, as in "late=3s"`,
		"0200:late=soon":        `manners, column 6: want a duration up to 10m0s, such as 200ms or 3s`,
		"0200:twice+late=-1s":   `manners, column 12: want a duration up to 10m0s, such as 200ms or 3s`,
		"p=2:silent":            `manners, column 3: want a probability from 0 to 1`,
		"p=NaN:silent":          `manners, column 3: want a probability from 0 to 1`,
		"stan=12a:silent":       `manners, column 6: want a STAN of 1 to 6 digits`,
		"0200,tid=:silent":      `manners, column 10: want a terminal of 1 to 16 characters`,
		"card=4111:silent":      `manners, column 1: no condition "card"; there are tid, stan, amount, p`,
		"silent+cut-after":      `manners, column 8: two endings; one of silent, unbooked-silent, cut-…, half-frame, refuse`,
		"decline=51+code=96":    `manners, column 12: two answer codes`,
		"decline=5":             `manners, column 1: want an answer code of two or three characters`,
		"silent=yes":            `manners, column 1: no manner "silent" with a value`,
		"seed=x":                `manners, column 6: want a seed, a number from 0`,
	} {
		_, err := acquirer.ParseManners(spec)
		var fault *acquirer.SpecError
		if !errors.As(err, &fault) || err.Error() != want {
			t.Errorf("%q: got %v, want %s", spec, err, want)
		}
	}
	if _, err := acquirer.ParseManners(strings.Repeat("silent;", 65)); err == nil {
		t.Error("65 rules were taken")
	}
	if _, err := acquirer.ParseManners(strings.Repeat(" ", 5000)); err == nil {
		t.Error("5000 bytes were taken")
	}
}

func TestNobodyHasManners(t *testing.T) {
	var m *acquirer.Manners
	if m.Plan(asked("0200", "T1", "1")) != (acquirer.Plan{}) || m.String() != "" || len(m.Uses()) != 0 {
		t.Error("nil manners do something")
	}
}

// FuzzManners: no text panics, and what is accepted is written and read back the same.
func FuzzManners(f *testing.F) {
	for _, seed := range []string{
		"0200:silent", "0200:late=3s", "0200#2:twice", "stan=000123:cut-after",
		"tid=T1,0200:decline=51", "0400:code=96 x3", "seed=7; p=0.1:silent", "refuse=3s",
		"04xx,amount=1:split=5ms+wrong-stan x2\n#3:garbage", ";;\n", "0200:silent x", "p=1e-3:good",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		m, err := acquirer.ParseManners(spec)
		if err != nil {
			var fault *acquirer.SpecError
			if !errors.As(err, &fault) || fault.Column < 1 || fault.Column > len(spec)+1 {
				t.Fatalf("%q: %v", spec, err)
			}
			return
		}
		m.Plan(asked("0200", "T1", "000123"))
		text := m.String()
		again, err := acquirer.ParseManners(text)
		if err != nil {
			t.Fatalf("%q was written as %q: %v", spec, text, err)
		}
		if again.String() != text {
			t.Fatalf("%q, then %q", text, again.String())
		}
	})
}
