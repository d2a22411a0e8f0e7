#!/usr/bin/env bash
# Builds targets again somewhere else and compares: same source, same bytes.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: cross/reproduce.sh VERSION TARGET...

Copies the source (what git knows and what is new, nothing that is ignored)
into a temporary folder with another name, builds each target there with an
empty build cache, and compares it with bin/TARGET/reversald, byte by byte.
Prints one line a target. Exit code: 0 all the same, 1 one differs, 64 usage.
TEXT
}

if [ $# -lt 2 ]; then
	usage >&2
	exit 64
fi
version=$1
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
there=$(mktemp -d "${TMPDIR:-/tmp}/reversald-again.XXXXXX")
trap 'chmod -R u+w "$there"; rm -rf "$there"' EXIT

# A folder whose path is longer and a user's home that is another one: a build
# that remembers where it was made differs.
source=$there/some/where/else
mkdir -p "$source" "$there/home"
git -C "$here" ls-files -z --cached --others --exclude-standard |
	tar -C "$here" --null --files-from=- --ignore-failed-read -cf - |
	tar -C "$source" -xf -

modules=$(go env GOMODCACHE)
code=0
for target in "$@"; do
	env HOME="$there/home" GOCACHE="$there/cache" GOMODCACHE="$modules" \
		make -C "$source" --silent VERSION="$version" "bin/$target/reversald"
	sum=$(sha256sum <"$here/bin/$target/reversald")
	again=$(sha256sum <"$source/bin/$target/reversald")
	if [ "$sum" = "$again" ]; then
		printf 'reproduced %-12s sha256 %s\n' "$target" "${sum%% *}"
	else
		printf 'DIFFERS    %-12s here %s, there %s\n' "$target" "${sum%% *}" "${again%% *}"
		code=1
	fi
done
exit $code
