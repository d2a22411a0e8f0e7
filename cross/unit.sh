#!/usr/bin/env bash
# How well the systemd unit locks reversald in, and whether systemd understands it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/packages/systemd"

# Our goal; systemd's own words: below 3 is "OK", the best of its services are there.
goal=2.5

if ! command -v systemd-analyze >/dev/null; then
	echo 'unit.sh: no systemd-analyze here, the unit is not checked' >&2
	exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The program is not installed here: anything that runs stands for it.
for unit in *.service *.socket; do
	sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$unit" >"$folder/$unit"
done
systemd-analyze verify --man=no "$folder"/reversald.service "$folder"/*.socket
score=$(systemd-analyze security --offline=yes --no-pager "$folder/reversald.service" |
	sed -n 's/.*Overall exposure level for.*: \([0-9.]*\) .*/\1/p')
verdict=ok
awk -v s="$score" -v g=$goal 'BEGIN { exit !(s <= g) }' || verdict=short
printf 'unit_exposure %s points <=%s %s\n' "$score" $goal $verdict
[ $verdict = ok ]
