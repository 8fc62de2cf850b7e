/* The Metrics block of a finding: what was seen, as a JSON object. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "detect/internal.h"

#define GIB 1073741824.0

static void put_tenths(struct json_out *out, const char *name, double value)
{
	char text[32];
	STR_FORMAT(text, "%.1f", value);
	json_put_num(out, name, strtod(text, NULL));
}

static void put_guest(struct json_out *out, const struct observation *seen)
{
	const char *id = strchr(seen->component.native, '/');
	json_put_int(out, "vmid", id != NULL ? strtol(id + 1, NULL, 10) : 0);
	json_put_str(out, "name", seen->component.label);
}

static const char *guest_status(enum obs_state state)
{
	return state == OBS_EXITED ? "stopped" : obs_state_name(state);
}

static void put_share(struct json_out *out, const struct observation *seen)
{
	char name[32];
	STR_FORMAT(name, "%s_percent", aspect_name(seen->aspect));
	put_tenths(out, name, seen->percent);
	if (seen->used_bytes >= 0)
		put_tenths(out, "used_gb", (double)seen->used_bytes / GIB);
}

static void put_whole(struct json_out *out, const struct observation *seen)
{
	switch (seen->component.kind) {
	case COMPONENT_CONTAINER:
		json_put_str(out, "container", seen->component.label);
		json_put_str(out, "state", obs_state_name(seen->state));
		json_put_str(out, "status", seen->status);
		break;
	case COMPONENT_GUEST:
		json_put_str(out, "status", guest_status(seen->state));
		break;
	case COMPONENT_NODE:
	case COMPONENT_STORAGE:
	case COMPONENT_BACKUP:
	case COMPONENT_CLUSTER:
	case COMPONENT_DOCKER_DAEMON:
	case COMPONENT_SERVICE:
	case COMPONENT_MCP:
	case COMPONENT_PROBE:
	case COMPONENT_KINDS:
		json_put_str(out, "source", seen->component.source);
		json_put_str(out, "state", obs_state_name(seen->state));
		break;
	}
}

void finding_metrics(const struct observation *seen, struct finding *finding)
{
	auto_arena arena = arena_new(8192);
	struct str text;
	struct json_out out;
	str_init(&text, arena);
	json_begin(&out, &text);
	json_open(&out, NULL, '{');
	if (seen->component.kind == COMPONENT_GUEST)
		put_guest(&out, seen);
	if (seen->aspect == ASPECT_CPU || seen->aspect == ASPECT_MEMORY || seen->aspect == ASPECT_DISK)
		put_share(&out, seen);
	else if (seen->aspect == ASPECT_STATE)
		put_whole(&out, seen);
	else
		json_put_str(&out, aspect_name(seen->aspect), seen->detail);
	json_close(&out, '}');
	/* A cut object would be no JSON: better none. */
	if (!STR_SET(finding->metrics, text.s))
		STR_SET(finding->metrics, "{}");
}
