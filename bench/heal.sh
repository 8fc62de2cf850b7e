#!/bin/bash
# bench/heal.sh [N]: from a crash to running again on a real Docker engine, N times (30) each way, all
# ways in one run and on one private engine:
#   homeostat   the release build, intent on disk before the restart
#   listener    bench/listener.c, which starts at once what died: the floor
#   engine      the engine's own --restart=always
#   bare start  POST /containers/ID/start alone, for what has exited
# "die → running" is between the engine's own events; "crash → running" begins when the process is
# killed. Crashes are made by killing the process; docker kill would be a person's.
set -eu
n=${1:-30}
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
: >"$D/results"
mkdir -p "$A"
cc -O2 -D_GNU_SOURCE -o "$D/listener" bench/listener.c
engine_set_up || die "no engine can be started: $(engine_complaint)"

tiny() {
	local name=$1
	shift
	engine run -d --name "$name" --network none "$@" hs-tiny /sleeper >/dev/null
}

# crash_one WAY NAME: kills it, waits until it runs again, and writes down the two times in ms.
crash_one() {
	local pid killed
	pid=$(container "$2" '{{.State.Pid}}')
	killed=$(date +%s%N)
	kill -9 "$pid"
	wait_until 60 "$2 runs again" started_times "$2" 2
	jq -rs --arg name "$2" --argjson killed "$killed" --arg way "$1" '
		map(select(.Type == "container" and .Actor.Attributes.name == $name))
		| (map(select(.Action == "die"))[0].timeNano) as $die
		| (map(select(.Action == "start"))[1].timeNano) as $start
		| "\($way) \(($start - $die) / 1e6) \(($start - $killed) / 1e6)"' "$D/events" >>"$D/results"
}

# all_of WAY [OPTION…]: this round's containers, crashed one after the other.
all_of() {
	local way=$1 i
	shift
	for i in $(seq "$each"); do
		tiny "$way-$round-$i" "$@"
	done
	for i in $(seq "$each"); do
		crash_one "$way" "$way-$round-$i"
	done
	remove_all
}

bare_start() {
	local i begun
	tiny "bare-$round"
	for i in $(seq "$each"); do
		engine kill "bare-$round" >/dev/null
		wait_until 10 "bare has ended" is_stopped "bare-$round"
		begun=$(date +%s%N)
		curl -sf -X POST --unix-socket "$E" "http://engine/containers/bare-$round/start"
		echo "bare $((($(date +%s%N) - begun) / 1000))" |
			awk '{ print $1, $2 / 1000, $2 / 1000 }' >>"$D/results"
	done
	remove_all
}

# In rounds, so that what else the machine does falls on all ways alike.
rounds=5
each=$(((n + rounds - 1) / rounds))
echo "$(nproc) cores, $(engine version -f 'engine {{.Server.Version}}'), $DRIVER," \
	"$rounds rounds of $each crashes each" >&2
configure "" "storm: 1000 in 1s" "concurrent: 16"
for round in $(seq $rounds); do
	echo "round $round of $rounds …" >&2
	all_of engine --restart=always
	bare_start
	"$D/listener" "$E" &
	listener=$!
	all_of listener
	end_process $listener 2 || true
	agent_start
	all_of homeostat
	agent_end
done

row() {
	local way=$1 column=$2
	awk -v way="$way" -v c="$column" '$1 == way { print $c }' "$D/results" | sort -n |
		awk '{ v[NR] = $1 } END { m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
			p = int(NR * 0.95 + 0.999999); printf "%7.1f %7.1f %7.1f", v[1], m, v[p] }'
}
printf '%-12s  %-25s  %-25s\n' "ms" "      die → running" "    crash → running"
printf '%-12s  %7s %7s %7s  %7s %7s %7s\n' "" min median p95 min median p95
for way in homeostat listener engine bare; do
	printf '%-12s  %s  %s\n' "$way" "$(row $way 2)" "$(row $way 3)"
done
mkdir -p build && cp "$D/results" build/heal.results
