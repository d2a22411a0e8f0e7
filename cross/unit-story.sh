#!/usr/bin/env bash
# Played inside a Debian that systemd has booted: cross/unit-test.sh calls it there.
# One line a check; exits 1 when one failed.
set -uo pipefail
# shellcheck source=cross/unit-checks.sh
. "$(dirname "$0")/unit-checks.sh"

installs() {
	mknod /dev/watchdog c 10 130 # only to be named in the policy: nothing opens it
	check 'the deb installs, and its scripts run' dpkg -i /story/old.deb
	check 'active at once: systemd was told READY=1 (Type=notify)' active
	check 'systemd understands every line of the units' \
		systemd-analyze verify --man=no $unit "${sockets[@]}"
	refused 'and complains of none in its log' journalctl --boot --quiet \
		--grep='reversald.*(Unknown|Failed to (parse|resolve|add)|ignoring|deprecated)' _PID=1
	check 'service and sockets begin with the machine' systemctl is-enabled $unit "${sockets[@]}"
	check 'systemctl status shows how the line is' \
		bash -c "systemctl status $unit | grep 'Status: \"link '"
}

locked_in() {
	check 'runs as a user of its own, without one capability' \
		bash -c "grep '^CapEff:.*0000000000000000' /proc/$(pid)/status &&
			! grep '^Uid:.*[[:space:]]0' /proc/$(pid)/status"
	local name number
	for name in dialout lp; do
		number=$(getent group $name | cut -d: -f3)
		check "is in the group $name" proc "^Groups:.*\b$number\b"
	done
	check 'its system calls are filtered, and it can not become more' \
		bash -c "grep '^NoNewPrivs:.*1' /proc/$(pid)/status && grep '^Seccomp:.*2' /proc/$(pid)/status"
	check 'a core of it, with cards in it, is never written' \
		grep -E '^Max core file size +0 +0 ' "/proc/$(pid)/limits"
	local homes=/home
	touch "$homes/of-a-person"
	refused 'sees nobody'"'"'s home' in_its_place stat "$homes/of-a-person"
	refused 'may not write beside its own folders' in_its_place touch /etc/reversald/x
	refused 'nor a program' in_its_place touch /usr/bin/x
	check 'its journal, ring and key are in its own folder' \
		bash -c "cd /var/lib/reversald && [ \"\$(stat -c %U:%a .)\" = reversald:700 ] &&
			ls -l journal.db journal.db.ring journal.db.key"
	check 'it hears of carriers and addresses (netlink)' \
		bash -c "awk '{ print \$3 }' /proc/net/netlink | grep -x $(pid)"
	local limit=${group/devices/memory}/memory.max
	[ -e "$limit" ] || limit=${group/devices/memory}/memory.limit_in_bytes
	if [ -e "$limit" ]; then
		check 'its memory is limited by the kernel' grep -x 50331648 "$limit"
	else
		skip 'MemoryMax: this container has no memory controller'
	fi
	printf '        resident: %s\n' "$(proc VmRSS | tr -s '\t ' ' ')"
	devices
}

# devices asks the kernel, from within the daemon's group, for what the unit allows.
devices() {
	mknod /dev/kmsg-of-another c 1 11
	mknod /dev/ttyS77 c 4 64
	if dd if=/dev/kmsg-of-another count=0 2>/dev/null && [ -d "$group" ] &&
		! in_its_group dd if=/dev/kmsg-of-another count=0 >/story/said 2>&1; then
		ok 'a device that it does not need is refused (root can open it outside)'
	else
		skip 'DevicePolicy: not in force in this container'
		return
	fi
	# A serial line without a chip says EIO; the policy would say EPERM.
	in_its_group dd if=/dev/ttyS77 count=0 >/story/said 2>&1
	refused 'a serial line is not' grep 'not permitted' /story/said
	[ ! -e "$group/devices.list" ] || check 'nor is the watchdog, a device of another kind' \
		grep 'c 10:130 rw' "$group/devices.list"
}

sells() {
	check 'the host is called, and its line is up' host_on
	check 'a sale through the ISO door: approved' sell 000001 --amount 12.34
	check 'in the books' booked '000001.*debited'
	check 'a swiped card, too' sell 000002 --amount 5.00 --track
	check 'a sale through the socket (API): approved' \
		bash -c "$(declare -f api api_sale); pan=$pan; api_sale unit-1 | tee /story/sale | grep '\"outcome\":\"approved\"'"
	check 'and confirmed' api --fail -X POST \
		"http://reversald/v1/payments/$(sed 's/.*"id":\([0-9]*\),.*/\1/' /story/sale)/confirm"
	useradd --groups reversald till 2>/dev/null
	useradd stranger 2>/dev/null
	refused 'a stranger can not open the socket' \
		setpriv --reuid=stranger --clear-groups curl -sS --unix-socket /run/reversald/api.sock http://x/v1/status
	check 'who is in the group reversald can, and may nothing yet' bash -c \
		"setpriv --reuid=till --regid=till --init-groups curl -sS --unix-socket /run/reversald/api.sock \
			-o /dev/null -w '%{http_code}' http://reversald/v1/status | grep 403"
}

reloads() {
	configure log_level '"debug"'
	check 'systemctl reload: the configuration is read again' \
		bash -c "systemctl reload $unit"
	check 'and in force' soon logged 'configuration reloaded.*log_level'
	configure no_such_key 1
	systemctl reload $unit
	check 'a reload of a bad one is refused, in the log' soon logged 'configuration not reloaded'
	check 'and sales go on' sell 000003
	sed -i '/^no_such_key/d' $config
	systemctl reload $unit
}

killed() {
	local old
	check 'a sale is open: the host has it and says nothing' owe 000010
	old=$(pid)
	systemctl kill --signal=KILL --kill-whom=main $unit
	check 'KILL: it is started again' soon another "$old"
	check 'and sends the reversal' soon says '"open":0,"owed":0'
	check 'reversed in the books' booked '000010.*reversed'
	old=$(pid)
	systemctl kill --signal=KILL --kill-whom=main $unit
	check 'a till that calls while it is dead waits, and sells' sell 000011
	check 'it was another process' another "$old"
}

restarts() {
	local before i lost=0
	before=$(stat -c %i /run/reversald/api.sock)
	for i in 1 2 3 4 5 6; do
		[ $i != 2 ] || systemctl restart --no-block $unit
		sell 00002$i >/story/said 2>&1 || lost=$((lost + 1))
	done
	check 'a restart in the middle of six sales: none is turned away' test $lost = 0
	check 'the same socket as before' test "$(stat -c %U:%G:%a:%i /run/reversald/api.sock)" = \
		"reversald:reversald:660:$before"
	systemctl stop $unit 2>/dev/null # it warns of the sockets
	refused 'stopped' active
	check 'a call of a till starts it' sell 000027
	systemctl stop $unit 2>/dev/null # it warns of the sockets
	check 'so does a question at its socket' says '"link"'
}

watched() {
	local old
	drop_in watchdog WatchdogSec=3
	systemctl restart $unit 2>/dev/null
	soon says '"link":"up"'
	sleep 7 # more than two of its times
	check 'a watchdog of 3 s is fed' is NRestarts 0
	old=$(pid)
	kill -STOP "$old"
	check 'stopped dead (SIGSTOP): systemd kills it, and starts another' soon another "$old"
	check 'and says why' soon logged 'Watchdog timeout'
	check 'which sells' sell 000030
	rm /etc/systemd/system/$unit.d/watchdog.conf
	systemctl daemon-reload
}

# A pair of ptys stands for the cable and for the printer: a container has no serial chip.
plugged() {
	mkdir -p /dev/usb
	systemd-run --quiet --unit=cable socat PTY,link=/dev/ttyTILL,raw,echo=0,mode=660,group=dialout \
		PTY,link=/dev/laptop,raw,echo=0
	systemd-run --quiet --unit=printer socat -u PTY,link=/dev/usb/lp0,raw,echo=0,mode=660,group=lp \
		OPEN:/story/paper,creat,append
	drop_in pty 'DeviceAllow=char-pts rw'
	printf '%s\n' 'console:' '  port: /dev/ttyTILL' 'printer:' '  device: file:/dev/usb/lp0' \
		'power:' '  source: file:/run/power' >>$config
	systemctl restart $unit 2>/dev/null
	soon says '"link":"up"'
	check 'the serial console answers (group dialout, DeviceAllow)' console_answers
	owe 000040
	systemctl kill --signal=KILL --kill-whom=main $unit
	check 'the printer prints that a sale was reversed (group lp)' soon grep -aqi reversed /story/paper
	echo fail >/run/power
	check 'a warning of a power cut is seen' soon says '"power_failing":true'
	rm /run/power
	check 'and its end' soon unsaid power_failing
}

console_answers() {
	local i
	for ((i = 0; i < 10; i++)); do
		printf '\r\n' | timeout 2 socat -t 1 - /dev/laptop,raw,echo=0 | tr -d '\r' >/story/heard
		grep -qi 'log in\|login\|technician\|reversald' /story/heard && return 0
	done
	cat /story/heard
	return 1
}

# A second copy on another partition: the sandbox must be told of it.
elsewhere() {
	mkdir -p /data/ring
	chown reversald: /data/ring
	configure ring '"/data/ring/journal.ring"'
	systemctl restart $unit 2>/dev/null
	check 'a ring that the sandbox hides is an error that names it' soon logged '/data/ring.*read-only'
	drop_in ring ReadWritePaths=/data/ring
	systemctl restart $unit 2>/dev/null
	check 'with ReadWritePaths= it is kept there' soon test -s /data/ring/journal.ring
	check 'and a sale is' sell 000050
}

# crowded: somebody else has the journal, for longer than a few starts.
crowded() {
	local holder
	systemctl stop $unit 2>/dev/null # it warns of the sockets
	flock --no-fork /var/lib/reversald/journal.db sleep 60 &
	holder=$!
	check 'a till calls, and somebody else has the journal: it ends with 69' \
		bash -c 'timeout 5 /story/acquirerd sell --to 127.0.0.1:8582 --stan 55 --timeout 4s >/dev/null
			'"$(declare -f soon is property); unit=$unit; soon is ExecMainStatus 69"
	check 'and is started again by systemd' soon logged 'Scheduled restart job'
	kill $holder
	check 'free again: it runs, and nobody had to do anything' soon says '"link":"up"'
	check 'and sells' sell 000056
}

starts() { journalctl --quiet --boot --unit=$unit --grep='status=78|CONFIG' | grep -c 'process exited'; }

broken() {
	local old
	cp $config /story/good.yaml
	configure no_such_key 1
	systemctl restart $unit 2>/dev/null
	check 'a broken configuration: it fails with 78' soon is ExecMainStatus 78
	sleep 3
	check 'is not started again and again' is ActiveState failed
	check 'and says where, for people' logged 'no_such_key'
	# A call that waits starts it again and again; each start says the same and ends.
	timeout 60 /story/acquirerd sell --to 127.0.0.1:8582 --stan 60 --timeout 50s >/dev/null 2>&1 &
	check 'a till that calls meanwhile is turned away in the end' \
		soon soon is ActiveState failed reversald-iso.socket
	old=$(starts)
	sleep 3
	check "and does not start it for ever ($old starts)" test "$old" = "$(starts)"
	cp /story/good.yaml $config
	check 'mended, systemctl restart is enough' systemctl restart $unit
	soon says '"link":"up"'
	check 'it sells, sockets and all' sell 000061
	check 'and answers' says '"link":"up"'
}

stops() {
	# Two tills that are connected and say nothing must not hold it up.
	bash -c 'exec 3<>/dev/tcp/127.0.0.1/8582 4<>/dev/tcp/127.0.0.1/8582; sleep 60' &
	local idle=$! began ended
	sleep 1
	began=$EPOCHREALTIME
	systemctl stop "${sockets[@]}" $unit
	ended=$EPOCHREALTIME
	kill $idle
	check 'systemctl stop: ends by itself, with 0' is ExecMainStatus 0
	check 'with success' is Result success
	refused 'nothing had to be killed' bash -c \
		"journalctl --quiet --boot --unit=$unit | tail -n 5 | grep -E 'timed out|SIGKILL'"
	refused 'nothing listens any more' says '"link"'
	awk -v a="$began" -v b="$ended" 'BEGIN { printf "        stop took: %.2f s\n", b - a }'
	systemctl start $unit "${sockets[@]}"
	soon says '"link":"up"'
}

writes_well() {
	check 'journald has its lines with their level: warnings are warnings' bash -c \
		"journalctl --quiet --boot --unit=$unit --priority=4..4 --identifier=reversald | grep 'a new journal was begun'"
	check 'with names and values (slog)' logged 'msg="journal checked" entries='
	check 'and under its own name' bash -c \
		"journalctl --quiet --boot --unit=$unit --output=json --grep='configuration reloaded' | grep '\"SYSLOG_IDENTIFIER\":\"reversald\"'"
	echo "a card $pan" | systemd-cat --identifier=planted
	journalctl --flush --sync
	journalctl --boot --all --output=export >/story/export
	check 'a card that was planted in the journal is found there' grep -a "a card $pan" /story/export
	check 'and no other, at log_level debug' bash -c "test \"\$(grep -ac $pan /story/export)\" = 1"
	refused 'no track either' grep -a "${pan}[=D]" /story/export
	refused 'no card on the paper of the printer' grep -a $pan /story/paper
	refused 'none in what it keeps' grep -rqa $pan /var/lib/reversald /run/reversald /data
}

# The power goes with a reversal owed, and the host away.
owes() {
	owe 000070
	host_off
	check 'the power is cut with a reversal owed' says '"open":1'
}

boots() {
	check 'the machine is on: it runs by itself' soon active
	check 'and owes what it owed' soon says '"owed":1'
	check 'the host is back' host_on
	check 'the reversal has left by itself' soon says '"open":0,"owed":0'
	check 'reversed in the books' booked '000070.*reversed'
}

upgrades() {
	local old
	owe 000080
	host_off
	soon says '"open":1'
	old=$(pid)
	check 'upgrades over an open reversal' dpkg -i --force-confold /story/new.deb
	check 'the new one runs' another "$old"
	check 'and still owes it' soon says '"owed":1'
	refused 'removal is refused' dpkg -r reversald
	cp /story/said /story/why
	check 'with the reason' grep 'NOT REMOVED: 1 card payment' /story/why
	check 'it runs on, and so do its sockets' systemctl is-active $unit "${sockets[@]}"
	check 'the host is back' host_on
	check 'the reversal is sent' soon says '"open":0,"owed":0'
	check 'now it is removed' dpkg -r reversald
	refused 'nothing of it runs' systemctl is-active $unit "${sockets[@]}"
	check 'the journal stays' test -s /var/lib/reversald/journal.db
	check 'purged' dpkg --purge reversald
	refused 'and the journal, of which nothing was owed, is gone' test -e /var/lib/reversald/journal.db
}

echo "$1: $(systemctl --version | head -n 1), cgroup $(stat -fc %T /sys/fs/cgroup | sed 's/cgroup2fs/version 2/; s/tmpfs/version 1/')"
case $1 in
first)
	for part in installs locked_in sells reloads killed restarts watched plugged elsewhere \
		crowded broken stops writes_well owes; do
		echo "$part"
		$part
	done
	skip 'a watchdog device, a GPIO line, a serial chip: no container has them (make smoke-system)'
	;;
second)
	for part in boots upgrades; do
		echo "$part"
		$part
	done
	;;
esac
printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ]
