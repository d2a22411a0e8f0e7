#!/usr/bin/env bash
# Installs, upgrades and removes our packages in a Debian of their own, with a
# payment unfinished in the journal.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: cross/package-test.sh

Makes a small Debian in a folder (mmdebstrap, once: bin/debian.tar), makes two
versions of the packages for this machine, and in a network of its own:

  deb   installs, sells with a host that falls silent, upgrades over the open
        reversal, is refused removal, lets the reversal through, removes, purges;
        then once more with removal forced: the journal must survive the purge
  rpm   the same with rpm's own scripts
  ipk, apk, tar.gz   unpacks them, checks what is inside, runs their scripts'
        syntax through sh

Needs root, Linux, mmdebstrap, rpm and bin/reversald, bin/acquirerd. Says what is
missing and exits 69; 1 when a package does not behave.
TEXT
}

if [ $# -gt 0 ]; then
	usage
	[ "$1" = -h ] && exit 0
	exit 64
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for tool in mmdebstrap rpm unshare dpkg-deb ip; do
	if ! command -v $tool >/dev/null; then
		echo "package-test.sh: $tool is not installed" >&2
		echo 'package-test.sh: hint: apt-get install mmdebstrap rpm iproute2 (Debian)' >&2
		exit 69
	fi
done
if [ "$(id -u)" -ne 0 ]; then
	echo 'package-test.sh: needs root, for a chroot and a network of its own' >&2
	exit 69
fi

# All of it in namespaces of its own: whatever is started ends with this script.
if [ -z "${REVERSALD_PACKAGE_TEST:-}" ]; then
	go build -o bin/sbom ./cross/sbom
	if [ ! -s bin/debian.tar ]; then
		# The Debian that this machine has, from where it has it.
		suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
		mmdebstrap --quiet --format=tar --variant=minbase "$suite" bin/debian.tar.new
		mv bin/debian.tar.new bin/debian.tar
	fi
	arch=$(go env GOARCH)
	for version in 0.8 0.9; do
		cross/package.sh "$arch" $version bin/package-test/$version >/dev/null
	done
	cross/package.sh "$arch" 0.9 bin/package-test/again >/dev/null
	REVERSALD_PACKAGE_TEST=$arch exec unshare --mount-proc --net --pid --fork --kill-child "$0"
fi

arch=$REVERSALD_PACKAGE_TEST
old=bin/package-test/0.8/$arch new=bin/package-test/0.9/$arch
root=$(mktemp -d)
work=$(mktemp -d)
cleanup() {
	umount -R -l "$root/proc" "$root/dev" 2>/dev/null || :
	rm -rf --one-file-system "$root" "$work"
}
trap cleanup EXIT
ip link set lo up

passed=0
ok() {
	passed=$((passed + 1))
	printf '  ok    %s\n' "$*"
}
fail() {
	printf '  FAIL  %s\n' "$*" >&2
	[ ! -e "$work/said" ] || sed 's/^/        /' "$work/said" >&2
	exit 1
}

# fresh makes the root anew.
fresh() {
	umount -R -l "$root/proc" "$root/dev" 2>/dev/null || :
	find "$root" -mindepth 1 -delete
	tar -C "$root" -xf bin/debian.tar --exclude='./dev/*'
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	# Debian starts nothing where it sees no init; here it may.
	printf '#!/bin/sh\nexit 0\n' >"$root/usr/sbin/policy-rc.d"
	chmod 0755 "$root/usr/sbin/policy-rc.d"
	mkdir "$root/packages"
	cp "$old"/*.{deb,rpm} "$new"/*.{deb,rpm} "$root/packages/"
}

inside() { chroot "$root" "$@" >"$work/said" 2>&1; }
said() { grep -q -- "$1" "$work/said" || fail "was to say: $1"; }
journal() { [ -e "$root/var/lib/reversald/journal.db" ]; }

# status WANT PATTERN: waits until the daemon's status says it.
status() {
	local i
	for ((i = 0; i < 100; i++)); do
		if inside reversald status --json --socket /run/reversald/api.sock &&
			grep -q -- "$1" "$work/said"; then
			return 0
		fi
		sleep 0.2
	done
	fail "status was to say $1"
}

host_on() {
	bin/acquirerd serve --listen 127.0.0.1:8583 --books "$work/books.jsonl" \
		--control "$work/host.sock" >"$work/host.log" 2>&1 &
	host=$!
	local i
	for ((i = 0; i < 100; i++)); do
		[ -S "$work/host.sock" ] && return 0
		sleep 0.1
	done
	fail 'the host did not start'
}
host_off() {
	kill "$host"
	wait "$host" || :
}

# owe leaves one payment that is not finished: the host has it, and is gone.
owe() {
	status '"link":"up"'
	bin/acquirerd behave '0200:silent x1' --control "$work/host.sock" >/dev/null
	# The app waits for the host's time; we need not.
	bin/acquirerd sell --to 127.0.0.1:8582 --amount 7.77 --stan "$1" >/dev/null 2>&1 &
	status '"open":1'
	host_off
	ok 'a sale is open, and its host is gone'
}

begin_daemon() {
	inside /etc/init.d/reversald start || fail 'start by its init script'
}

# in_groups: the daemon that runs is.
in_groups() {
	local name number
	for name in dialout lp; do
		number=$(sed -n "s/^$name:[^:]*:\([0-9]*\):.*/\1/p" "$root/etc/group")
		grep -q "^Groups:.*\b$number\b" "/proc/$(pidof reversald)/status" || fail "in group $name"
	done
}

deb_story() {
	echo 'deb'
	fresh
	host_on
	inside dpkg -i "/packages/$(basename "$old"/*.deb)" || fail 'installs'
	ok 'installs'
	inside id reversald || fail 'its user was made'
	inside stat -c %U:%a /var/lib/reversald
	said reversald:700
	ok 'a user of its own, and its folder'
	inside /etc/init.d/reversald status || begin_daemon
	status '"link":"down"\|"link":"up"'
	grep -q '^Uid:[[:space:]]*0' "/proc/$(pidof reversald)/status" && fail 'runs as its user'
	ok 'runs by its init script, as its user'
	in_groups
	ok 'in the groups of serial lines and printers'
	owe 000001
	echo '# a line of the integrator' >>"$root/etc/reversald/reversald.yaml"
	inside gpasswd -d reversald lp || fail 'an older package gave it no printer'
	local before
	before=$(pidof reversald)
	inside dpkg -i "/packages/$(basename "$new"/*.deb)" || fail 'upgrades over an open reversal'
	grep -q 'line of the integrator' "$root/etc/reversald/reversald.yaml" ||
		fail 'keeps the configuration'
	ok 'upgrades, and keeps the configuration'
	status '"open":1\|"owed":1'
	[ "$(pidof reversald)" != "$before" ] || fail 'the new one runs'
	ok 'the new version runs, and still owes it'
	in_groups
	ok 'it has joined the group of printers'
	inside dpkg -r reversald && fail 'removal is refused'
	said 'NOT REMOVED: 1 card payment'
	said 'hint: let the line come up'
	inside /etc/init.d/reversald status || fail 'runs on after a refused removal'
	ok 'removal is refused, with the reason and what to do; it runs on'
	inside /etc/init.d/reversald stop || fail 'stops'
	inside dpkg -r reversald && fail 'removal of a stopped one is refused'
	said 'NOT REMOVED: 1 card payment'
	ok 'removal is refused when it is stopped, too: the journal says so'
	begin_daemon
	host_on
	status '"open":0,"owed":0'
	bin/acquirerd books --control "$work/host.sock" >"$work/said"
	said 'reversed'
	ok 'the host is back: reversed in its books'
	inside dpkg -r reversald || fail 'removal'
	journal || fail 'removal leaves the journal'
	[ -z "$(pidof reversald)" ] || fail 'removal stops it'
	ok 'removed, the journal stays'
	inside dpkg --purge reversald || fail 'purge'
	journal && fail 'purge of a settled journal'
	ok 'purged: nothing was owed, the journal is gone'
	host_off
	fresh
	host_on
	inside dpkg -i "/packages/$(basename "$new"/*.deb)" || fail 'installs again'
	inside /etc/init.d/reversald status || begin_daemon
	owe 000002
	inside env REVERSALD_REMOVE=anyway dpkg -r reversald || fail 'forced removal'
	said 'WARNING: removed with unfinished payments'
	inside dpkg --purge reversald || fail 'purge after a forced removal'
	said 'KEPT: /var/lib/reversald'
	journal || fail 'the journal is kept'
	ok 'forced: removed with a warning, and purge keeps the journal'
	inside dpkg -i "/packages/$(basename "$new"/*.deb)" || fail 'installs over the kept journal'
	inside /etc/init.d/reversald status || begin_daemon
	host_on
	status '"open":0,"owed":0'
	ok 'installed again over it: the reversal is sent'
	inside /etc/init.d/reversald stop
	host_off
}

rpm_story() {
	echo 'rpm'
	fresh
	host_on
	local install=(rpm --root "$root" --nodeps)
	"${install[@]}" -i "$old"/*.rpm >"$work/said" 2>&1 || fail 'installs'
	inside id reversald || fail 'its user was made'
	ok 'installs, with its user'
	# No systemd runs here, and the package has no other init script.
	chroot "$root" mkdir -p /run/reversald
	chroot "$root" reversald run -c /etc/reversald/reversald.yaml >"$work/log" 2>&1 &
	local daemon=$!
	owe 000003
	"${install[@]}" -U "$new"/*.rpm >"$work/said" 2>&1 || fail 'upgrades'
	ok 'upgrades over an open reversal'
	"${install[@]}" -e reversald >"$work/said" 2>&1 && fail 'removal is refused'
	said 'NOT REMOVED: 1 card payment'
	rpm --root "$root" -q reversald >/dev/null || fail 'it is still installed'
	ok 'removal is refused, with the reason'
	host_on
	status '"open":0,"owed":0'
	kill $daemon
	wait $daemon || :
	"${install[@]}" -e reversald >"$work/said" 2>&1 || fail 'removal'
	journal || fail 'removal leaves the journal'
	ok 'removed when nothing is owed, the journal stays'
	host_off
}

# has FOLDER FILE...: all of them are there, and not empty.
has() {
	local folder=$1 file
	shift
	for file in "$@"; do
		[ -s "$folder/$file" ] || fail "no $file"
	done
}

unpacked() {
	local into script
	for format in ipk apk tar.gz; do
		echo "$format"
		into=$work/$format
		mkdir -p "$into"
		tar -C "$into" -xzf "$new"/*."$format" 2>/dev/null
		case $format in
		ipk)
			mkdir "$into/control"
			tar -C "$into/control" -xzf "$into/control.tar.gz"
			tar -C "$into" -xzf "$into/data.tar.gz"
			grep -q '^Package: reversald' "$into/control/control" || fail 'control'
			has "$into/control" conffiles
			scripts=("$into"/control/{postinst,prerm,postrm})
			;;
		apk)
			grep -q '^pkgname = reversald' "$into/.PKGINFO" || fail '.PKGINFO'
			scripts=("$into"/.{post-install,post-upgrade,pre-deinstall,post-deinstall})
			;;
		tar.gz)
			into=$(echo "$into"/reversald-*)
			has "$into" reversald reversald.yaml systemd/reversald.service init/inittab
			scripts=("$into"/init/{sysv,keep,procd,openrc,runit})
			;;
		esac
		[ $format = tar.gz ] ||
			has "$into" usr/bin/reversald etc/reversald/reversald.yaml etc/init.d/reversald
		for script in "${scripts[@]}"; do
			sh -n "$script" || fail "$script"
		done
		ok 'has what belongs in it, and its scripts are sh'
		# The scripts that ask the journal do so without systemd, SysV or a daemon.
		cmp -s "$into/reversald" "bin/$arch/reversald" ||
			cmp -s "$into/usr/bin/reversald" "bin/$arch/reversald" || fail 'the binary is ours'
		ok 'the binary is the one that was weighed'
	done
}

echo 'every format'
for file in "$new"/*; do
	cmp "$file" "bin/package-test/again/$arch/$(basename "$file")" ||
		fail "$file: made twice, two packages"
done
ok 'made twice, the same bytes'
deb_story
rpm_story
unpacked
printf '%d passed, 0 failed\n' $passed
