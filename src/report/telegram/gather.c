/*
 * The facts of a page: from the store, from the core, and live from Proxmox VE.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "report/internal.h"
#include "report/pve.h"
#include "report/telegram/live.h"
#include "report/telegram/menu.h"
#include "report/telegram/texts.h"

#define RESOURCES_MS 6000
#define BACKUPS_MS 20000
#define AUDIT_ROWS 80
#define STORY_ROWS 64
#define QUESTIONS_MAX 400
#define HEALTH_BYTES 12000

struct gather {
	struct talker *talker;
	struct facts *facts;
	struct arena *arena;
	struct json components;
	const char **guests; /* names of components, sorted */
	size_t guest_count;
};

static struct core_status *ask_status(struct talker *talker, struct arena *arena)
{
	struct request request = {.kind = REQUEST_STATUS};
	struct answer *answer = talker_ask(talker, &request, false, arena);
	if (answer != NULL)
		return &answer->core;
	struct core_status *none = ARENA_NEW(arena, struct core_status);
	none->now = talker_wall(talker);
	STR_SET(none->trouble, "it is busy, and did not answer in time");
	return none;
}

static void ask_components(struct gather *gather)
{
	struct request request = {.kind = REQUEST_COMPONENTS};
	struct answer *answer = talker_ask(gather->talker, &request, false, gather->arena);
	struct err err = {0};
	if (answer == NULL || answer->json == NULL ||
		!json_parse(gather->arena, answer->json, strlen(answer->json), &gather->components, &err))
		log_debug("telegram: no components: %s", err.text);
}

static bool is_text(struct json object, const char *key, const char *text)
{
	char value[NAME_MAX_BYTES];
	return json_copy(json_get(object, key), value, sizeof(value)) && strcmp(value, text) == 0;
}

static const char *text_at(struct json object, const char *key, struct arena *arena)
{
	const char *text = json_str(json_get(object, key), arena);
	return text != NULL ? text : "";
}

static enum obs_state state_at(struct json object)
{
	for (int i = 0; i < OBS_STATES; i++)
		if (is_text(object, "state", obs_state_name((enum obs_state)i)))
			return (enum obs_state)i;
	return OBS_UNKNOWN;
}

static enum obs_health health_at(struct json object)
{
	for (int i = OBS_NO_CHECK; i <= OBS_UNHEALTHY; i++)
		if (is_text(object, "health", obs_health_name((enum obs_health)i)))
			return (enum obs_health)i;
	return OBS_NO_CHECK;
}

static const char *engine_of(const char *source)
{
	const char *colon = strchr(source, ':');
	return colon != NULL ? colon + 1 : source;
}

static void add_containers(struct gather *gather)
{
	struct arena *arena = gather->arena;
	struct facts *facts = gather->facts;
	struct fact_container *rows = ARENA_ARRAY(
		arena, struct fact_container, json_count(gather->components) + 1);
	for (struct json c = json_first(gather->components); json_is(c); c = json_next(c)) {
		if (!is_text(c, "kind", component_kind_name(COMPONENT_CONTAINER)))
			continue;
		rows[facts->container_count++] = (struct fact_container){
			.component = text_at(c, "name", arena),
			.name = text_at(c, "label", arena),
			.engine = engine_of(text_at(c, "source", arena)),
			.state = state_at(c),
			.health = health_at(c),
			.critical = json_bool(json_get(c, "critical"), false) ||
				is_text(c, "risk", risk_name(RISK_MEDIUM)) ||
				is_text(c, "risk", risk_name(RISK_HIGH)),
		};
	}
	facts->containers = rows;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_guests(struct gather *gather)
{
	gather->guests = ARENA_ARRAY(gather->arena, const char *, json_count(gather->components) + 1);
	for (struct json c = json_first(gather->components); json_is(c); c = json_next(c))
		if (is_text(c, "kind", component_kind_name(COMPONENT_GUEST)))
			gather->guests[gather->guest_count++] = text_at(c, "name", gather->arena);
	qsort(gather->guests, gather->guest_count, sizeof(*gather->guests), by_name);
}

/* What the core calls it: with several sources names that clash carry the source's. */
static const char *name_of(const struct gather *gather, const char *source, bool is_lxc, int vmid)
{
	const char *bare = arena_printf(gather->arena, "%s_%d", is_lxc ? "lxc" : "qemu", vmid);
	const char *whole = arena_printf(gather->arena, "%s@%s", bare, source);
	bool is_whole = bsearch(&whole, gather->guests, gather->guest_count, sizeof(*gather->guests),
						by_name) != NULL;
	return is_whole ? whole : bare;
}

static double share(int64_t part, int64_t whole)
{
	return part < 0 || whole <= 0 ? -1 : 100.0 * (double)part / (double)whole;
}

static void add_nodes(struct gather *gather, const struct pve_answer *answer)
{
	struct facts *facts = gather->facts;
	struct fact_node *rows = ARENA_ARRAY(
		gather->arena, struct fact_node, (size_t)answer->node_count + 1);
	for (int i = 0; i < answer->node_count; i++) {
		const struct proxmox_node *node = answer->nodes[i].node;
		rows[facts->node_count++] = (struct fact_node){
			.name = arena_strdup(gather->arena, node->name),
			.online = node->state == PROXMOX_ONLINE,
			.cpu = node->cpu < 0 ? -1 : node->cpu * 100,
			.memory = share(node->mem_bytes, node->mem_max_bytes),
			.disk = share(node->disk_bytes, node->disk_max_bytes),
			.memory_bytes = node->mem_bytes,
			.memory_max_bytes = node->mem_max_bytes,
			.disk_bytes = node->disk_bytes,
			.disk_max_bytes = node->disk_max_bytes,
			.uptime_s = node->uptime_s,
		};
	}
	facts->nodes = rows;
}

static enum guest_state guest_state_of(const struct proxmox_guest *guest)
{
	if (guest->lost)
		return GUEST_UNKNOWN;
	switch (guest->state) {
	case PROXMOX_RUNNING:
		return GUEST_RUNNING;
	case PROXMOX_STOPPED:
		return GUEST_STOPPED;
	case PROXMOX_PAUSED:
		return GUEST_PAUSED;
	case PROXMOX_GUEST_UNKNOWN:
		break;
	}
	return GUEST_UNKNOWN;
}

static void add_guests(struct gather *gather, const struct pve_answer *answer)
{
	struct facts *facts = gather->facts;
	struct arena *arena = gather->arena;
	struct fact_guest *rows = ARENA_ARRAY(
		arena, struct fact_guest, (size_t)answer->guest_count + 1);
	for (int i = 0; i < answer->guest_count; i++) {
		const struct proxmox_guest *guest = answer->guests[i].guest;
		bool is_lxc = guest->kind == PROXMOX_LXC;
		rows[facts->guest_count++] = (struct fact_guest){
			.vmid = guest->vmid,
			.is_lxc = is_lxc,
			.component = name_of(gather, answer->guests[i].source, is_lxc, guest->vmid),
			.name = arena_strdup(arena, guest->name),
			.node = arena_strdup(arena, guest->node),
			.tags = arena_strdup(arena, guest->tags),
			.lock = arena_strdup(arena, guest->lock),
			.state = guest_state_of(guest),
			.cpu = guest->lost || guest->cpu < 0 ? -1 : guest->cpu * 100,
			.memory = guest->lost ? -1 : share(guest->mem_bytes, guest->mem_max_bytes),
			.uptime_s = guest->lost ? 0 : guest->uptime_s,
			.critical = answer->guests[i].critical,
			/* PVE gives a container's name to it as its host name. */
			.is_home = guest->name[0] != '\0' && strcasecmp(guest->name, gather->talker->host) == 0,
			.is_template = guest->template,
		};
	}
	facts->guests = rows;
}

static const char *why_of(const struct pve_backup *row, struct arena *arena)
{
	switch (row->verdict) {
	case PVE_BACKUP_GOOD:
	case PVE_BACKUP_UNSCHEDULED:
		return "";
	case PVE_BACKUP_RUNNING:
		return "one is being made";
	case PVE_BACKUP_FAILED:
		return row->backed->verify_failed
			? "the newest one's verification failed"
			: arena_printf(arena, "the last try failed: %.120s", row->backed->tried_text);
	case PVE_BACKUP_LATE:
		return "it is past its schedule";
	case PVE_BACKUP_MISSING:
		return "a job covers it, and there is none";
	case PVE_BACKUP_UNPROTECTED:
		return "no job covers it, and there is none";
	case PVE_BACKUP_UNKNOWN:
		break;
	}
	return "not all storages could be read";
}

static enum backup_verdict verdict_of(enum pve_verdict verdict)
{
	switch (verdict) {
	case PVE_BACKUP_GOOD:
	case PVE_BACKUP_UNSCHEDULED:
		return BACKUP_GOOD;
	case PVE_BACKUP_FAILED:
		return BACKUP_FAILED;
	case PVE_BACKUP_MISSING:
	case PVE_BACKUP_UNPROTECTED:
		return BACKUP_MISSING;
	case PVE_BACKUP_LATE:
	case PVE_BACKUP_RUNNING:
	case PVE_BACKUP_UNKNOWN:
		break;
	}
	return BACKUP_OLD;
}

static void add_backups(struct gather *gather, const struct pve_answer *answer)
{
	struct facts *facts = gather->facts;
	struct arena *arena = gather->arena;
	struct fact_backup *rows = ARENA_ARRAY(
		arena, struct fact_backup, (size_t)answer->backup_count + 1);
	for (int i = 0; i < answer->backup_count; i++) {
		const struct pve_backup *row = &answer->backups[i];
		const struct proxmox_backed *backed = row->backed;
		bool is_lxc = backed->kind == PROXMOX_LXC;
		rows[facts->backup_count++] = (struct fact_backup){
			.vmid = backed->vmid,
			.component = name_of(gather, row->source, is_lxc, backed->vmid),
			.name = arena_strdup(arena, backed->name),
			.good_at = backed->taken_s * 1000,
			.bytes = backed->taken_s > 0 ? backed->bytes : -1,
			.storage = arena_strdup(arena, backed->storage),
			.schedule = backed->job != NULL ? arena_strdup(arena, backed->job->schedule) : "",
			.verdict = verdict_of(row->verdict),
			.why = why_of(row, arena),
		};
	}
	facts->backups = rows;
}

static void ask_pve(struct gather *gather, enum pve_about about)
{
	const struct talker *talker = gather->talker;
	const struct config *config = talker->config->config;
	struct pve_question question = {.config = config,
		.clock = talker->clock,
		.stop_fd = talker->config->stop_fd,
		.about = about,
		.timeout_ms = about == PVE_BACKUPS ? BACKUPS_MS : RESOURCES_MS};
	if (config->proxmox_count == 0)
		return;
	list_guests(gather);
	struct pve_answer *answer = pve_ask(&question);
	add_nodes(gather, answer);
	add_guests(gather, answer);
	add_backups(gather, answer);
	if (answer->trouble_count > 0)
		gather->facts->trouble = arena_strdup(gather->arena, answer->troubles[0].text);
	pve_free(answer);
}

static void take_audit(void *ctx, const struct audit_entry *entry)
{
	struct facts *facts = ctx;
	struct audit_entry *rows = (struct audit_entry *)(uintptr_t)facts->audit;
	if (facts->audit_count < AUDIT_ROWS)
		rows[facts->audit_count++] = *entry;
}

static void add_audit(struct gather *gather)
{
	struct err err = {0};
	gather->facts->audit = ARENA_ARRAY(gather->arena, struct audit_entry, AUDIT_ROWS);
	if (!store_audit(gather->talker->store, AUDIT_ROWS, take_audit, gather->facts, &err))
		log_warn("telegram: %s", err.text);
}

static void add_counts(struct gather *gather)
{
	struct store_figures figures;
	struct err err = {0};
	struct fact_counts *counts = &gather->facts->counts;
	if (!store_figures(
			gather->talker->store, local_midnight(gather->facts->core->now), &figures, &err)) {
		log_warn("telegram: %s", err.text);
		return;
	}
	for (int severity = 0; severity < 4; severity++)
		for (int state = 0; state < LIFE_STATES; state++)
			if (incident_is_active((enum life_state)state, (enum severity)severity))
				counts->by_severity[severity] += (int)figures.open[severity][state];
	for (int severity = 0; severity < 4; severity++)
		counts->active += counts->by_severity[severity];
	counts->resolved_today = (int)figures.ended_today[LIFE_RESOLVED];
	counts->pending = (int)figures.pending_approvals;
}

static void add_health(struct gather *gather)
{
	struct err err = {0};
	char *text = arena_alloc(gather->arena, HEALTH_BYTES);
	if (health_text(gather->talker->store, gather->facts->core, text, HEALTH_BYTES, &err))
		gather->facts->health = text;
	else
		log_warn("telegram: %s", err.text);
}

static void take_question(void *ctx, const struct incident *incident)
{
	struct facts *facts = ctx;
	struct incident *rows = (struct incident *)(uintptr_t)facts->questions;
	if (incident->state != LIFE_ASKING)
		return;
	facts->counts.pending++;
	if (facts->question_count < QUESTIONS_MAX)
		rows[facts->question_count++] = *incident;
}

static void add_questions(struct gather *gather)
{
	struct err err = {0};
	gather->facts->questions = ARENA_ARRAY(gather->arena, struct incident, QUESTIONS_MAX);
	if (!store_incidents(gather->talker->store, (struct incident_query){INCIDENTS_OPEN, 0, 0},
			take_question, gather->facts, &err))
		log_warn("telegram: %s", err.text);
}

int components_gather(
	struct talker *talker, const char *text, const char ***names, struct arena *arena)
{
	struct gather gather = {.talker = talker, .arena = arena};
	int count = 0, all = 0;
	ask_components(&gather);
	size_t rows = json_count(gather.components);
	const char **found = ARENA_ARRAY(arena, const char *, rows + 1);
	const char **every = ARENA_ARRAY(arena, const char *, 2 * rows + 1);
	for (struct json c = json_first(gather.components); json_is(c); c = json_next(c)) {
		const char *name = text_at(c, "name", arena), *label = text_at(c, "label", arena);
		every[all++] = name;
		every[all++] = label;
		if (strcasecmp(name, text) == 0 || strcasecmp(label, text) == 0)
			found[count++] = name;
	}
	*names = count > 0 ? found : every;
	return count;
}

struct facts *facts_gather(struct talker *talker, const char *path, struct arena *arena)
{
	struct facts *facts = ARENA_NEW(arena, struct facts);
	struct gather gather = {.talker = talker, .facts = facts, .arena = arena};
	facts->core = ask_status(talker, arena);
	facts->interval_ms = talker->config->config->interval_ms;
	if (str_starts(path, "docker") || str_starts(path, "vms") || str_starts(path, "backup"))
		ask_components(&gather);
	if (str_starts(path, "docker"))
		add_containers(&gather);
	else if (str_starts(path, "vms") || str_starts(path, "node"))
		ask_pve(&gather, PVE_RESOURCES);
	else if (str_starts(path, "backup"))
		ask_pve(&gather, PVE_BACKUPS);
	else if (str_starts(path, "audit"))
		add_audit(&gather);
	else if (str_starts(path, "health"))
		add_health(&gather);
	else if (str_starts(path, "status"))
		add_counts(&gather);
	else if (str_starts(path, "asking"))
		add_questions(&gather);
	return facts;
}

/* The newest of each are kept. */
static void take_approval(void *ctx, const struct approval *approval)
{
	struct fact_story *story = ctx;
	struct approval *rows = (struct approval *)(uintptr_t)story->approvals;
	if (story->approval_count == STORY_ROWS) {
		memmove(rows, rows + 1, (STORY_ROWS - 1) * sizeof(*rows));
		story->approval_count--;
	}
	rows[story->approval_count++] = *approval;
}

static void take_action(void *ctx, const struct action_record *record)
{
	struct fact_story *story = ctx;
	struct action_record *rows = (struct action_record *)(uintptr_t)story->actions;
	if (story->action_count == STORY_ROWS) {
		memmove(rows, rows + 1, (STORY_ROWS - 1) * sizeof(*rows));
		story->action_count--;
	}
	rows[story->action_count++] = *record;
}

bool story_gather(
	struct talker *talker, int64_t incident_id, struct story_rows *rows, struct arena *arena)
{
	struct err err = {0};
	struct fact_story *story = &rows->story;
	*rows = (struct story_rows){.story.now = talker_wall(talker)};
	story->incident = &rows->incident;
	story->approvals = ARENA_ARRAY(arena, struct approval, STORY_ROWS);
	story->actions = ARENA_ARRAY(arena, struct action_record, STORY_ROWS);
	bool ok = store_incident_get(talker->store, incident_id, &rows->incident, &err) &&
		store_approvals(talker->store, incident_id, take_approval, story, &err) &&
		store_incident_actions(talker->store, incident_id, take_action, story, &err);
	if (!ok && err.kind != ERR_GONE)
		log_warn("telegram: incident %lld: %s", (long long)incident_id, err.text);
	return ok;
}

static struct message *show_story(
	struct talker *talker, int64_t incident_id, struct arena *arena, int64_t *approval_id)
{
	struct story_rows *rows = ARENA_NEW(arena, struct story_rows);
	if (!story_gather(talker, incident_id, rows, arena))
		return text_answer(false,
			arena_printf(arena, "There is no incident %lld", (long long)incident_id),
			"/health shows those that are open", arena);
	if (rows->incident.state == LIFE_ASKING && rows->story.approval_count > 0)
		*approval_id = rows->story.approvals[rows->story.approval_count - 1].id;
	return menu_story(&rows->story, arena);
}

struct message *page_show(
	struct talker *talker, const char *path, int number, struct arena *arena, int64_t *approval_id)
{
	*approval_id = 0;
	if (str_starts(path, "why/"))
		return show_story(talker, strtoll(path + strlen("why/"), NULL, 10), arena, approval_id);
	return menu_show(facts_gather(talker, path, arena), path, number, arena);
}
