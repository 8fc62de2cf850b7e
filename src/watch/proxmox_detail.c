/*
 * What is read of each node now and then: its services, certificates, disks, ZFS pools, and the
 * replications of its guests. What cannot be read is not known, and that is no trouble.
 */
#include <string.h>

#include "base/str.h"
#include "watch/proxmox_see.h"

/* A node that has just booted is still starting its services. */
#define BOOT_S 180
/* Percent of a disk's life that is left. */
#define WORN_OUT 5
#define REPLICATION_FAILS 3

struct detail {
	struct prox_seen *seen;
	const struct proxmox_node *node;
	struct component component;
	struct observation what;
};

static void begin(struct detail *detail, enum aspect aspect)
{
	detail->what = observation_of(&detail->component, aspect);
	STR_SET(detail->what.held, prox_held(detail->seen));
}

/* One thing more that is not well. */
static void blame(struct detail *detail, enum obs_fault fault, const char *text)
{
	struct observation *what = &detail->what;
	size_t length = strlen(what->detail);
	if (fault > what->fault)
		what->fault = fault;
	str_format(
		what->detail + length, sizeof(what->detail) - length, "%s%s", length > 0 ? "; " : "", text);
}

/* why: NULL: it was seen. */
static void end(struct detail *detail, const struct err *why)
{
	struct prox_memo *memo = prox_remember(detail->seen, &detail->component);
	if (why != NULL) {
		prox_note(detail->seen, why);
		detail->what.state = OBS_UNKNOWN;
		detail->what.fault = FAULT_NONE;
	}
	prox_tell(detail->seen, memo, &detail->what);
}

static bool should_run(const struct prox_seen *seen, const struct proxmox_service *service)
{
	/* corosync waits for a cluster that is not there */
	if (str_equal(service->name, "corosync") && seen->cluster_known &&
		seen->cluster.name[0] == '\0')
		return false;
	return str_equal(service->unit_state, "enabled") || str_equal(service->active, "failed");
}

static bool is_down(const struct proxmox_service *service)
{
	if (service->active[0] == '\0') /* PVE 7 does not say */
		return str_equal(service->state, "dead") || str_equal(service->state, "failed");
	return str_equal(service->active, "inactive") || str_equal(service->active, "failed");
}

static bool name_service(struct observation *what, const char *name)
{
	size_t length = strlen(what->services);
	return str_format(what->services + length, sizeof(what->services) - length, "%s%s",
		length > 0 ? "," : "", name);
}

static void see_services(struct detail *detail)
{
	struct prox_seen *seen = detail->seen;
	struct proxmox_service_list list;
	struct err why = {0};
	char text[160];
	bool are_all_named = true;
	begin(detail, ASPECT_SERVICE);
	bool booting = detail->node->uptime_s >= 0 && detail->node->uptime_s < BOOT_S;
	if (!proxmox_services(seen->source->client, detail->node->name, seen->scratch, &list, &why)) {
		/* The cluster sees the node, and nobody listens on it. */
		bool refused = strstr(why.text, "Connection refused") != NULL && !booting;
		if (refused)
			blame(
				detail, FAULT_FAILED, "pvedaemon or pveproxy does not answer: connection refused");
		end(detail, refused ? NULL : &why);
		return;
	}
	for (int i = 0; i < list.count && !booting; i++) {
		const struct proxmox_service *service = &list.rows[i];
		if (!should_run(seen, service) || !is_down(service))
			continue;
		STR_FORMAT(text, "%.60s is %.40s", service->name, service->state);
		blame(detail, FAULT_FAILED, text);
		are_all_named = are_all_named && name_service(&detail->what, service->name);
	}
	if (!are_all_named)
		detail->what.services[0] = '\0';
	end(detail, NULL);
}

static void see_certificates(struct detail *detail)
{
	struct prox_seen *seen = detail->seen;
	struct proxmox_certificate_list list;
	struct err why = {0};
	char text[160], until[24];
	begin(detail, ASPECT_CERTIFICATE);
	if (!proxmox_certificates(
			seen->source->client, detail->node->name, seen->scratch, &list, &why)) {
		end(detail, &why);
		return;
	}
	for (int i = 0; i < list.count; i++) {
		int64_t until_ms = list.rows[i].until_s * 1000;
		int64_t left = until_ms - seen->wall_ms;
		if (list.rows[i].until_s <= 0 ||
			left > seen->source->context.config->thresholds.certificate_ms)
			continue;
		str_utc(until, until_ms);
		STR_FORMAT(
			text, "%.80s %s on %.10s", list.rows[i].file, left <= 0 ? "ended" : "ends", until);
		blame(detail, left <= 0 ? FAULT_FAILED : FAULT_WARNING, text);
	}
	end(detail, NULL);
}

static void see_disks(struct detail *detail)
{
	struct prox_seen *seen = detail->seen;
	struct proxmox_disk_list list;
	struct err why = {0};
	char text[200];
	begin(detail, ASPECT_DEVICE);
	if (!proxmox_disks(seen->source->client, detail->node->name, seen->scratch, &list, &why)) {
		end(detail, &why);
		return;
	}
	for (int i = 0; i < list.count; i++) {
		const struct proxmox_disk *disk = &list.rows[i];
		bool failed = strncmp(disk->health, "FAIL", 4) == 0;
		bool worn = disk->wearout >= 0 && disk->wearout <= WORN_OUT;
		if (failed) {
			STR_FORMAT(
				text, "%.40s (%.60s): SMART says %.30s", disk->path, disk->model, disk->health);
			blame(detail, FAULT_FAILED, text);
		} else if (worn) {
			STR_FORMAT(text, "%.40s (%.60s): %d%% of its life is left", disk->path, disk->model,
				(int)disk->wearout);
			blame(detail, FAULT_WARNING, text);
		}
	}
	end(detail, NULL);
}

static void see_pools(struct detail *detail)
{
	struct prox_seen *seen = detail->seen;
	struct proxmox_pool_list list;
	struct err why = {0};
	char text[160];
	begin(detail, ASPECT_POOL);
	if (!proxmox_zfs(seen->source->client, detail->node->name, seen->scratch, &list, &why)) {
		bool none = strstr(why.text, "not installed") != NULL;
		end(detail, none ? NULL : &why);
		return;
	}
	for (int i = 0; i < list.count; i++) {
		const struct proxmox_pool *pool = &list.rows[i];
		if (str_equal(pool->health, "ONLINE") || pool->health[0] == '\0')
			continue;
		STR_FORMAT(text, "%.60s is %.30s", pool->name, pool->health);
		blame(detail, str_equal(pool->health, "DEGRADED") ? FAULT_FAILED : FAULT_GONE, text);
	}
	end(detail, NULL);
}

static void see_kernel(struct detail *detail)
{
	struct prox_seen *seen = detail->seen;
	struct proxmox_kernel kernel;
	struct err why = {0};
	char text[200];
	begin(detail, ASPECT_UPDATES);
	if (!proxmox_kernel(seen->source->client, detail->node->name, &kernel, &why)) {
		end(detail, &why);
		return;
	}
	if (kernel.waits) {
		STR_FORMAT(text, "kernel %.60s is installed and %.60s runs: a reboot would bring it",
			kernel.newest, kernel.running);
		blame(detail, FAULT_NOTE, text);
	}
	end(detail, NULL);
}

static void tell_replication(struct detail *detail, const struct proxmox_replication *job)
{
	struct prox_seen *seen = detail->seen;
	const struct proxmox_guest *guest = proxmox_guest_find(&seen->look, job->vmid);
	char text[240];
	if (guest == NULL)
		return;
	struct detail of = {.seen = seen, .node = detail->node};
	of.component = prox_guest_component(seen, guest);
	begin(&of, ASPECT_REPLICATION);
	if (job->fails > 0 || job->error[0] != '\0') {
		STR_FORMAT(text, "%.40s to %.40s: %.120s", job->id, job->target,
			job->error[0] != '\0' ? job->error : "the last run failed");
		blame(&of, job->fails >= REPLICATION_FAILS ? FAULT_FAILED : FAULT_WARNING, text);
	}
	end(&of, NULL);
}

/* A guest has a job for each target: the worst is told. */
static void see_replications(struct detail *detail)
{
	struct prox_seen *seen = detail->seen;
	struct proxmox_replication_list list;
	struct err why = {0};
	if (!proxmox_replications(
			seen->source->client, detail->node->name, seen->scratch, &list, &why)) {
		prox_note(seen, &why);
		return;
	}
	for (int i = 0; i < list.count; i++) {
		const struct proxmox_replication *worst = &list.rows[i];
		bool is_first = true;
		for (int n = 0; n < list.count; n++) {
			if (list.rows[n].vmid != list.rows[i].vmid)
				continue;
			is_first = is_first && n >= i;
			if (list.rows[n].fails > worst->fails)
				worst = &list.rows[n];
		}
		if (is_first)
			tell_replication(detail, worst);
	}
}

/* Nothing can be read of what is offline. */
static void see_nothing(struct detail *detail)
{
	static const enum aspect aspects[] = {
		ASPECT_SERVICE, ASPECT_CERTIFICATE, ASPECT_DEVICE, ASPECT_POOL, ASPECT_UPDATES};
	const struct err why = {.kind = ERR_RETRY};
	for (size_t i = 0; i < sizeof(aspects) / sizeof(aspects[0]); i++) {
		begin(detail, aspects[i]);
		end(detail, &why);
	}
}

void prox_see_details(struct prox_seen *seen)
{
	static void (*const steps[])(struct detail * detail) = {
		see_services, see_certificates, see_disks, see_pools, see_kernel, see_replications};
	for (int i = 0; i < seen->look.node_count; i++) {
		struct detail detail = {.seen = seen, .node = &seen->look.nodes[i]};
		detail.component = prox_component(seen, COMPONENT_NODE, detail.node->name);
		prox_node_name(seen, detail.node->name, detail.component.name);
		STR_FORMAT(detail.component.native, "node/%s", detail.node->name);
		if (detail.node->state != PROXMOX_ONLINE) {
			see_nothing(&detail);
			continue;
		}
		for (size_t n = 0; n < sizeof(steps) / sizeof(steps[0]) && !seen->cancelled; n++)
			steps[n](&detail);
	}
}
