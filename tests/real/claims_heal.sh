# shellcheck shell=bash
# What is healed, and what is not.

crashed_container_is_restarted_and_verified() {
	launch web
	agent_start
	crash web
	wait_state web RESOLVED
	is_running web || die "web does not run"
	started_times web 2 || die "web was started $(starts web) times"
	is "$(incidents_of web)" 1 || die "more than one incident for one crash"
	homeostat audit --verify >/dev/null || die "the audit log does not verify"
}

second_crash_is_a_second_incident() {
	launch twice
	agent_start
	crash twice
	wait_state twice RESOLVED
	crash twice
	wait_until 20 "twice is started again" started_times twice 3
	wait_state twice RESOLVED
	is "$(incidents_of twice)" 2 || die "$(incidents_of twice) incidents for two crashes"
}

unhealthy_container_is_restarted_and_seen_healthy() {
	launch sick --health-cmd 'test ! -e /sick' --health-interval 1s --health-retries 2
	wait_until 20 "sick is healthy at first" is_health sick healthy
	agent_start
	engine exec sick touch /sick
	wait_state sick RESOLVED 40
	is_health sick healthy || die "sick is $(container sick '{{.State.Health.Status}}')"
	started_times sick 2 || die "sick was started $(starts sick) times"
}

crash_loop_ends_escalated_after_exactly_the_budget() {
	agent_start
	launch loop -- sh -c 'sleep 0.3; exit 3'
	wait_state loop ESCALATED 60
	started_times loop 4 || die "loop was started $(($(starts loop) - 1)) times by homeostat, not 3"
	unchanged_since_escalation
}

# The canary of unchanged allows no incident; here there is one, and it must stay as it is.
unchanged_since_escalation() {
	launch canary-loop
	crash canary-loop
	wait_state canary-loop RESOLVED
	started_times loop 4 || die "loop was started again after its escalation"
	is_in_state loop ESCALATED || die "loop is $(incident_field loop state)"
}

# The engine remembers its last 256 events: how it stopped is in them.
crash_while_we_were_away_is_healed() {
	launch early
	crash early
	wait_until 5 "early is down" is_stopped early
	agent_start
	wait_state early RESOLVED
	started_times early 2 || die "early was started $(starts early) times"
}

crash_whose_cause_was_lost_is_reported_not_restarted() {
	launch lost
	launch noise
	crash lost
	wait_until 5 "lost is down" is_stopped lost
	local i
	for i in $(seq 130); do
		curl -sf -X POST --unix-socket "$E" "http://engine/containers/noise/pause" \
			--next -sf -X POST --unix-socket "$E" "http://engine/containers/noise/unpause" ||
			die "pause $i failed"
	done
	agent_start
	wait_until 20 "lost has an incident" is_open lost
	started_times lost 1 || die "lost was restarted though nobody saw why it stopped"
	is_stopped lost || die "lost runs"
}

is_open() {
	case $(incident_field "$1" state) in
	ASKING | ESCALATED | POSTPONED) return 0 ;;
	*) return 1 ;;
	esac
}

container_stopped_by_a_person_is_left_alone() {
	launch stopped
	agent_start
	engine stop -t 5 stopped >/dev/null
	unchanged stopped 1
}

container_killed_by_a_person_is_left_alone() {
	launch killed
	agent_start
	engine kill killed >/dev/null
	unchanged killed 1
}

one_shot_that_exits_0_is_left_alone() {
	agent_start
	launch once -- sh -c 'sleep 0.5; exit 0'
	wait_until 5 "once has ended" is_stopped once
	unchanged once 1
}

paused_container_is_left_alone() {
	launch paused
	agent_start
	engine pause paused >/dev/null
	unchanged paused 1
	is "$(container paused '{{.State.Paused}}')" true || die "paused was unpaused"
	engine unpause paused >/dev/null
}

removed_container_is_left_alone() {
	launch removed
	agent_start
	engine rm -f removed >/dev/null
	unchanged removed 1
}

container_with_label_enable_false_is_left_alone() {
	launch opted-out --label homeostat.enable=false
	agent_start
	crash opted-out
	unchanged opted-out 1
	is_stopped opted-out || die "opted-out runs"
}

container_that_the_engine_restarts_itself_is_left_to_it() {
	launch own --restart always
	agent_start
	crash own
	wait_until 10 "the engine restarts own" is_running own
	unchanged own 2
}

healing_switched_off_touches_nothing() {
	launch off
	agent_start
	homeostat disable >/dev/null || die "disable failed"
	crash off
	wait_until 20 "off has an incident" is_open off
	started_times off 1 || die "off was restarted with healing off"
	homeostat enable >/dev/null || die "enable failed"
	wait_state off RESOLVED
	started_times off 2 || die "off was started $(starts off) times"
}
