package api

import (
	"strconv"
	"strings"

	"reversald/agent"
	"reversald/iso"
)

// The outcomes of a payment. Only declined, not_sent and reversed mean that the card is not
// charged.
const (
	outcomeApproved = "approved"
	outcomeDeclined = "declined"
	outcomeUnknown  = "unknown"
	outcomeNotSent  = "not_sent"
	outcomeReversed = "reversed" // only when asked later: the host has undone it
)

// Payment is a payment as this door tells it: the facts, what they mean, and what to do.
type Payment struct {
	agent.Payment
	Outcome string `json:"outcome"`
	Text    string `json:"text"` // for the cashier
	Next    Next   `json:"next"`
}

// Next is what to do: a word for programs and a sentence for people.
type Next struct {
	Do   string `json:"do"`
	Text string `json:"text"`
}

// nextConfirm is the one word that no profile has: the app must confirm, or cancel.
const nextConfirm = "confirm"

// nexts are the words for what to do, with their sentences in English and Chinese.
var nexts = map[string][2]string{
	nextConfirm: {
		"Finish the sale and confirm it, or cancel it. Not confirmed in time, it is reversed",
		"请完成交易并确认，或取消。超时未确认将自动冲正",
	},
	iso.ActionDone.String():      {"Nothing more to do", "无需操作"},
	iso.ActionTryAgain.String():  {"The same again is safe, with a new key", "可使用新的请求号重试"},
	iso.ActionTryLater.String():  {"Try again in a while, with a new key", "请稍后使用新的请求号重试"},
	iso.ActionOtherCard.String(): {"Take another card or another way to pay", "请换卡或使用其他支付方式"},
	iso.ActionEnterPIN.String():  {"Ask for the PIN again, with a new key", "请重新输入密码"},
	iso.ActionCall.String():      {"Call the card's bank or the acquirer", "请联系发卡行或收单行"},
	iso.ActionHoldCard.String():  {"Keep the card if that is safe, and call", "如安全请留卡并联系银行"},
	iso.ActionCheckLast.String(): {"Look at the last receipt first", "请先查询上一笔交易"},
	iso.ActionWait.String(): {
		"Wait and ask again. Do not swipe again, do not refund",
		"请等待并查询结果，请勿重复刷卡或退款",
	},
	iso.ActionSignOn.String():     {"The terminal signs on again; then try again", "请重新签到后再试"},
	iso.ActionTechnician.String(): {"Call the technician", "请联系技术人员"},
}

func nextOf(word, lang string) Next {
	text := nexts[word][0]
	if lang == "zh" {
		text = nexts[word][1]
	}
	return Next{Do: word, Text: text}
}

// tell says what a payment's facts mean, in the cashier's language.
func (s *server) tell(p agent.Payment, lang string) Payment {
	t := Payment{Payment: p}
	var action iso.Action
	situation := func(outcome string, of iso.Situation) {
		t.Outcome = outcome
		t.Text, action = iso.OutcomeWords(of, lang)
	}
	switch p.Phase {
	case "approved", "confirmed":
		t.Outcome = outcomeApproved
		t.Text, action = s.words(p.Code, lang)
		t.Next = nextOf(iso.ActionDone.String(), lang)
		if p.Phase == "approved" && p.Confirms {
			t.Next = nextOf(nextConfirm, lang)
		}
		return t
	case "declined":
		t.Outcome = outcomeDeclined
		t.Text, action = s.words(p.Code, lang)
	case "unsent":
		situation(outcomeNotSent, iso.SituationNotSent)
	case "reversed":
		situation(outcomeReversed, iso.SituationReversed)
	case "stuck":
		situation(outcomeUnknown, iso.SituationStuck)
	case "asked":
		t.Outcome, action = outcomeUnknown, iso.ActionWait
		t.Text, _ = iso.Words("09", lang)
	case "resolved":
		t.Outcome, action = outcomeUnknown, iso.ActionCall
		t.Text = map[string]string{
			"en": "Closed by a person, see why", "zh": "已由人工处理，请查看原因",
		}[lang]
	default: // doubted, and whatever else is neither yes nor no
		situation(outcomeUnknown, iso.SituationUnknown)
	}
	t.Next = nextOf(action.String(), lang)
	return t
}

func (s *server) tellAll(all []agent.Payment, lang string) []Payment {
	told := make([]Payment, 0, len(all))
	for _, p := range all {
		told = append(told, s.tell(p, lang))
	}
	return told
}

// words are the profile's for a response code of the host.
func (s *server) words(code, lang string) (string, iso.Action) {
	if s.profile == nil {
		return iso.Words(code, lang)
	}
	return s.profile.Words(code, lang)
}

// languageOf chooses English or Chinese by an Accept-Language header (RFC 9110, 12.5.4).
func languageOf(header string) string {
	best := map[string]float64{"en": 0, "zh": 0}
	for _, part := range strings.Split(header, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			if v, err := strconv.ParseFloat(q, 64); err == nil {
				weight = v
			}
		}
		if base == "*" {
			base = "en"
		}
		if known, ok := best[base]; ok {
			best[base] = max(known, weight)
		}
	}
	if best["zh"] > best["en"] {
		return "zh"
	}
	return "en"
}
