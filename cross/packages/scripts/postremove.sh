# shellcheck shell=sh disable=SC2154 # config and state are owed.sh's
# After the files are gone: only deb's "purge" asks for more than that.
[ -z "$IPKG_INSTROOT$D" ] || exit 0

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || :
fi
case $1 in
purge) ;;
*) exit 0 ;;
esac
command -v update-rc.d >/dev/null && update-rc.d reversald remove >/dev/null
# The seal was written when the program was still here to say that nothing is owed,
# and says which journal it said that of.
if [ -e "$settled" ] && [ "$(cat "$settled")" = "$(seal)" ]; then
	rm -rf "$state"
elif [ -d "$state" ]; then
	say "KEPT: $state, since nobody can vouch that nothing in its journal is owed"
	say "hint: install reversald again, and look with: reversald verify"
fi
exit 0
