# shellcheck shell=sh disable=SC2154 # config and state are owed.sh's
# After the files are there: deb "configure", rpm 1 or 2, ipk and apk whatever.
# An image builder runs this on its own machine; the device does it at first boot.
[ -z "$IPKG_INSTROOT$D" ] || exit 0

case $1 in
abort-*) exit 0 ;;
esac

make_user() {
	if command -v systemd-sysusers >/dev/null && [ -e /usr/lib/sysusers.d/reversald.conf ]; then
		systemd-sysusers reversald.conf && return
	fi
	id reversald >/dev/null 2>&1 && return
	if command -v useradd >/dev/null; then
		useradd --system --user-group --no-create-home --home-dir "$state" \
			--shell /bin/false reversald
	elif command -v adduser >/dev/null; then
		addgroup -S reversald && adduser -S -D -H -h "$state" -s /bin/false -G reversald reversald
	else
		return 1
	fi
}

# The serial lines and the printer, where the system has groups for them; one that was
# made by an older package joins what has come since.
join_groups() {
	for group in dialout lp; do
		grep -q "^$group:" /etc/group || continue
		usermod -a -G $group reversald 2>/dev/null || addgroup reversald $group >/dev/null 2>&1 || :
	done
}

if make_user; then
	join_groups
else
	say 'no user could be made: it will run as root'
fi
mkdir -p "$state"
chmod 0700 "$state"
if id reversald >/dev/null 2>&1; then
	chown -R reversald: "$state"
	# Secrets are in files of their own; the configuration may be read by the daemon.
	chown root:reversald "$config" && chmod 0640 "$config"
fi
rm -f "$settled"

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	if [ "$1" = 2 ] || [ -n "$2" ]; then
		systemctl try-restart reversald.service || say 'not restarted: systemctl status reversald'
	else
		systemctl enable --now reversald-iso.socket reversald-api.socket reversald.service ||
			say 'not started: systemctl status reversald'
	fi
elif [ -e /etc/rc.common ]; then
	/etc/init.d/reversald enable
	/etc/init.d/reversald restart
elif command -v systemctl >/dev/null; then
	systemctl enable reversald-iso.socket reversald-api.socket reversald.service 2>/dev/null || :
elif command -v update-rc.d >/dev/null; then
	update-rc.d reversald defaults >/dev/null
	if command -v invoke-rc.d >/dev/null; then
		invoke-rc.d reversald restart || :
	fi
elif command -v rc-service >/dev/null && rc-service reversald status >/dev/null 2>&1; then
	rc-service reversald restart
fi
exit 0
