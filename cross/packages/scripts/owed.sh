# shellcheck shell=sh disable=SC2034 # used by the scripts that follow it
# Shared by the scripts of a package; put in front of each when it is made.

config=/etc/reversald/reversald.yaml
state=/var/lib/reversald
settled=$state/settled

say() { printf 'reversald: %s\n' "$*" >&2; }

# owed prints how many payments are not finished: 0 when none is, a question mark
# when nobody can tell. It asks the daemon first, and the journal if there is none.
owed() {
	journal=$(journal_path)
	if status=$(/usr/bin/reversald status --json --wait 5s --config $config 2>/dev/null); then
		open=$(printf '%s\n' "$status" | sed -n 's/.*"open":\([0-9][0-9]*\).*/\1/p')
		if [ -n "$open" ]; then
			echo "$open"
			return
		fi
	fi
	if [ ! -e "$journal" ] && [ ! -e "$journal.ring" ]; then
		echo 0
		return
	fi
	if proof=$(/usr/bin/reversald verify --json --config $config 2>/dev/null); then
		keys=$(printf '%s\n' "$proof" | sed -n 's/.*"open":\[\([0-9,]*\)\].*/\1/p')
		case $proof in
		*'"lost":['[!]]* | *'"waiting":'[1-9]*) echo '?' ;;
		*'"open":null'*) echo 0 ;;
		*'"open":['*) printf '%s' "$keys" | tr ',' '\n' | grep -c . || : ;;
		*) echo '?' ;;
		esac
		return
	fi
	echo '?'
}

journal_path() {
	path=$(sed -n 's/^journal:[ "]*\([^" #]*\).*/\1/p' $config 2>/dev/null)
	echo "${path:-$state/journal.db}"
}

# seal prints what the journal is now, so that purge can tell whether it is still
# the one of which nothing was owed.
seal() {
	for file in "$(journal_path)" "$(journal_path).ring"; do
		[ ! -e "$file" ] || sha256sum "$file"
	done
}
