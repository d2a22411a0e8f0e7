# shellcheck shell=bash disable=SC2034 # used by unit-story.sh, which reads this
# What cross/unit-story.sh checks with: one line a check.

pan=4111111111111111
config=/etc/reversald/reversald.yaml
control=/story/host.sock
unit=reversald.service
# Where the kernel counts what the daemon takes.
group=/sys/fs/cgroup/system.slice/$unit
[ ! -d /sys/fs/cgroup/devices ] || group=/sys/fs/cgroup/devices/system.slice/$unit
sockets=(reversald-iso.socket reversald-api.socket)
export NO_COLOR=1 SYSTEMD_PAGER=cat LANG=C

passed=0 failed=0
ok() {
	passed=$((passed + 1))
	printf '  ok    %s\n' "$*"
}
bad() {
	failed=$((failed + 1))
	printf '  FAIL  %s\n' "$*"
	sed 's/^/        /' /story/said | tail -n 12
}
skip() { printf '  skip  %s\n' "$*"; }

# check TEXT COMMAND...: one check, one line; what the command says is shown if it fails.
check() {
	local text=$1
	shift
	if "$@" >/story/said 2>&1; then ok "$text"; else bad "$text"; fi
}

# refused TEXT COMMAND...: the command must fail.
refused() {
	local text=$1
	shift
	if "$@" >/story/said 2>&1; then bad "$text"; else ok "$text"; fi
}

# soon COMMAND...: true as soon as the command is; false after half a minute.
soon() {
	local i
	for ((i = 0; i < 150; i++)); do
		"$@" && return 0
		sleep 0.2
	done
	return 1
}

property() { systemctl show --property="$1" --value "${2:-$unit}"; }
# is PROPERTY WANT [UNIT]
is() {
	local has
	has=$(property "$1" "${3:-$unit}")
	[ "$has" = "$2" ] || { echo "$1=$has, want $2" && false; }
}
pid() { property MainPID; }
another() { [ "$(pid)" != 0 ] && [ "$(pid)" != "$1" ]; }
active() { systemctl is-active --quiet $unit; }
says() { reversald status --json --config $config 2>&1 | tee /story/status | grep -q -- "$1"; }
unsaid() { says '"link"' && ! grep -q "$1" /story/status; }
logged() { journalctl --quiet --boot --unit=$unit --grep="$1"; }
proc() { grep -E "$1" "/proc/$(pid)/status"; }

host_on() {
	systemd-run --quiet --unit=host --property=WorkingDirectory=/story /story/acquirerd serve \
		--listen 127.0.0.1:8583 --books /story/books.jsonl --control $control
	soon test -S $control && soon says '"link":"up"'
}
host_off() {
	systemctl stop host.service
	rm -f $control
}
behave() { /story/acquirerd behave "$@" --control $control; }
sell() { /story/acquirerd sell --to 127.0.0.1:8582 --pan $pan --stan "$@"; }
books() { /story/acquirerd books --control $control; }
booked() { books | grep -E "$1"; }

# owe STAN: the host has the sale, and says nothing.
owe() {
	behave '0200:silent x1' >/dev/null
	sell "$1" --amount 7.77 --timeout 90s >/dev/null 2>&1 &
	soon says '"open":1'
}

api() {
	curl --silent --show-error --max-time 20 --unix-socket /run/reversald/api.sock "$@"
}
api_sale() {
	api http://reversald/v1/payments -H 'Content-Type: application/json' \
		-H "Idempotency-Key: $1" -d '{"amount":1234,"currency":"156","pan":"'$pan'",
		"terminal":"TERM0002","merchant":"MERCHANT0000001","entry_mode":"012"}'
}

# configure KEY VALUE: in the file, not yet in force.
configure() {
	sed -i "/^$1:/d" $config
	printf '%s: %s\n' "$1" "$2" >>$config
}

# drop_in NAME LINE...: to the unit's [Service].
drop_in() {
	local name=$1
	shift
	mkdir -p /etc/systemd/system/$unit.d
	printf '%s\n' '[Service]' "$@" >"/etc/systemd/system/$unit.d/$name.conf"
	systemctl daemon-reload
}

# in_its_place COMMAND...: as root, but with the files that the daemon sees.
in_its_place() { nsenter --target "$(pid)" --mount "$@"; }

# in_its_group COMMAND...: as root, but with the devices that the daemon may open.
in_its_group() {
	bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@"
}

