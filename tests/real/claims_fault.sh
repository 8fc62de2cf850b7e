# shellcheck shell=bash
# What is lost and done twice when homeostat or the engine is killed: nothing.

# engine_comes_back SIGNAL: the engine ends by SIGNAL and starts again under homeostat's eyes. What is
# asked of it is counted by the proxy: the first events of a starting engine can be heard by nobody.
engine_comes_back() {
	launch ran1
	launch ran2
	launch own --restart always
	launch person
	engine stop -t 5 person >/dev/null
	proxy_start
	configure "unix://$A/engine.sock"
	agent_start
	engine_end "$1"
	engine_start || die "the engine does not start again: $(engine_complaint)"
	wait_until 20 "homeostat sees the engine again" agent_is_ready
	wait_until 30 "ran1 runs again" is_running ran1
	wait_until 30 "ran2 runs again" is_running ran2
	wait_until 30 "own runs again" is_running own
	unchanged person "$(starts person)"
	is "$(posts_for ran1) $(posts_for ran2) $(posts_for own) $(posts_for person)" "1 1 0 0" ||
		die "asked of ran1, ran2, own, person: $(posts_for ran1) $(posts_for ran2)" \
			"$(posts_for own) $(posts_for person), not 1 1 0 0"
	is_stopped person || die "what a person had stopped runs"
	wait_until 20 "no incident is left open" nothing_is_open
}

nothing_is_open() {
	is "$(homeostat incidents --json |
		jq '[.[] | select(.state | IN("RESOLVED", "CLEARED") | not)] | length')" 0
}

engine_stopped_and_started_loses_nothing_and_does_nothing_twice() { engine_comes_back TERM; }
engine_killed_and_started_loses_nothing_and_does_nothing_twice() { engine_comes_back KILL; }

is_held() { grep -q " hold-$1 " "$A/proxy/journal"; }

# The engine never hears of the first restart: the life goes on after the crash, with one restart.
killed_between_intent_and_action_restarts_at_most_once() {
	launch before
	proxy_start
	configure "unix://$A/engine.sock"
	agent_start
	touch "$A/proxy/hold-request"
	crash before
	wait_until 20 "the restart is asked for" is_held request
	agent_kill
	started_times before 1 || die "the proxy let the request through"
	rm "$A/proxy/hold-request"
	agent_start
	wait_until 40 "the life ends" has_ended before
	case $(starts before) in
	1) is_in_state before ESCALATED || die "not restarted, yet $(incident_field before state)" ;;
	2) is_running before || die "before does not run" ;;
	*) die "before was restarted $(($(starts before) - 1)) times" ;;
	esac
	homeostat audit --verify >/dev/null || die "the audit log does not verify"
}

# The engine has restarted it, homeostat was killed before it could know: verified, not acted upon.
killed_between_action_and_its_answer_restarts_once() {
	launch between
	proxy_start
	configure "unix://$A/engine.sock"
	agent_start
	touch "$A/proxy/hold-reply"
	crash between
	wait_until 20 "the restart is answered" is_held reply
	agent_kill
	rm "$A/proxy/hold-reply"
	agent_start
	wait_state between RESOLVED 40
	started_times between 2 || die "between was restarted $(($(starts between) - 1)) times"
	is "$(incidents_of between)" 1 || die "the life did not go on: $(incidents_of between) incidents"
}

killed_before_verification_restarts_once() {
	launch after
	configure "" "settle: 4s"
	agent_start
	crash after
	wait_state after VERIFYING
	agent_kill
	agent_start
	wait_state after RESOLVED 40
	started_times after 2 || die "after was restarted $(($(starts after) - 1)) times"
	is "$(incidents_of after)" 1 || die "the life did not go on: $(incidents_of after) incidents"
}

has_ended() {
	case $(incident_field "$1" state) in
	RESOLVED | CLEARED | ESCALATED) return 0 ;;
	*) return 1 ;;
	esac
}

storm_names() { seq -f 'storm%03g' 1 "$1"; }

# storm_starts N: whether containers of the storm were started N times in all.
storm_starts() {
	is "$(grep -c '"Action":"start",.*"name":"storm' "$D/events")" "$1"
}

# How many of the storm's containers have been started again, by the engine's own record.
each_started_twice() {
	jq -rs 'map(select(.Type == "container" and .Action == "start") | .Actor.Attributes.name
		| select(startswith("storm"))) | group_by(.) | map(length) | {n: length,
		twice: map(select(. == 2)) | length, more: map(select(. > 2)) | length}
		| "\(.n) \(.twice) \(.more)"' "$D/events"
}

storm_of_40_in_200_is_healed_in_bounded_parallel() {
	storm_names 200 | xargs -P 4 -I '{}' docker -H "unix://$E" run -d --name '{}' --network none \
		hs-tiny /sleeper >/dev/null
	proxy_start
	configure "unix://$A/engine.sock"
	agent_start
	local victims begun
	mapfile -t victims < <(storm_names 40)
	begun=$(now_ms)
	crash "${victims[@]}"
	wait_until 90 "all 40 are started again" storm_starts 240
	say "all 40 run again after $(($(now_ms) - begun)) ms, at most $(most_at_once) restarts at a time"
	wait_until 40 "no incident is left open" nothing_is_open
	grep -qi storm "$A/log" || die "no word of a storm in homeostat's output"
	is "$(posts)" 40 || die "$(posts) restarts were asked for, not 40"
	is "$(each_started_twice)" "200 40 0" ||
		die "names, started twice, more often: $(each_started_twice), not 200 40 0"
	if [ "$(most_at_once)" -gt 4 ]; then die "$(most_at_once) restarts at a time"; fi
}

disk_is_full_and_said() { grep -q "cannot record: .*full" "$A/log"; }

# A state folder on a file system of its own, filled to the last byte: without a record of the intent
# nothing is done, and what was seen meanwhile is not lost.
full_disk_stops_healing_until_there_is_room() {
	mkdir -p "$A/state"
	mount -t tmpfs -o size=1m,mode=0700 homeostat-test "$A/state" || skip "tmpfs cannot be mounted"
	# shellcheck disable=SC2064
	trap "agent_end || true; umount '$A/state'" EXIT
	launch full
	agent_start
	dd if=/dev/zero of="$A/state/filler" bs=4k 2>/dev/null || true
	crash full
	wait_until 20 "it is said that the disk is full" disk_is_full_and_said
	started_times full 1 || die "full was restarted though the intent could not be recorded"
	agent_is_ready || die "it does not keep watching"
	rm "$A/state/filler"
	wait_state full RESOLVED
	started_times full 2 || die "full was started $(starts full) times"
	homeostat audit --verify >/dev/null || die "the audit log does not verify"
	agent_end
}

read_only_state_is_refused_clearly() {
	mkdir -p "$A/state"
	mount -t tmpfs -o size=1m,mode=0700,ro homeostat-test "$A/state" || skip "tmpfs cannot be mounted"
	# shellcheck disable=SC2064
	trap "umount '$A/state'" EXIT
	configure ""
	local code=0
	"$HOMEOSTAT" run -c "$A/homeostat.yaml" >"$A/log" 2>&1 || code=$?
	is $code 1 || die "exit code $code: $(cat "$A/log")"
	grep -qi "read-only" "$A/log" || die "it does not say why: $(cat "$A/log")"
}
