#!/usr/bin/env bash
# Makes the packages of one target: same input, same bytes.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: cross/package.sh TARGET VERSION FOLDER [FORMAT...]

Puts bin/TARGET/reversald into packages: deb, rpm, ipk, apk and tar.gz, or the
formats that are named. They are left in FOLDER/TARGET/, and a line with name and
bytes of each is printed. VERSION is what `git describe` says; one that does not
begin with a number becomes 0.0.0~gitDATE. Needs bin/reversald of this machine,
which prints the default configuration, and Go, which fetches nfpm.
SOURCE_DATE_EPOCH is the time of all files; without it, that of the last commit.
TEXT
}

# The newest that can be had from the module proxy alone.
nfpm=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2

if [ $# -lt 3 ]; then
	usage >&2
	exit 64
fi
target=$1 described=$2 folder=$3
shift 3
formats=("$@")
[ $# -gt 0 ] || formats=(deb rpm ipk apk tar.gz)
cd "$(dirname "${BASH_SOURCE[0]}")/.."

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
export TZ=UTC LC_ALL=C
umask 022

# The number of a release, or one lower than every release, that all formats take.
version=${described#v}
if ! [[ $version =~ ^[0-9]+(\.[0-9]+)*$ ]]; then
	version=0.0.0~git$(date -d "@$SOURCE_DATE_EPOCH" +%Y%m%d)
fi

# The name that the formats know a target by; nfpm turns it into each one's own.
case $target in
armv5 | armv5-legacy) arch=arm5 ;;
armv6) arch=arm6 ;;
armv7) arch=arm7 ;;
mipsle-legacy) arch=mipsle ;;
*) arch=$target ;;
esac

mkdir -p "$folder/$target"
out=$(cd "$folder/$target" && pwd)
rm -f "$out"/*
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

# Every key with its meaning, all commented out but those that a package sets.
default_config() {
	local own=cross/packages/reversald.yaml
	echo '# reversald: what is commented out is the default. After a change:'
	echo '#   reversald config check --config /etc/reversald/reversald.yaml'
	echo
	bin/reversald config show --config $own | awk -v own="$own" '
		BEGIN { while ((getline line < own) > 0) if (line ~ /^[a-z]/) { sub(/:.*/, "", line); keep[line] } }
		/^[a-z_.]+:/ { key = $0; sub(/:.*/, "", key); ours = key in keep }
		/^#/ || /^$/ { print; next } # about the key that follows
		!ours { $0 = "#" $0 } # what is indented goes with its section
		{ print }'
}

stage_files() {
	cp "bin/$target/reversald" LICENSE "$stage"
	cp cross/packages/README.md cross/packages/60-reversald.rules "$stage"
	cp -R cross/packages/systemd cross/packages/init "$stage"
	default_config >"$stage/reversald.yaml"
	bin/reversald config check --config "$stage/reversald.yaml" >"$stage.log" ||
		{ cat "$stage.log" >&2; return 1; }
	go run ./cross/sbom -version "$version" "bin/$target/reversald" >"$stage/sbom.cdx.json"
	mkdir "$stage/scripts"
	local script
	for script in postinstall preremove postremove; do
		{
			echo '#!/bin/sh'
			grep -v '^# shellcheck' cross/packages/scripts/owed.sh
			grep -v '^# shellcheck' "cross/packages/scripts/$script.sh"
		} >"$stage/scripts/$script"
	done
	find "$stage" -type d -exec chmod 0755 {} +
	find "$stage" -type f -exec chmod 0644 {} +
	chmod 0755 "$stage/reversald" "$stage"/scripts/* "$stage/init/keep"
	chmod 0755 "$stage"/init/{sysv,procd,openrc,runit}
	find "$stage" -exec touch --no-dereference -d "@$SOURCE_DATE_EPOCH" {} +
}

# package FORMAT INIT: with the files of an init system beside what all have.
package() {
	cat cross/packages/nfpm.yaml "cross/packages/nfpm-$2.yaml" |
		sed -e "s|@ARCH@|$arch|" -e "s|@VERSION@|$version|" -e "s|@STAGE@|$stage|" \
			-e "s|@MTIME@|$(date -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)|" \
			>"$stage.yaml"
	go run $nfpm package --config "$stage.yaml" --packager "$1" --target "$out/" >"$stage.log" ||
		{ cat "$stage.log" >&2; return 1; }
	rm -f "$stage.yaml" "$stage.log"
}

stage_files
for format in "${formats[@]}"; do
	case $format in
	deb | rpm) package "$format" systemd ;;
	ipk) package ipk procd ;;
	apk) package apk openrc ;;
	tar.gz)
		# For everything else: unpack, pick what your system has, put it where it goes.
		tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner \
			--mtime="@$SOURCE_DATE_EPOCH" --transform="s|^\.|reversald-$version-$target|" \
			--exclude=./scripts -cf - . | gzip -9n >"$out/reversald-$version-$target.tar.gz"
		;;
	*)
		usage >&2
		exit 64
		;;
	esac
done
for file in "$out"/*; do
	printf 'package_%s_%s %d bytes none ok\n' "$target" "${file##*.}" "$(stat -c %s "$file")"
done
