# shellcheck shell=bash
# What the claims of the real-engine suite are written with. HOMEOSTAT is the program under test, A the
# folder of the claim.

# --- containers ---------------------------------------------------------------------------------

# launch NAME [DOCKER-RUN-OPTION…] [-- COMMAND…]: a container that ends at once when asked to.
launch() {
	local name=$1 options=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	if [ $# = 0 ]; then
		set -- -- sh -c 'rm -f /sick; trap "exit 0" TERM; while :; do sleep 0.2; done'
	fi
	shift
	engine run -d --name "$name" --network none "${options[@]}" hs-test "$@" >/dev/null
}

# crash NAME…: kills their processes as a fault would, not by the engine (that would be a person).
crash() {
	local pids
	pids=$(engine inspect -f '{{.State.Pid}}' "$@")
	# shellcheck disable=SC2086
	kill -9 $pids
}

# --- homeostat ----------------------------------------------------------------------------------

# configure URL [BRAKES-LINE…]: writes the configuration of this claim; no URL ("") is the engine's
# socket. A line of brakes replaces the default of the same key.
configure() {
	local url=${1:-unix://$E} key line
	shift
	declare -A brakes=([budget]='3 per 10m' [backoff]='200ms..1s' [settle]=1s [verify]=15s
		[unreachable]=2s [concurrent]=4 [hourly]=1000 [storm]='3 in 5s')
	for line in "$@"; do
		brakes[${line%%:*}]=${line#*: }
	done
	mkdir -p "$A"
	{
		printf 'interval: 1s\nautohealing: true\nstate: %s/state\n' "$A"
		printf 'listen: none\ncontrol: %s/control.sock\n' "$A"
		printf 'docker:\n  - name: local\n    url: %s\n' "$url"
		if [ -n "${TLS_LINES:-}" ]; then printf '%s\n' "$TLS_LINES"; fi
		printf 'brakes:\n'
		for key in "${!brakes[@]}"; do
			printf '  %s: %s\n' "$key" "${brakes[$key]}"
		done
	} >"$A/homeostat.yaml"
}

agent_is_ready() { curl -sf --max-time 5 --unix-socket "$A/control.sock" http://homeostat/readyz; }

# Starts it and waits until it sees its engine.
agent_start() {
	if [ ! -f "$A/homeostat.yaml" ]; then configure ""; fi
	"$HOMEOSTAT" run -c "$A/homeostat.yaml" >>"$A/log" 2>&1 &
	echo $! >"$A/pid"
	wait_until 20 "homeostat starts and reaches its source (see $A/log)" agent_is_ready
}

agent_kill() {
	local pid
	pid=$(cat "$A/pid")
	kill -9 "$pid"
	wait "$pid" 2>/dev/null || true
	rm "$A/pid"
}

# Ends it; anything but a clean end, a sanitizer's report for one, fails the claim.
agent_end() {
	local pid code=0
	if [ ! -f "$A/pid" ]; then return 0; fi
	pid=$(cat "$A/pid")
	rm "$A/pid"
	if ! end_process "$pid" 15; then
		say "homeostat did not end within 15 s of SIGTERM"
		return 1
	fi
	wait "$pid" || code=$?
	if [ $code != 0 ]; then
		grep -E -A 12 'ERROR: |runtime error|WARNING: Thread' "$A/log" | head -n 40 | sed 's/^/# /'
		say "homeostat ended with exit code $code"
		return 1
	fi
}

homeostat() { "$HOMEOSTAT" "$@" -c "$A/homeostat.yaml"; }

# incident NAME: the newest one of a container, as JSON; null when there is none.
incident() {
	homeostat incidents --json |
		jq --arg c "docker_container_$1" '[.[] | select(.component == $c)] | max_by(.id)'
}

incident_field() { incident "$1" | jq -r ".$2"; }
is_in_state() { is "$(incident_field "$1" state)" "$2"; }
has_no_incident() { is "$(incident "$1")" null; }

incidents_of() {
	homeostat incidents --json |
		jq --arg c "docker_container_$1" '[.[] | select(.component == $c)] | length'
}

# wait_state NAME STATE [SECONDS]
wait_state() { wait_until "${3:-20}" "the incident of $1 becomes $2" is_in_state "$1" "$2"; }

# unchanged NAME STARTS: proves that what happened to NAME led to nothing: another container's crash,
# later than that, was seen and healed, which takes longer than a reconciling look comes round.
unchanged() {
	local canary=canary-$RANDOM
	launch "$canary"
	crash "$canary"
	wait_state "$canary" RESOLVED
	started_times "$1" "$2" || die "$1 was started $(starts "$1") times instead of $2"
	case $(incident_field "$1" state) in
	null | CLEARED) ;;
	*) die "$1 has an incident: $(incident "$1")" ;;
	esac
}

# --- the proxy ----------------------------------------------------------------------------------

proxy_start() {
	mkdir -p "$A/proxy"
	"$D/proxy" "$A/engine.sock" "$E" "$A/proxy" &
	echo $! >"$A/proxy/pid"
	wait_until 5 "the proxy listens" test -S "$A/engine.sock"
}

proxy_end() {
	if [ -f "$A/proxy/pid" ]; then
		rm -f "$A/proxy/hold-request" "$A/proxy/hold-reply"
		end_process "$(cat "$A/proxy/pid")" 5 || true
		rm "$A/proxy/pid"
	fi
}

# most_at_once: the greatest number of POSTs that were under way at the same time.
most_at_once() {
	awk '$2 == "begin" { if (++n > most) most = n } $2 == "end" { n-- } END { print most + 0 }' \
		"$A/proxy/journal"
}

posts() { grep -c " begin " "$A/proxy/journal" || true; }

# posts_for NAME: how often something was asked of this container.
posts_for() { grep -c " begin .*$(container "$1" '{{.Id}}')" "$A/proxy/journal" || true; }

# The end of every claim: its processes.
finish() {
	local code=0
	rm -f "$A/proxy/hold-request" "$A/proxy/hold-reply"
	agent_end || code=1
	proxy_end
	return $code
}
