# shellcheck shell=sh disable=SC2154 # config and state are owed.sh's
# Before the files go: deb and ipk "remove" or "upgrade", rpm 0 or 1, apk a version.
[ -z "$IPKG_INSTROOT$D" ] || exit 0

case $1 in
upgrade | 1 | failed-upgrade) exit 0 ;;
esac

# refuse N: a person must see this before the binary is gone.
refuse() {
	if [ "$1" = '?' ]; then
		say "NOT REMOVED: whether anything is owed cannot be told from the journal"
		say "hint: reversald verify --config $config"
	else
		say "NOT REMOVED: $1 card payment(s) are not finished; cardholders may be debited for" \
			"sales that failed, and without reversald nobody reverses them"
		say "hint: let the line come up until 'reversald status' says nothing is owed," \
			"or close them by hand: reversald stuck"
	fi
	say "hint: to remove it all the same and keep the journal: REVERSALD_REMOVE=anyway"
}

stop() {
	if [ -d /run/systemd/system ]; then
		systemctl stop reversald-iso.socket reversald-api.socket reversald.service || :
	elif [ -x /etc/init.d/reversald ]; then
		/etc/init.d/reversald stop || :
	fi
}

start() {
	if [ -d /run/systemd/system ]; then
		systemctl start reversald-iso.socket reversald-api.socket reversald.service || :
	elif [ -x /etc/init.d/reversald ]; then
		/etc/init.d/reversald start || :
	fi
}

count=$(owed)
if [ "$count" != 0 ] && [ "$REVERSALD_REMOVE" != anyway ]; then
	refuse "$count"
	exit 1
fi
stop
# A sale may have come in between.
count=$(owed)
if [ "$count" != 0 ] && [ "$REVERSALD_REMOVE" != anyway ]; then
	start
	refuse "$count"
	exit 1
fi
if [ "$count" = 0 ]; then
	seal >"$settled"
else
	rm -f "$settled"
	say "WARNING: removed with unfinished payments; the journal stays in $state"
fi
if [ -e /etc/rc.common ]; then
	/etc/init.d/reversald disable || :
elif command -v systemctl >/dev/null; then
	systemctl disable reversald-iso.socket reversald-api.socket reversald.service 2>/dev/null || :
fi
exit 0
