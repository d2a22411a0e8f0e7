package verbs

// chineseHelp is what help says, in Chinese.
var chineseHelp = pairs(
	"a bundle about one payment, for a dispute",
	"一笔交易的证据包，用于争议",
	"a failed sale leaves no debit",
	"失败的交易不留扣款",
	"close a stuck payment by hand, with a reason",
	"人工关闭卡住的交易，须说明原因",
	"colours: auto, always or never (NO_COLOR and CLICOLOR_FORCE count too)",
	"颜色：auto、always 或 never（NO_COLOR 和 CLICOLOR_FORCE 同样有效）",
	"doctor looks at disk, file system, journal, clock, key, permissions, daemon and\n"+
		"line, and says what to do. It works with the daemon away too. Exit code 0: all\n"+
		"is well; 1: somebody should look; 2: payments are in danger, or stuck.",
	"doctor 检查磁盘、文件系统、日志、时钟、密钥、权限、守护进程和线路，\n"+
		"并说明如何处理。守护进程不在时也可用。退出码 0：一切正常；\n"+
		"1：应有人查看；2：交易有危险或卡住。",
	"en or zh; else LC_ALL, LC_MESSAGES or LANG decides",
	"en 或 zh（中文）；否则由 LC_ALL、LC_MESSAGES 或 LANG 决定",
	"evidence gathers everything on file about one payment: its entries as they lie\n"+
		"in the journal with what ties them to it, its messages, masked, and a signature.\n"+
		"json is the bundle that verify proves; text and html are pages to print, which\n"+
		"carry its fingerprint. No card number is in any of them.",
	"evidence 汇集一笔交易的全部存档：日志原始记录及其链接、\n"+
		"屏蔽后的报文和签名。json 是 verify 可以验证的证据包；\n"+
		"text 和 html 是可打印的页面，带有其指纹。均不含完整卡号。",
	"hold stops sending the reversal of one payment, until release. It closes\n"+
		"nothing: the payment stays owed, counted and shown, also after a restart. New\n"+
		"sales do not wait for it.",
	"hold 暂停发送一笔冲正，直到 release。它不关闭任何交易：\n"+
		"冲正仍然欠着、计数并显示，重启后也是如此。新交易不等待它。",
	"how long one screen stands: 500ms, 5s",
	"每屏停留时间：500ms、5s",
	"how many entries to begin with",
	"先显示多少条",
	"is everything in order here, and what to do if not?",
	"一切是否正常？如不正常如何处理？",
	"is nothing owed, so that the device may be swapped?",
	"是否不欠冲正，可以更换设备？",
	"is the line up, and is anything owed?",
	"线路是否正常？是否欠冲正？",
	"its messages, masked, as hexadecimal",
	"屏蔽后的报文，十六进制",
	"json, text or html",
	"json、text 或 html（页面）",
	"kinds of entries: asked,stuck,...; or open",
	"记录种类：asked,stuck,...；或 open（未结）",
	"let the attempts at a held reversal go on",
	"恢复发送暂停的冲正",
	"not after",
	"不晚于",
	"not before: 10m, 2026-03-01 or 2026-03-01T09:30",
	"不早于：10m、2026-03-01 或 2026-03-01T09:30",
	"of this terminal (DE 41)",
	"此终端的（DE 41）",
	"one screen, without clearing it",
	"只显示一屏，不清屏",
	"payments that are not closed yet",
	"尚未结束的交易",
	"payments that need a person (exit 1 if there are any)",
	"需要人工处理的交易（有则退出码为 1）",
	"print JSON for programs",
	"输出 JSON，供程序使用",
	"ready-to-remove ends with exit code 0 when no payment is open on this terminal,\n"+
		"and with 1 when one is: then the device must stay, or its journal goes along.",
	"本终端没有未结交易时 ready-to-remove 退出码为 0，\n否则为 1：此时设备必须保留，或日志随之带走。",
	"replay sends the reversal of a payment again, now: of a stuck one, or of one\n"+
		"that waits for its next try. all is every stuck one.",
	"replay 立即重发一笔冲正：卡住的，或正在等待下次发送的。\nall 表示所有卡住的。",
	"resolve closes a stuck payment: nothing of it is sent any more. Do it when the\n"+
		"acquirer has said that no debit is left. Name and reason go on file.",
	"resolve 关闭卡住的交易：不再发送任何报文。\n收单机构确认没有扣款之后再做。姓名和原因会记入日志。",
	"reversald tail shows the numbers of payments, reversald stuck those stuck",
	"reversald tail 显示交易编号，reversald stuck 显示卡住的",
	"see reversald --help",
	"见 reversald --help（帮助）",
	"send a stuck reversal again, now",
	"立即重发卡住的冲正",
	"show tells what was asked, what left the terminal, why it is in doubt, every\n"+
		"attempt at reversing it and its answer, and what happens next and when.",
	"show 说明请求了什么、发出了什么、为何存疑、\n每次冲正及其应答，以及接下来何时做什么。",
	"start it with reversald run, or name its socket with --socket",
	"请用 reversald run 启动，或用 --socket 指定套接字",
	"stop our attempts at one reversal; it stays owed",
	"暂停发送一笔冲正；仍然欠着",
	"tail prints journal entries, and with -f waits for more. Filters narrow it: an\n"+
		"entry is shown when all of them fit. Terminal, STAN and RRN are those of its\n"+
		"payment.\n"+
		"\n"+
		"  reversald tail -f --state stuck,reversed\n"+
		"  reversald tail -n 1000 --stan 000123 --since 2h -o json\n"+
		"  reversald tail -n 5 --mti 0400 -o hex",
	"tail 显示日志记录，加 -f 则等待新的。过滤条件须全部满足。\n"+
		"终端号、流水号和参考号指其所属交易的。\n"+
		"\n"+
		"  reversald tail -f --state stuck,reversed\n"+
		"  reversald tail -n 1000 --stan 000123 --since 2h -o json\n"+
		"  reversald tail -n 5 --mti 0400 -o hex",
	"text, json (one object a line, with v), or hex (masked messages)",
	"text、json（每行一个对象，含 v）或 hex（屏蔽后的报文）",
	"the journal's entries instead",
	"改为显示日志记录",
	"the line to the host, and when it was last heard",
	"到主机的线路，以及最近何时收到数据",
	"the newest journal entries; -f waits for more",
	"最新的日志记录；-f 等待更多",
	"the story of one payment, in plain sentences",
	"一笔交易的经过，用平实的语句",
	"wait for more entries",
	"等待更多记录",
	"what goes on, live, on one screen; Ctrl-C ends it",
	"实时显示在一屏内；按 Ctrl-C 结束",
	"who helps, and what to do first",
	"联系谁，以及先做什么",
	"who says so; it goes on file",
	"何人下令；会记入日志",
	"why is it not reversed yet?",
	"为何还没有冲正？",
	"why; it goes on file",
	"原因；会记入日志",
	"with this message type: 0200; 0400 is any reversal",
	"报文类型：0200；0400 指所有冲正",
	"with this reference (DE 37)",
	"参考号（DE 37）",
	"with this response code (DE 39)",
	"应答码（DE 39）",
	"with this trace number (DE 11)",
	"流水号（DE 11）",
	"write it there, instead of printing it",
	"写入该文件，而不是显示",
)
