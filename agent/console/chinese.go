package console

// chinese are our texts in Chinese; what is missing stays English, and a test keeps it from
// missing.
var chinese = map[string]string{
	"challenge":              "口令问题",
	"on the laptop":          "在笔记本上运行",
	"answer":                 "应答",
	"PIN":                    "密码",
	"answer or PIN":          "应答或密码",
	"no answer":              "无应答",
	"%d stuck":               "%d 笔待处理",
	"logged out":             "已退出",
	"none\n":                 "没有\n",
	"\nThat is no answer.\n": "\n这不是应答。\n",
	"\nNo: %v\n":             "\n拒绝：%v\n",
	"\nToo late. Press ENTER for another challenge.\n": "\n超时。按回车键重新开始。\n",
	"\nThe answer is mistyped or was cut. Press ENTER for another challenge.\n": "\n应答有误或不完整。" +
		"按回车键重新开始。\n",
	"\nwelcome, %s. help lists the words; Tab completes them.\n": "\n欢迎，" +
		"%s。help 列出命令，Tab 补全。\n",
	"That looks like a card number. It is not taken, and not written down.\n": "这像是卡号：" +
		"不接受，也不记录。\n",
	"%d is not in a list that was shown. Say list, or show ID.\n": "列表中没有 %d。" +
		"请用 list 或 show ID。\n",
	"%q is no word here; help lists them": "没有命令 %q，" +
		"请看 help",
	"%s could be %s": "%s 可能是 %s",
	"this changes something; type its number (or all) again: ": "此操作会改变数据，" +
		"请再输入一次编号（或 all）：",
	"Nothing was done.\n": "未执行。\n",
	"That can not be written into the journal now, so it is not done.\n": "现在不能记入日志，" +
		"因此不执行。\n",
	"1 to %d shows one of them, from the top\n": "输入 1 到 %d" +
		" 显示其中一笔\n",
	"-- more -- (SPACE page, ENTER line, q stop)": "-- 更多 --（" +
		"空格翻页，回车一行，q 停止）",
	"lines wants a number from 5 to %d, or 0\n": "lines 需要 5 到 %d 的数字，" +
		"或 0\n",
	"\nsent\n":                     "\n已发送\n",
	"the relay has ended":          "中继已结束",
	"this terminal has no relay\n": "本终端不支持中继\n",
	"nobody typed for too long":    "长时间无输入",
	"the cable is gone":            "线缆已拔出",
	"the other side hung up":       "对方已挂断",
	"the line echoes":              "线路有回显",
}
