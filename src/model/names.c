/*
 * What the enumerations are called: in the store, in JSON, for people. Stored names are never
 * renamed.
 */
#include <stddef.h>
#include <strings.h>

#include "model/channel.h"
#include "model/component.h"
#include "model/evidence.h"
#include "model/finding.h"
#include "model/life.h"
#include "model/observation.h"
#include "model/risk.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* The index of text in names, whatever its case; -1 when it is none of them. */
static int index_of(const char *const *names, int n, const char *text)
{
	for (int i = 0; i < n; i++)
		if (names[i] != NULL && strcasecmp(names[i], text) == 0)
			return i;
	return -1;
}

static const char *const risks[] = {"LOW", "MEDIUM", "HIGH"};

const char *risk_name(enum risk risk)
{
	return risks[risk];
}

bool risk_parse(const char *text, enum risk *risk)
{
	int i = index_of(risks, LENGTH(risks), text);
	if (i >= 0)
		*risk = (enum risk)i;
	return i >= 0;
}

const char *severity_name(enum severity severity)
{
	static const char *const names[] = {"HEALTHY", "DEGRADED", "UNHEALTHY", "CRITICAL"};
	return names[severity];
}

const char *severity_icon(enum severity severity)
{
	static const char *const icons[] = {"🟢", "🟡", "🟠", "🔴"};
	return icons[severity];
}

static const char *const healings[] = {"off", "on", "shadow", "false", "true"};

const char *healing_name(enum healing healing)
{
	return healings[healing];
}

bool healing_parse(const char *text, enum healing *healing)
{
	int i = index_of(healings, LENGTH(healings), text);
	if (i >= 0)
		*healing = (enum healing)(i > HEALING_SHADOW ? i - HEALING_SHADOW - 1 : i);
	return i >= 0;
}

const char *component_kind_name(enum component_kind kind)
{
	static const char *const names[] = {
		[COMPONENT_NODE] = "node",
		[COMPONENT_GUEST] = "guest",
		[COMPONENT_DOCKER_DAEMON] = "docker_daemon",
		[COMPONENT_CONTAINER] = "container",
		[COMPONENT_SERVICE] = "service",
		[COMPONENT_MCP] = "mcp",
		[COMPONENT_PROBE] = "probe",
		[COMPONENT_STORAGE] = "storage",
		[COMPONENT_BACKUP] = "backup",
		[COMPONENT_CLUSTER] = "cluster",
	};
	return names[kind];
}

static const char *const aspects[ASPECTS] = {
	[ASPECT_STATE] = "state",
	[ASPECT_CPU] = "cpu",
	[ASPECT_MEMORY] = "memory",
	[ASPECT_DISK] = "disk",
	[ASPECT_LOCK] = "lock",
	[ASPECT_HA] = "ha",
	[ASPECT_QUORUM] = "quorum",
	[ASPECT_REPLICATION] = "replication",
	[ASPECT_CERTIFICATE] = "certificate",
	[ASPECT_DEVICE] = "device",
	[ASPECT_POOL] = "pool",
	[ASPECT_UPDATES] = "updates",
	[ASPECT_SERVICE] = "service",
	[ASPECT_STOPPED] = "stopped",
};

const char *aspect_name(enum aspect aspect)
{
	return aspects[aspect];
}

bool aspect_parse(const char *text, enum aspect *aspect)
{
	int i = index_of(aspects, LENGTH(aspects), text);
	if (i >= 0)
		*aspect = (enum aspect)i;
	return i >= 0;
}

const char *token_kind_name(enum token_kind kind)
{
	static const char *const names[] = {
		"page", "approve", "reject", "later", "order", "healing", "retry", "mute"};
	return names[kind];
}

const char *obs_state_name(enum obs_state state)
{
	static const char *const names[] = {
		"unknown",
		"running",
		"exited",
		"restarting",
		"paused",
		"created",
		"absent",
		"unreachable",
	};
	return names[state];
}

const char *obs_health_name(enum obs_health health)
{
	static const char *const names[] = {"none", "starting", "healthy", "unhealthy"};
	return names[health];
}

const char *stop_cause_name(enum stop_cause cause)
{
	static const char *const names[] = {
		[STOP_UNSEEN] = "cause not seen",
		[STOP_CRASH] = "crashed",
		[STOP_PERSON] = "stopped by a person",
		[STOP_ENGINE] = "its engine went down",
		[STOP_DONE] = "finished its work",
	};
	return names[cause];
}

static const char *const findings[] = {
	[FINDING_NONE] = "none",
	[FINDING_FINE] = "fine",
	[FINDING_UNSURE] = "unsure",
	[FINDING_EXITED] = "exited",
	[FINDING_EXITED_UNSEEN] = "exited_unseen",
	[FINDING_UNHEALTHY] = "unhealthy",
	[FINDING_UNREACHABLE] = "unreachable",
	[FINDING_BLIND] = "blind",
	[FINDING_STOPPED] = "stopped",
	[FINDING_OFFLINE] = "offline",
	[FINDING_NO_QUORUM] = "no_quorum",
	[FINDING_HIGH_CPU] = "high_cpu",
	[FINDING_HIGH_MEMORY] = "high_memory",
	[FINDING_DISK_FULL] = "disk_full",
	[FINDING_GONE] = "gone",
	[FINDING_LOCKED] = "locked",
	[FINDING_HA_ERROR] = "ha_error",
	[FINDING_BACKUP] = "backup",
	[FINDING_REPLICATION] = "replication",
	[FINDING_CERTIFICATE] = "certificate",
	[FINDING_DEVICE] = "device",
	[FINDING_POOL] = "pool",
	[FINDING_UPDATES] = "updates",
	[FINDING_FAILED] = "failed",
	[FINDING_GAVE_UP] = "gave_up",
	[FINDING_IDLE] = "idle",
};

const char *finding_kind_name(enum finding_kind kind)
{
	return findings[kind];
}

bool finding_kind_parse(const char *text, enum finding_kind *kind)
{
	int i = index_of(findings, LENGTH(findings), text);
	if (i >= 0)
		*kind = (enum finding_kind)i;
	return i >= 0;
}

bool finding_is_trouble(enum finding_kind kind)
{
	return kind >= FINDING_EXITED;
}

bool finding_is_seen(enum finding_kind kind)
{
	return kind != FINDING_EXITED_UNSEEN && kind != FINDING_GAVE_UP;
}

bool finding_is_failure(enum finding_kind kind)
{
	return kind == FINDING_EXITED || kind == FINDING_EXITED_UNSEEN || kind == FINDING_UNHEALTHY ||
		kind == FINDING_STOPPED || kind == FINDING_FAILED || kind == FINDING_GAVE_UP;
}

struct observation observation_of(const struct component *component, enum aspect aspect)
{
	return (struct observation){.component = *component,
		.aspect = aspect,
		.state = OBS_RUNNING,
		.percent = -1,
		.used_bytes = -1,
		.max_bytes = -1};
}

const char *evidence_kind_name(enum evidence_kind kind)
{
	static const char *const names[EVIDENCE_KINDS] = {
		"log", "state", "event", "neighbour", "change", "metric", "past", "gap"};
	return names[kind];
}

static const char *const states[] = {
	[LIFE_NONE] = "NONE",
	[LIFE_SUSPECTED] = "SUSPECTED",
	[LIFE_DIAGNOSING] = "DIAGNOSING",
	[LIFE_DECIDING] = "DECIDING",
	[LIFE_ASKING] = "ASKING",
	[LIFE_POSTPONED] = "POSTPONED",
	[LIFE_SUPPRESSED] = "SUPPRESSED",
	[LIFE_ACTING] = "ACTING",
	[LIFE_VERIFYING] = "VERIFYING",
	[LIFE_ROLLING_BACK] = "ROLLING_BACK",
	[LIFE_RESOLVED] = "RESOLVED",
	[LIFE_CLEARED] = "CLEARED",
	[LIFE_REJECTED] = "REJECTED",
	[LIFE_ESCALATED] = "ESCALATED",
};

const char *life_state_name(enum life_state state)
{
	return states[state];
}

bool life_state_parse(const char *text, enum life_state *state)
{
	int i = index_of(states, LENGTH(states), text);
	if (i >= 0)
		*state = (enum life_state)i;
	return i >= 0;
}

bool life_is_open(enum life_state state)
{
	return state != LIFE_NONE && state != LIFE_RESOLVED && state != LIFE_CLEARED;
}

const char *life_event_name(enum life_event event)
{
	static const char *const names[] = {
		"SUSPECT",
		"CONFIRMED",
		"CLEARED",
		"DIAGNOSED",
		"ALLOWED",
		"NEEDS_HUMAN",
		"FORBIDDEN",
		"POSTPONE",
		"WAKE",
		"APPROVED",
		"REFUSED",
		"EXPIRED",
		"DONE",
		"FAILED",
		"TIMEOUT",
		"HEALTHY",
		"UNHEALTHY",
		"PARENT_FAILED",
		"PARENT_HEALED",
		"ORDERED",
		"RESUMED",
	};
	return names[event];
}
