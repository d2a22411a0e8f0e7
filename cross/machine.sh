#!/usr/bin/env bash
# Gets an ARM machine together out of Debian packages and plays our story on it.
set -euo pipefail

usage() {
	cat <<'TEXT'
usage: cross/machine.sh [-n] [FLAGS OF bin/machine...]

Makes a Linux kernel for qemu's ARM "virt" board from Debian's source package and
cross/machine/kernel.config (a few minutes, once), takes Debian's static busybox
for ARM, and runs bin/machine with them: sell, pull the plug, boot, reverse.
They are kept in $REVERSALD_MACHINE, or in the user's cache folder.

What is missing is installed where we are root on a Debian machine; elsewhere, or
with -n, it says what is missing and exits 69.
TEXT
}

install=yes
case ${1:-} in
-h)
	usage
	exit 0
	;;
-n)
	install=no
	shift
	;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(qemu-system-arm mtd-utils gcc-arm-linux-gnueabihf flex bison bc xz-utils)
missing=()
for tool in qemu-system-arm:0 ubinize:1 arm-linux-gnueabihf-gcc:2 flex:3 bison:4 bc:5 xz:6; do
	PATH=$PATH:/usr/sbin command -v "${tool%:*}" >/dev/null || missing+=("${packages[${tool#*:}]}")
done
if [ ${#missing[@]} -gt 0 ]; then
	if [ $install = no ] || [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
		echo "machine.sh: not run, since these are missing: ${missing[*]}" >&2
		echo "machine.sh: hint: apt-get install ${missing[*]} (Debian)" >&2
		exit 69
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq install -y --no-install-recommends "${missing[@]}" >&2 ||
		{ apt-get -qq update >&2 && apt-get -qq install -y --no-install-recommends "${missing[@]}" >&2; }
fi
export PATH=$PATH:/usr/sbin

kit=${REVERSALD_MACHINE:-${XDG_CACHE_HOME:-$HOME/.cache}/reversald-machine}
mkdir -p "$kit"

# debian ARCH COMMAND...: apt with a memory of its own, so that this machine's stays as it is.
debian() {
	local arch=$1 state=$kit/apt-$1
	shift
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	(cd "$kit" && "$@" -qq -o APT::Sandbox::User=root -o APT::Architecture="$arch" \
		-o APT::Architectures="$arch" -o Dir::State::status=/dev/null \
		-o Dir::State::lists="$state/lists" -o Dir::Cache="$state/cache")
}

if [ ! -x "$kit/busybox" ]; then
	debian armhf apt-get update || : # one index of many may be half-way; download says
	debian armhf apt-get download busybox-static
	dpkg-deb --fsys-tarfile "$kit"/busybox-static_*.deb | tar -xO ./bin/busybox >"$kit/busybox.new"
	chmod 0755 "$kit/busybox.new"
	mv "$kit/busybox.new" "$kit/busybox"
	rm -rf "$kit"/*.deb "$kit/apt-armhf"
fi

# Another configuration is another kernel.
wanted=$(sha256sum <cross/machine/kernel.config)
if [ "$(cat "$kit/kernel.of" 2>/dev/null)" != "$wanted" ]; then
	config=$PWD/cross/machine/kernel.config
	if [ ! -d "$kit/linux" ]; then
		debian amd64 apt-get update || :
		source=$(debian amd64 apt-cache depends linux-source | sed -n 's/.*Depends: \(linux-source-[0-9.]*\).*/\1/p' | head -1)
		debian amd64 apt-get download "$source"
		mkdir -p "$kit/linux.new"
		dpkg-deb --fsys-tarfile "$kit/$source"_*.deb | tar -xO "./usr/src/$source.tar.xz" |
			tar -C "$kit/linux.new" --strip-components=1 -xJf -
		mv "$kit/linux.new" "$kit/linux"
		rm -rf "$kit"/*.deb "$kit/apt-amd64"
	fi
	echo "machine.sh: building the kernel, a few minutes" >&2
	arm=(make -C "$kit/linux" -s ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf-)
	KCONFIG_ALLCONFIG=$config "${arm[@]}" allnoconfig >/dev/null
	while read -r option; do
		# An option that another one forbids is left out in silence.
		grep -qx "$option" "$kit/linux/.config" ||
			{ echo "machine.sh: this kernel has no $option" >&2 && exit 1; }
	done < <(grep '^CONFIG_' "$config")
	nice "${arm[@]}" -j"$(nproc)" zImage >"$kit/kernel.log" 2>&1 ||
		{ tail "$kit/kernel.log" >&2 && exit 1; }
	cp "$kit/linux/arch/arm/boot/zImage" "$kit/zImage"
	echo "$wanted" >"$kit/kernel.of"
fi

# A daemon that has a console of its own is given a port for it.
bin/reversald config show | grep -q '^#*console\.port:' && set -- -console "$@"

exec bin/machine -kernel "$kit/zImage" -busybox "$kit/busybox" "$@"
