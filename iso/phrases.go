package iso

// phraseDeclined is for every code that has no text of its own.
var phraseDeclined = phrase{"Declined", "交易失败", ActionOtherCard}

// phrases are the response codes of ISO 8583:1987 and of UnionPay terminals, as cashiers see them.
// Codes after which the outcome is not known never suggest another try.
var phrases = map[string]phrase{
	"00": {"Approved", "交易成功", ActionDone},
	"01": {"Cardholder: please call your bank", "请持卡人与发卡银行联系", ActionCall},
	"02": {"Cardholder: please call your bank", "请持卡人与发卡银行联系", ActionCall},
	"03": {"Merchant not valid", "无效商户", ActionTechnician},
	"04": {"Keep this card and call the bank", "此卡被没收,请与银行联系", ActionHoldCard},
	"05": {"Not authorized by the card's bank", "持卡人认证失败", ActionOtherCard},
	"08": {"Approved, check the cardholder's identity", "交易成功,请核对持卡人身份", ActionDone},
	"09": {"In progress, please wait", "交易处理中,请稍候", ActionWait},
	"10": {"Approved for part of the amount", "部分金额承兑", ActionDone},
	"11": {"Approved", "交易成功,重要客户", ActionDone},
	"12": {"Transaction not valid", "无效交易", ActionOtherCard},
	"13": {"Amount not valid", "无效金额", ActionTryAgain},
	"14": {"Card number not valid", "无效卡号", ActionOtherCard},
	"15": {"No bank for this card", "此卡无对应发卡方", ActionOtherCard},
	"16": {"Approved", "交易成功", ActionDone},
	"21": {"Card not active", "该卡未初始化或睡眠卡", ActionOtherCard},
	"22": {"Not possible, or too many days ago", "操作有误或超出交易允许天数", ActionCall},
	"25": {"Original not found, call the card's bank", "没有原始交易,请联系发卡方", ActionCall},
	"30": {"Message refused, please try again", "请重试", ActionTryAgain},
	"34": {"Keep this card and call the bank", "作弊卡,请与银行联系", ActionHoldCard},
	"38": {"Too many wrong PINs, call the card's bank", "密码错误次数超限,请与发卡方联系", ActionCall},
	"40": {"Card's bank does not do this", "发卡方不支持的交易类型", ActionOtherCard},
	"41": {"Lost card, keep it and call the bank", "挂失卡,请没收", ActionHoldCard},
	"43": {"Stolen card, keep it and call the bank", "被窃卡,请没收", ActionHoldCard},
	"51": {"Not enough money in the account", "可用余额不足", ActionOtherCard},
	"54": {"Card has expired", "该卡已过期", ActionOtherCard},
	"55": {"Wrong PIN", "密码错", ActionEnterPIN},
	"57": {"Card is not allowed to do this", "不允许此卡交易", ActionOtherCard},
	"58": {"Terminal is not allowed to do this", "发卡方不允许该卡在本终端进行此交易", ActionOtherCard},
	"59": {"Card check failed", "卡片校验错", ActionOtherCard},
	"61": {"Amount over the card's limit", "交易金额超限", ActionOtherCard},
	"62": {"Restricted card", "受限制的卡", ActionOtherCard},
	"64": {"Amount differs from the original", "交易金额与原交易不匹配", ActionCall},
	"65": {"Card used too often today", "超出消费次数限制", ActionOtherCard},
	"68": {
		"No answer in time. Being reversed: do not swipe again, do not refund",
		"交易超时,结果未知,系统正在自动冲正,请勿重复刷卡或退款", ActionWait,
	},
	"75": {"Too many wrong PINs", "密码错误次数超限", ActionOtherCard},
	"77": {"Terminal must sign on again", "请重新签到", ActionSignOn},
	"90": {"Host is closing its day, try later", "系统日切,请稍后重试", ActionTryLater},
	"91": {"Card's bank is not reachable, try later", "发卡方状态不正常,请稍后重试", ActionTryLater},
	"92": {"Line to the bank is down, try later", "发卡方线路异常,请稍后重试", ActionTryLater},
	"94": {"Duplicate: look at the last receipt first", "重复交易,请先查询上一笔交易", ActionCheckLast},
	"96": {"Host is out of order, try later", "交换中心异常,请稍后重试", ActionTryLater},
	"97": {"Terminal is not registered", "终端未登记,请联系收单行", ActionTechnician},
	"98": {"Card's bank did not answer, try later", "发卡方超时,请稍后重试", ActionTryLater},
	"99": {"PIN format wrong, terminal must sign on again", "PIN格式错,请重新签到", ActionSignOn},
	"A0": {"Message check failed, terminal must sign on again", "MAC校验错,请重新签到", ActionSignOn},
	"A2": {"Approved, confirm with the card's bank", "交易成功,请向发卡行确认", ActionDone},
	"A4": {"Approved, confirm with the card's bank", "交易成功,请向发卡行确认", ActionDone},
	"A5": {"Approved, confirm with the card's bank", "交易成功,请向发卡行确认", ActionDone},
	"A6": {"Approved, confirm with the card's bank", "交易成功,请向发卡行确认", ActionDone},
}

// situations are the outcomes that are ours to tell. The one thing they must get across: while a
// payment is being reversed, a refund on top is the shop's loss, and a second swipe the customer's.
var situations = map[Situation]phrase{
	SituationUnknown: {
		"Result not known, being reversed. Do not swipe again, do not refund",
		"交易结果未知,系统正在自动冲正,请勿重复刷卡或退款", ActionWait,
	},
	SituationReversed: {
		"Reversed. The money goes back to the card; you may start again",
		"冲正成功,款项将退回持卡人账户,可重新交易", ActionTryAgain,
	},
	SituationStuck: {
		"Reversal not confirmed. Do not swipe again, do not refund; call the acquirer",
		"冲正未确认,请勿重复刷卡或退款,请联系收单行", ActionCall,
	},
	SituationNotSent: {
		"Not sent, nothing was charged. Please try again",
		"交易未发出,未扣款,请重试", ActionTryAgain,
	},
	SituationBusy: {
		"Terminal is busy, nothing was charged. Try in a moment",
		"终端忙,未扣款,请稍后重试", ActionTryLater,
	},
	SituationOwed: {
		"An earlier payment is being reversed first, nothing was charged. Try later",
		"上一笔交易正在冲正,本笔未扣款,请稍后重试", ActionTryLater,
	},
	SituationRefused: {
		"Message cannot be sent, nothing was charged. Call the technician",
		"报文无法发送,未扣款,请联系技术人员", ActionTechnician,
	},
}
