#!/bin/bash
# bench/footprint.sh [MINUTES] [COUNT…]: what homeostat costs while nothing happens, with 10, 100 and 500
# containers on a private Docker engine: memory (RSS; private: what this process alone holds), processor
# time, wake-ups (voluntary context switches of all threads) and bytes written, per minute, and how much
# the private memory grew between the first and the last look. MINUTES is how long each is watched (2).
set -eu
minutes=${1:-2}
shift || true
counts=("$@")
if [ ${#counts[@]} = 0 ]; then counts=(10 100 500); fi
cd "$(dirname "$0")/.."
[ -f build/build.ninja ] || meson setup build --buildtype=release -Dtests=false >/dev/null
ninja -C build --quiet >/dev/null
HOMEOSTAT=$PWD/build/homeostat
# shellcheck source=tests/real/engine.sh
. tests/real/engine.sh
# shellcheck source=tests/real/lib.sh
. tests/real/lib.sh
trap 'exit 130' INT TERM
trap 'agent_end || true; engine_take_down' EXIT
A=$D/a
engine_set_up || die "no engine can be started: $(engine_complaint)"

rollup() { awk -v key="$1" '$1 ~ key { n += $2 } END { print n }' "/proc/$pid/smaps_rollup"; }
rss() { rollup '^Rss:'; }
private() { rollup '^Private_(Clean|Dirty):'; }
# Fields 14 and 15 of stat, in ticks, after a name that could hold spaces.
ticks() { sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }'; }
wakeups() { cat /proc/"$pid"/task/*/status | awk '/^voluntary_ctxt_switches/ { n += $2 } END { print n }'; }
written() { awk '/^write_bytes/ { print $2 }' "/proc/$pid/io"; }

watch() {
	local count=$1 have
	have=$(engine ps -q | wc -l)
	seq -f 'idle%g' $((have + 1)) "$count" | xargs -r -P 4 -I '{}' docker -H "unix://$E" run -d \
		--name '{}' --network none hs-tiny /sleeper >/dev/null
	rm -rf "$A"
	configure ""
	sed -i 's/^interval: .*/interval: 60s/' "$A/homeostat.yaml"
	agent_start
	pid=$(cat "$A/pid")
	# What starting costs is over when the first minute's look is.
	sleep 65
	local private_0 ticks_0 wakeups_0 written_0 hz
	private_0=$(private) ticks_0=$(ticks) wakeups_0=$(wakeups) written_0=$(written)
	hz=$(getconf CLK_TCK)
	sleep $((minutes * 60))
	awk -v count="$count" -v rss="$(rss)" -v private="$(private)" -v private_0="$private_0" \
		-v ticks=$(($(ticks) - ticks_0)) -v hz="$hz" -v wakeups=$(($(wakeups) - wakeups_0)) \
		-v written=$(($(written) - written_0)) -v minutes="$minutes" 'BEGIN {
			printf "%10d  %8.1f  %10.1f  %7.3f  %9.1f  %11.1f  %11.1f\n", count, rss / 1024,
				private / 1024, 100 * ticks / hz / (60 * minutes), wakeups / minutes,
				written / 1024 / minutes, private - private_0 }'
	agent_end
}

echo "$(nproc) cores, $(engine version -f 'engine {{.Server.Version}}'), interval 60 s, $minutes min each"
printf '%10s  %8s  %10s  %7s  %9s  %11s  %11s\n' containers "RSS MiB" "priv. MiB" "CPU %" wakeups/m \
	"written K/m" "growth KiB"
for count in "${counts[@]}"; do
	watch "$count"
done
