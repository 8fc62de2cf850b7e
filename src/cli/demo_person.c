/*
 * The demo's pretended person: thinks for some seconds about what homeostat asks, then says yes.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/control.h"
#include "cli/demo.h"
#include "cli/text.h"

#define LOOK_EVERY_MS 500
#define THINK_MS 4000
#define ARENA_BYTES ((size_t)8 << 20)

static void approve(const struct demo_person *person, struct arena *arena, int64_t id)
{
	struct http_reply reply;
	struct err err = {0};
	const char *path = arena_printf(arena, "/api/v1/approvals/%lld", (long long)id);
	const char *bold = person->colour ? CLI_BOLD : "", *plain = person->colour ? CLI_PLAIN : "";
	printf("\n%s🧑 homeostat approve %lld   (the demo's person approves)%s\n\n", bold,
		(long long)id, plain);
	fflush(stdout);
	if (!control_call(person->socket, path, "{\"decision\":\"approve\"}", arena, &reply, &err))
		printf("(the demo's person was not heard: %s)\n", err.text);
	else if (reply.status > 299)
		printf("(the demo's person got status %d)\n", reply.status);
}

/* The incident that has asked first; 0: none. */
static int64_t asking(const struct demo_person *person, struct arena *arena)
{
	struct http_reply reply;
	struct err err = {0};
	struct json root;
	char state[24];
	if (!control_call(person->socket, "/api/v1/incidents?state=open", NULL, arena, &reply, &err) ||
		reply.status != 200 || !json_parse(arena, reply.body, reply.body_bytes, &root, &err))
		return 0;
	int64_t first = 0; /* they come newest first */
	struct json list = control_list(root, "incidents");
	for (struct json i = json_first(list); json_is(i); i = json_next(i))
		if (json_copy(json_get(i, "state"), state, sizeof(state)) && strcmp(state, "ASKING") == 0)
			first = json_int(json_get(i, "id"), 0);
	return first;
}

void *demo_person(void *arg)
{
	const struct demo_person *person = arg;
	int64_t asked_id = 0, asked_at = 0;
	while (clock_wait(person->clock, LOOK_EVERY_MS, person->stop_fd)) {
		auto_arena arena = arena_new(ARENA_BYTES);
		int64_t id = asking(person, arena), now = clock_mono_ms(person->clock);
		if (id != asked_id) {
			asked_id = id;
			asked_at = now;
		} else if (id != 0 && now - asked_at >= THINK_MS) {
			approve(person, arena, id);
			asked_at = now;
		}
	}
	return NULL;
}
