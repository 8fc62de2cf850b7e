/*
 * A simulated cluster on a wound clock, as the one that was recorded, and questions to it. For the
 * tests of the simulator.
 */
#ifndef PROXMOX_STAGE_H
#define PROXMOX_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "sim/proxmox.h"

#define START_MS 1795469040000

struct stage {
	struct clock *clock;
	struct sim_proxmox *sim;
	struct arena *arena;
	const char *authorization, *via;
};

static inline void play(struct stage *stage, const char *line)
{
	char text[256] = "";
	if (!sim_proxmox_script(stage->sim, line, text, sizeof(text)))
		fail_msg("%s: %s", line, text);
}

static inline void play_all(struct stage *stage, const char *const *lines)
{
	for (; *lines != NULL; lines++)
		play(stage, *lines);
}

/* The cluster that was recorded. */
static const char *const recorded_world[] = {"node pve1", "node pve2", "node pve3",
	"storage local all", "vm 100 pve1 web tags=frontend;prod agent", "vm 101 pve2 web tags=staging",
	"vm 102 pve3 db tags=prod agent", "vm 103 pve1 locked stopped lock=backup tags=_ agent",
	"ct 200 pve1 dns", "ct 201 pve2 dns", "ct 202 pve3 cache",
	"vm 9000 pve2 tmpl template tags=_ agent", "ha 202", "job nightly local daily 100,200",
	"backup 200 local 1h", "user agent@pve secret", "token agent@pve!heal=s1",
	"user bare@pve secret", "token bare@pve!none=s2 privsep",
	"acl / agent@pve VM.Audit,Sys.Audit,Datastore.Audit,SDN.Audit",
	"acl /vms/100 agent@pve VM.PowerMgmt,VM.Snapshot,VM.Backup,VM.GuestAgent.Audit", NULL};

static inline struct stage *stage_new(void)
{
	struct stage *stage = test_calloc(1, sizeof(*stage));
	stage->clock = clock_new_wound(START_MS);
	stage->sim = sim_proxmox_new(stage->clock);
	stage->arena = arena_new((size_t)256 << 20);
	stage->authorization = SIM_PVE_TOKEN;
	return stage;
}

static inline void stage_free(struct stage *stage)
{
	sim_proxmox_free(stage->sim);
	clock_free(stage->clock);
	arena_free(stage->arena);
	test_free(stage);
}

static inline int set_up(void **state)
{
	struct stage *stage = stage_new();
	play_all(stage, recorded_world);
	*state = stage;
	return 0;
}

static inline int tear_down(void **state)
{
	stage_free(*state);
	return 0;
}

static inline struct sim_pve_reply ask_with(
	struct stage *stage, const char *method, const char *url, const char *form)
{
	struct sim_pve_reply reply;
	struct sim_pve_request request = {.via = stage->via,
		.method = method,
		.url = url,
		.body = form,
		.authorization = stage->authorization};
	sim_proxmox_handle(stage->sim, &request, stage->arena, &reply);
	return reply;
}

static inline struct sim_pve_reply ask(struct stage *stage, const char *method, const char *url)
{
	return ask_with(stage, method, url, NULL);
}

static inline struct json data_of(struct stage *stage, const struct sim_pve_reply *reply)
{
	struct json root;
	struct err err = {0};
	if (!json_parse(stage->arena, reply->body, strlen(reply->body), &root, &err))
		fail_msg("%s: %s", err.text, reply->body);
	return json_get(root, "data");
}

static inline struct json get(struct stage *stage, const char *url)
{
	struct sim_pve_reply reply = ask(stage, "GET", url);
	if (reply.status != 200)
		fail_msg("GET %s: %d %s", url, reply.status, reply.reason);
	return data_of(stage, &reply);
}

/* The member of an entry of /cluster/resources. */
static inline const char *resource(struct stage *stage, const char *id, const char *member)
{
	struct json list = get(stage, "/cluster/resources");
	for (struct json e = json_first(list); json_is(e); e = json_next(e))
		if (strcmp(json_str(json_get(e, "id"), stage->arena), id) == 0)
			return json_str(json_get(e, member), stage->arena);
	fail_msg("no %s", id);
	return NULL;
}

/* A POST that is to give a UPID; how that task ends. */
static inline const char *exit_after(
	struct stage *stage, const char *method, const char *path, const char *form, int64_t wait_ms)
{
	char url[512];
	struct sim_pve_reply reply = ask_with(stage, method, path, form);
	if (reply.status != 200)
		fail_msg("%s: %d %s", path, reply.status, reply.reason);
	const char *upid = json_str(data_of(stage, &reply), stage->arena);
	char node[32];
	assert_int_equal(sscanf(upid, "UPID:%31[^:]:", node), 1);
	clock_advance(stage->clock, wait_ms);
	snprintf(url, sizeof(url), "/nodes/%s/tasks/%s/status", node, upid);
	struct json data = get(stage, url);
	const char *exit = json_str(json_get(data, "exitstatus"), stage->arena);
	return exit != NULL ? exit : json_str(json_get(data, "status"), stage->arena);
}

static inline void expect_error(
	struct stage *stage, const char *method, const char *url, int status, const char *reason)
{
	struct sim_pve_reply reply = ask(stage, method, url);
	assert_int_equal(reply.status, status);
	assert_string_equal(reply.reason, reason);
}

#endif
