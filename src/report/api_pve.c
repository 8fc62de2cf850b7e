/*
 * Nodes, guests and backups of Proxmox VE, asked for live.
 */
#include <string.h>

#include "base/str.h"
#include "report/internal.h"
#include "report/pve.h"

#define RESOURCES_MS 8000
/* Each storage of each node is listed. */
#define BACKUPS_MS 25000

/* NULL: the reply is a problem. */
static struct pve_answer *ask(struct call *call, enum pve_about about)
{
	const struct api_config *api = &call->api->config;
	struct pve_question question = {.config = api->config,
		.clock = api->clock,
		.stop_fd = api->stop_fd > 0 ? api->stop_fd : -1,
		.about = about,
		.timeout_ms = about == PVE_BACKUPS ? BACKUPS_MS : RESOURCES_MS};
	if (api->config->proxmox_count == 0) {
		reply_problem(
			call, 404, "no Proxmox VE is watched: name one under proxmox: in the configuration");
		return NULL;
	}
	struct pve_answer *answer = pve_ask(&question);
	if (answer->answered > 0)
		return answer;
	reply_problem(call, 503, "%s",
		answer->trouble_count > 0 ? answer->troubles[0].text : "no source has answered");
	pve_free(answer);
	return NULL;
}

/* A number that the server did not give is null. */
static void put_number(struct json_out *out, const char *key, int64_t value)
{
	if (value < 0)
		json_put_str(out, key, NULL);
	else
		json_put_int(out, key, value);
}

static void put_share(struct json_out *out, const char *key, double share)
{
	if (share < 0)
		json_put_str(out, key, NULL);
	else
		json_put_num(out, key, share);
}

static void put_seconds(struct json_out *out, const char *key, int64_t at_s)
{
	put_time(out, key, at_s * 1000);
}

struct page {
	struct call *call;
	struct str body;
	struct json_out out;
};

static void open_page(struct page *page, struct call *call, const char *list)
{
	page->call = call;
	str_init(&page->body, call->arena);
	json_begin(&page->out, &page->body);
	json_open(&page->out, NULL, '{');
	json_open(&page->out, list, '[');
}

static void close_page(struct page *page, const struct pve_answer *answer)
{
	struct json_out *out = &page->out;
	json_close(out, ']');
	put_time(out, "at", answer->at);
	json_open(out, "troubles", '[');
	for (int i = 0; i < answer->trouble_count; i++) {
		json_open(out, NULL, '{');
		json_put_str(out, "source", answer->troubles[i].source);
		json_put_bool(out, "partial", answer->troubles[i].partial);
		put_text(out, "text", answer->troubles[i].text, page->call->arena);
		json_close(out, '}');
	}
	json_close(out, ']');
	json_close(out, '}');
	str_addc(&page->body, '\n');
	if (page->body.full)
		reply_problem(page->call, 503, "the answer is too large");
	else
		reply_text(page->call, "application/json", page->body.s);
}

static void put_node(struct page *page, const struct pve_node *row)
{
	struct json_out *out = &page->out;
	const struct proxmox_node *node = row->node;
	json_open(out, NULL, '{');
	put_text(out, "name", node->name, page->call->arena);
	json_put_str(out, "source", row->source);
	json_put_str(out, "state",
		node->state == PROXMOX_ONLINE        ? "online"
			: node->state == PROXMOX_OFFLINE ? "offline"
											 : "unknown");
	put_share(out, "cpu", node->cpu);
	put_number(out, "cores", node->cores);
	put_number(out, "memory_bytes", node->mem_bytes);
	put_number(out, "memory_max_bytes", node->mem_max_bytes);
	put_number(out, "disk_bytes", node->disk_bytes);
	put_number(out, "disk_max_bytes", node->disk_max_bytes);
	put_number(out, "uptime_s", node->uptime_s);
	json_put_int(out, "guests_running", row->running);
	json_put_int(out, "guests", row->total);
	json_close(out, '}');
}

void get_nodes(struct call *call)
{
	struct page page;
	struct pve_answer *answer = ask(call, PVE_RESOURCES);
	if (answer == NULL)
		return;
	open_page(&page, call, "nodes");
	for (int i = 0; i < answer->node_count; i++)
		put_node(&page, &answer->nodes[i]);
	close_page(&page, answer);
	pve_free(answer);
}

/* Of a guest whose node is not online nothing is known. */
static const char *state_of(const struct proxmox_guest *guest)
{
	static const char *const names[] = {
		[PROXMOX_GUEST_UNKNOWN] = "unknown",
		[PROXMOX_RUNNING] = "running",
		[PROXMOX_STOPPED] = "stopped",
		[PROXMOX_PAUSED] = "paused",
	};
	return guest->lost ? "unknown" : names[guest->state];
}

static void put_guest(struct page *page, const struct pve_guest *row)
{
	struct json_out *out = &page->out;
	struct arena *arena = page->call->arena;
	const struct proxmox_guest *guest = row->guest;
	json_open(out, NULL, '{');
	json_put_int(out, "vmid", guest->vmid);
	json_put_str(out, "kind", guest->kind == PROXMOX_LXC ? "lxc" : "qemu");
	put_text(out, "name", guest->name, arena);
	put_text(out, "node", guest->node, arena);
	json_put_str(out, "source", row->source);
	json_put_str(out, "state", state_of(guest));
	json_put_bool(out, "critical", row->critical);
	json_put_bool(out, "template", guest->template);
	put_share(out, "cpu", guest->lost ? -1 : guest->cpu);
	put_number(out, "cores", guest->cores);
	put_number(out, "memory_bytes", guest->lost ? -1 : guest->mem_bytes);
	put_number(out, "memory_max_bytes", guest->mem_max_bytes);
	put_number(out, "uptime_s", guest->lost ? -1 : guest->uptime_s);
	put_text(out, "lock", guest->lock, arena);
	put_text(out, "tags", guest->tags, arena);
	put_text(out, "ha", guest->ha_state, arena);
	json_close(out, '}');
}

void get_guests(struct call *call)
{
	struct page page;
	struct pve_answer *answer = ask(call, PVE_RESOURCES);
	if (answer == NULL)
		return;
	open_page(&page, call, "guests");
	for (int i = 0; i < answer->guest_count; i++)
		put_guest(&page, &answer->guests[i]);
	close_page(&page, answer);
	pve_free(answer);
}

static void put_backup(struct page *page, const struct pve_backup *row)
{
	static const char *const tries[] = {
		[PROXMOX_NOT_TRIED] = NULL,
		[PROXMOX_TRIED_GOOD] = "good",
		[PROXMOX_TRIED_BAD] = "failed",
		[PROXMOX_TRYING] = "running",
	};
	struct json_out *out = &page->out;
	struct arena *arena = page->call->arena;
	const struct proxmox_backed *backed = row->backed;
	json_open(out, NULL, '{');
	json_put_int(out, "vmid", backed->vmid);
	json_put_str(out, "kind", backed->kind == PROXMOX_LXC ? "lxc" : "qemu");
	put_text(out, "name", backed->name, arena);
	put_text(out, "node", backed->node, arena);
	json_put_str(out, "source", row->source);
	json_put_str(out, "verdict", pve_verdict_name(row->verdict));
	put_seconds(out, "newest_at", backed->taken_s);
	put_number(out, "newest_bytes", backed->taken_s > 0 ? backed->bytes : -1);
	put_text(out, "storage", backed->storage, arena);
	put_text(out, "volume", backed->volume, arena);
	json_put_int(out, "count", backed->count);
	json_put_bool(out, "verify_failed", backed->verify_failed);
	json_put_str(out, "last_try", tries[backed->tried]);
	put_seconds(out, "last_try_at", backed->tried_s);
	put_text(out, "last_try_text", backed->tried_text, arena);
	put_text(out, "schedule", backed->job != NULL ? backed->job->schedule : "", arena);
	put_text(out, "job", backed->job != NULL ? backed->job->id : "", arena);
	put_seconds(out, "due_at", backed->due_s);
	put_seconds(out, "next_at", backed->next_s);
	json_close(out, '}');
}

static void reply_backups(struct call *call, int64_t vmid)
{
	struct page page;
	int found = 0;
	struct pve_answer *answer = ask(call, PVE_BACKUPS);
	if (answer == NULL)
		return;
	open_page(&page, call, "backups");
	for (int i = 0; i < answer->backup_count; i++) {
		if (vmid != 0 && answer->backups[i].backed->vmid != vmid)
			continue;
		put_backup(&page, &answer->backups[i]);
		found++;
	}
	close_page(&page, answer);
	if (vmid != 0 && found == 0 && answer->trouble_count == 0)
		reply_problem(
			call, 404, "there is no guest %lld: homeostat guests lists them", (long long)vmid);
	else if (vmid != 0 && found == 0)
		reply_problem(call, 503, "guest %lld was not seen, and not all was: %s", (long long)vmid,
			answer->troubles[0].text);
	pve_free(answer);
}

void get_backups(struct call *call)
{
	reply_backups(call, 0);
}

void get_backup(struct call *call)
{
	reply_backups(call, call->id);
}
