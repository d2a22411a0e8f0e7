#!/usr/bin/env bash
# Boots a Debian under systemd, and sees whether our unit keeps its promises there.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: cross/unit-test.sh [-k]

Makes a small Debian with systemd (mmdebstrap, once: bin/debian-systemd.tar), boots it
with systemd-nspawn in a network of its own, and plays cross/unit-story.sh in it:

  first   installs the deb; ready by notify, journal, sandbox, console, printer, sales
          at both doors, reload, KILL, restart, watchdog, stop; then its power is cut
  second  boots again: the reversal leaves by itself; upgrade over one that is owed,
          removal refused, removal

  -k      keep the root, and say where

Needs root, Linux, mmdebstrap, systemd-nspawn, dpkg-deb, bin/reversald and
bin/acquirerd. Says what is missing and exits 69; 1 when a check fails. What a
container has not got (a watchdog, a GPIO chip, a serial chip) is said as skip;
`make smoke-system` has it.
TEXT
}

keep=no
while getopts kh flag; do
	case $flag in
	k) keep=yes ;;
	h)
		usage
		exit 0
		;;
	*)
		usage >&2
		exit 64
		;;
	esac
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# How long a story may take, with its machine busy: it takes one and a half minutes.
patience=600

for tool in mmdebstrap systemd-nspawn dpkg-deb nsenter; do
	if ! command -v $tool >/dev/null; then
		echo "unit-test.sh: $tool is not installed" >&2
		echo 'unit-test.sh: hint: apt-get install mmdebstrap systemd-container (Debian)' >&2
		exit 69
	fi
done
if [ "$(id -u)" -ne 0 ]; then
	echo 'unit-test.sh: needs root, for a container that boots' >&2
	exit 69
fi

if [ ! -s bin/debian-systemd.tar ]; then
	suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	mmdebstrap --quiet --format=tar --variant=minbase \
		--include=systemd,systemd-sysv,dbus,iproute2,socat,curl \
		"$suite" bin/debian-systemd.tar.new
	mv bin/debian-systemd.tar.new bin/debian-systemd.tar
fi
arch=$(go env GOARCH)
go build -o bin/sbom ./cross/sbom
for version in 0.8 0.9; do
	cross/package.sh "$arch" $version bin/unit-test/$version deb >/dev/null
done

root=$(mktemp -d)
groups=()
machine=
# Whatever runs is in the container, and ends with its first process.
cleanup() {
	local pid=$machine group
	machine=
	[ -z "$pid" ] || { kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || :
	for group in "${groups[@]}"; do
		find "$group" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null || :
		echo $$ >"${group%/*}/cgroup.procs" 2>/dev/null || :
		rmdir "$group" 2>/dev/null || :
	done
	if [ $keep = yes ]; then
		echo "kept: $root"
	else
		rm -rf --one-file-system "$root"
	fi
}
trap cleanup EXIT

tar -C "$root" -xf bin/debian-systemd.tar --exclude='./dev/*'
mkdir "$root/story"
cp bin/unit-test/0.8/"$arch"/*.deb "$root/story/old.deb"
cp bin/unit-test/0.9/"$arch"/*.deb "$root/story/new.deb"
cp bin/acquirerd cross/unit-checks.sh cross/unit-story.sh "$root/story/"

# Where the controllers are those of version 1, the container may only look at them: it is
# given a group of its own in each that our unit wants, and may write below it.
init='#!/bin/sh'
if [ -d /sys/fs/cgroup/devices ]; then
	for controller in devices memory pids; do
		own=$(sed -n "s/^[0-9]*:$controller://p" /proc/self/cgroup)
		group=/sys/fs/cgroup/$controller${own%/}/reversald-unit-test
		mkdir "$group" 2>/dev/null || continue
		groups+=("$group")
		echo $$ >"$group/cgroup.procs"
		init+="
mount -o remount,bind,rw,nosuid,nodev,noexec /sys/fs/cgroup/$controller"
	done
fi
printf '%s\nexec /lib/systemd/systemd\n' "$init" >"$root/story/init"
chmod 0755 "$root"/story/{init,unit-story.sh}

# boot starts the machine and waits until its systemd takes orders.
boot() {
	local flags=(--quiet --directory="$root" --machine=reversald-unit-test --private-network
		--register=no --console=pipe)
	[ -d /run/systemd/system ] || flags+=(--keep-unit)
	systemd-nspawn "${flags[@]}" /story/init </dev/null >"$root/story/console" 2>&1 &
	machine=$!
	local i
	for ((i = 0; i < 300; i++)); do
		first=$(pgrep -P "$machine" | head -n 1) || :
		if [ -n "$first" ] && inside systemctl is-system-running 2>/dev/null | grep -q 'running\|degraded'; then
			return 0
		fi
		kill -0 "$machine" 2>/dev/null || break
		sleep 0.2
	done
	echo 'unit-test.sh: the container did not boot; it said:' >&2
	tail "$root/story/console" >&2
	exit 69
}

inside() { nsenter --target "$first" --all "$@"; }

failed=0
for part in first second; do
	boot
	timeout $patience nsenter --target "$first" --all /story/unit-story.sh $part || failed=1
	# The plug: everything dies at once, nothing is stopped.
	kill -KILL "$first"
	wait "$machine" 2>/dev/null || :
	machine=
done
if [ $failed = 0 ]; then
	echo 'the unit keeps its promises'
else
	echo 'unit-test.sh: a check failed' >&2
	exit 1
fi
