package iso_test

import (
	"fmt"
	"strings"
	"testing"

	"reversald/iso"
)

// Reversal rules 8.1: never "try again" for an unknown outcome, in any language.
func TestNobodyIsToldToTryAgainWhenTheOutcomeIsUnknown(t *testing.T) {
	text := "name: n\nextends: iso87-ascii\ncodes:\n  ambiguous: ['30', '68', '91', '98']\n" +
		"answers:\n  retry: ['96']\n  stuck: []\n" +
		"texts:\n  '91': {en: please try again, zh: 请重试, action: try_again}\n"
	p, err := iso.Parse([]byte(text), "n")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 36 * 36 {
		code := string("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i/36]) + string("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i%36])
		for _, lang := range []string{"en", "zh", "zh-CN", "ZH_hk", "fr", ""} {
			words, action := p.Words(code, lang)
			if words == "" || action == 0 {
				t.Fatalf("code %s has no words", code)
			}
			outcome := p.Outcome(code)
			if (action == iso.ActionDone) != (outcome == iso.OutcomeApproved) {
				t.Errorf("code %s is %v and reads %q (%v)", code, outcome, words, action)
			}
			unknown := outcome == iso.OutcomeAmbiguous || outcome == iso.OutcomeProvisional
			if unknown && action != iso.ActionWait {
				t.Errorf("code %s is %v, and the cashier is told to %v", code, outcome, action)
			}
		}
	}
	if words, action := iso.Words("68", "zh"); action != iso.ActionWait || strings.Contains(words, "重试") {
		t.Errorf("68 reads %q", words)
	}
	if words, _ := iso.Words("51", "zh-CN"); words != "可用余额不足" {
		t.Errorf("51 reads %q", words)
	}
	if words, _ := iso.Words("51", "en-GB"); words != "Not enough money in the account" {
		t.Errorf("51 reads %q", words)
	}
}

func TestOurOwnOutcomesHaveWords(t *testing.T) {
	for s := iso.SituationUnknown; s <= iso.SituationRefused; s++ {
		for _, lang := range []string{"en", "zh"} {
			words, action := iso.OutcomeWords(s, lang)
			if words == "" || strings.Contains(fmt.Sprint(action), "unknown") {
				t.Errorf("situation %d has no words", s)
			}
			if s == iso.SituationUnknown || s == iso.SituationStuck {
				forbids := strings.Contains(words, "do not refund") || strings.Contains(words, "请勿重复刷卡或退款")
				if !forbids || action == iso.ActionTryAgain || action == iso.ActionTryLater {
					t.Errorf("situation %d reads %q (%v)", s, words, action)
				}
			}
		}
	}
	if _, action := iso.OutcomeWords(0, "en"); action != iso.ActionWait {
		t.Error("an unknown situation must promise nothing")
	}
}

// Reversal rules 8.1, code by code: what the cashier reads and does.
func TestEveryCodeOfTheTable(t *testing.T) {
	table := map[iso.Action]string{
		iso.ActionDone:       "00 08 10 11 16 A2 A4 A5 A6",
		iso.ActionCall:       "01 02 22 25 38 64",
		iso.ActionTechnician: "03 97",
		iso.ActionHoldCard:   "04 34 41 43",
		iso.ActionOtherCard:  "05 12 14 15 21 40 51 54 57 58 59 61 62 65 75",
		iso.ActionTryAgain:   "13 30",
		iso.ActionEnterPIN:   "55",
		iso.ActionWait:       "68 09",
		iso.ActionSignOn:     "77 99 A0",
		iso.ActionTryLater:   "90 91 92 96 98",
		iso.ActionCheckLast:  "94",
	}
	for action, codes := range table {
		for _, code := range strings.Fields(codes) {
			for _, lang := range []string{"en", "zh"} {
				words, got := iso.Words(code, lang)
				if got != action {
					t.Errorf("%s reads %q: %v, want %v", code, words, got, action)
				}
				isChinese := strings.ContainsFunc(words, func(r rune) bool { return r > 0x2E80 })
				if words == "" || isChinese != (lang == "zh") {
					t.Errorf("%s in %s reads %q", code, lang, words)
				}
			}
		}
	}
	if words, action := iso.Words("ZZ", "zh"); words != "交易失败" || action != iso.ActionOtherCard {
		t.Errorf("an unknown code reads %q, %v", words, action)
	}
}

// Never "try again" for an unknown outcome, in any of the dialects that come with the program: not
// for a code that is ambiguous or provisional, and for no code that an app gets from us instead.
func TestNoDialectInvitesASecondCharge(t *testing.T) {
	for _, name := range iso.BuiltinNames() {
		p := builtin(t, name)
		codes := []string{"", p.Codes().Unknown}
		for i := range 1000 {
			codes = append(codes, fmt.Sprintf("%02d", i%100), fmt.Sprintf("%03d", i))
		}
		for _, code := range codes {
			outcome := p.Outcome(code)
			unknown := outcome == iso.OutcomeAmbiguous || outcome == iso.OutcomeProvisional
			for _, lang := range []string{"en", "zh"} {
				words, action := p.Words(code, lang)
				if unknown && (action != iso.ActionWait || strings.Contains(words, "try") || strings.Contains(words, "重试")) {
					t.Errorf("%s: %q reads %q (%v)", name, code, words, action)
				}
				if (action == iso.ActionDone) != (outcome == iso.OutcomeApproved) {
					t.Errorf("%s: %q is %v and reads %q (%v)", name, code, outcome, words, action)
				}
			}
		}
		if p.Outcome(p.Codes().Unknown) != iso.OutcomeAmbiguous {
			t.Errorf("%s: an app that is told %q would not know that the outcome is unknown", name, p.Codes().Unknown)
		}
	}
}
