#!/usr/bin/env bash
# Makes sure that this machine can run an ARM binary: make smoke calls it first.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: cross/qemu.sh [-n]

Finds qemu-arm-static and prints where it is. When it is missing and this is a
Debian machine where we are root, or sudo asks for no password, installs the
package qemu-user-static first; otherwise says what to install and exits 69.

  -n  install nothing, only look
  -h  show this text
TEXT
}

# refuse CODE LINE HINT
refuse() {
	printf 'qemu.sh: %s\nqemu.sh: hint: %s\n' "$2" "$3" >&2
	exit "$1"
}

install=yes
while getopts nh flag; do
	case $flag in
	n) install=no ;;
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
shift $((OPTIND - 1))
if [ $# -gt 0 ]; then
	usage >&2
	exit 64
fi

if command -v qemu-arm-static && command -v qemu-aarch64-static >/dev/null; then
	exit 0
fi

missing='qemu-arm-static is not installed'
by_hand='apt-get install qemu-user-static (Debian), or the static qemu-arm of your system'
if [ $install = no ] || ! command -v apt-get >/dev/null; then
	refuse 69 "$missing" "$by_hand"
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! sudo -n true 2>/dev/null; then
		refuse 69 "$missing, and we are not root and may not become it" "as root: $by_hand"
	fi
	as_root=(sudo -n)
fi

# The package list may be days old or absent; ask for a new one only then.
get=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq)
if ! "${get[@]}" install -y --no-install-recommends qemu-user-static >&2; then
	"${get[@]}" update >&2
	"${get[@]}" install -y --no-install-recommends qemu-user-static >&2
fi
command -v qemu-arm-static || refuse 69 "$missing, though its package now is" "$by_hand"
