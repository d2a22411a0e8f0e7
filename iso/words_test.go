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
