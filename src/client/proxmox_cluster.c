/*
 * The cluster as a whole: its members and their addresses, quorum and HA. The
 * certificates of the other nodes are trusted as the cluster's CA says where ca_file: names it;
 * with a pinned fingerprint by what GET /nodes, read over a connection that was trusted already,
 * says of each.
 */
#include "client/proxmox_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_tls.h"
#include "base/str.h"

/* Certificates are renewed two weeks before their end: hours would do. */
#define LEARN_AGAIN_MS ((int64_t)10 * 60 * 1000)

struct member_row {
	const char *type, *name, *ip;
	bool online, local, quorate;
};
static const struct proxmox_field member_fields[] = {
	{"type", PROXMOX_T_TEXT, offsetof(struct member_row, type)},
	{"name", PROXMOX_T_TEXT, offsetof(struct member_row, name)},
	{"ip", PROXMOX_T_TEXT, offsetof(struct member_row, ip)},
	{"online", PROXMOX_T_BOOL, offsetof(struct member_row, online)},
	{"local", PROXMOX_T_BOOL, offsetof(struct member_row, local)},
	{"quorate", PROXMOX_T_BOOL, offsetof(struct member_row, quorate)},
};
static const struct proxmox_table member_table = {member_fields, 6, sizeof(struct member_row)};

struct print_row {
	const char *node, *fingerprint;
};
static const struct proxmox_field print_fields[] = {
	{"node", PROXMOX_T_TEXT, offsetof(struct print_row, node)},
	{"ssl_fingerprint", PROXMOX_T_TEXT, offsetof(struct print_row, fingerprint)},
};
static const struct proxmox_table print_table = {print_fields, 2, sizeof(struct print_row)};

/* Scheme and port of the configured address, with another host. */
static bool other_url(const struct proxmox *proxmox, const char *ip, char *url, size_t size)
{
	unsigned char address[16];
	const char *configured = proxmox->addresses[0].url;
	const char *host = strstr(configured, "://") + 3;
	const char *after = host[0] == '[' ? strchr(host, ']') : host;
	const char *port = after != NULL ? strchr(after, ':') : NULL;
	bool is_six = inet_pton(AF_INET6, ip, address) == 1;
	if (!is_six && inet_pton(AF_INET, ip, address) != 1)
		return false;
	return str_format(url, size, "%.*s%s%s%s%.6s", (int)(host - configured), configured,
		is_six ? "[" : "", ip, is_six ? "]" : "", port != NULL ? port : "");
}

static const char *print_of(const struct proxmox_rows *prints, const char *node)
{
	struct http_tls tls = {0};
	const struct print_row *row = prints->rows;
	for (int i = 0; i < prints->count; i++)
		if (str_equal(row[i].node, node) && http_tls_pin(&tls, row[i].fingerprint, NULL))
			return row[i].fingerprint;
	return NULL;
}

/* By ca_file every node is checked as the configured one. Otherwise a node is known by its own
 * fingerprint only; without one it is not asked. */
static bool make_address(const struct proxmox *proxmox, const struct member_row *member,
	const struct proxmox_rows *prints, struct proxmox_address_of *address)
{
	*address = (struct proxmox_address_of){.node = ""};
	if (!other_url(proxmox, member->ip, address->url, sizeof(address->url)) ||
		str_equal(address->url, proxmox->addresses[0].url))
		return false;
	STR_SET(address->node, member->name);
	if (proxmox->config.ca_file != NULL || str_starts(address->url, "http://"))
		return true;
	const char *print = print_of(prints, member->name);
	return print != NULL && STR_SET(address->fingerprint, print);
}

static void name_configured(struct proxmox *proxmox, const struct member_row *rows, int count)
{
	for (int i = 0; i < count; i++)
		if (proxmox->current == 0 && rows[i].local && str_equal(rows[i].type, "node"))
			STR_SET(proxmox->addresses[0].node, rows[i].name);
}

/* The current address keeps its place in the list, or at least its connection. */
static void learn(struct proxmox *proxmox, const struct member_row *rows, int count,
	const struct proxmox_rows *prints)
{
	struct proxmox_address_of current = proxmox->addresses[proxmox->current];
	int at = 0, n = 1;
	name_configured(proxmox, rows, count);
	for (int i = 0; i < count && n < PROXMOX_ADDRESSES_MAX; i++) {
		struct proxmox_address_of *address = &proxmox->addresses[n];
		if (!str_equal(rows[i].type, "node") || rows[i].name[0] == '\0' ||
			str_equal(rows[i].name, proxmox->addresses[0].node))
			continue;
		if (!make_address(proxmox, &rows[i], prints, address))
			continue;
		if (str_equal(address->url, current.url))
			at = n;
		n++;
	}
	bool changed = !str_equal(proxmox->addresses[at].url, current.url) ||
		!str_equal(proxmox->addresses[at].fingerprint, current.fingerprint);
	proxmox->address_count = n;
	proxmox->current = at;
	if (changed) {
		http_close(proxmox->http);
		proxmox->http = NULL;
	}
	proxmox->learnt_at = clock_mono_ms(proxmox->clock);
	proxmox_known_write(proxmox);
}

static void learn_when_due(struct proxmox *proxmox, const struct member_row *rows, int count)
{
	auto_arena arena = arena_new((size_t)16 * 1024 * 1024);
	struct proxmox_rows prints = {0};
	struct err ignored = {0};
	bool is_due = proxmox->learnt_at == 0 ||
		clock_mono_ms(proxmox->clock) - proxmox->learnt_at >= LEARN_AGAIN_MS;
	if (!is_due || count < 2)
		return;
	bool by_print = proxmox->config.ca_file == NULL &&
		!str_starts(proxmox->addresses[0].url, "http://");
	if (by_print && !proxmox_list(proxmox, "/nodes", &print_table, arena, &prints, &ignored))
		return;
	learn(proxmox, rows, count, &prints);
}

bool proxmox_cluster(struct proxmox *proxmox, int64_t timeout_ms, struct arena *arena,
	struct proxmox_cluster *cluster, struct err *err)
{
	auto_arena scratch = arena_new((size_t)16 * 1024 * 1024);
	struct json data;
	struct proxmox_rows rows;
	if (!proxmox_get(proxmox, "/cluster/status", timeout_ms, scratch, &data, err))
		return false;
	if (!proxmox_rows(data, &member_table, arena, &rows, err))
		return err_prefix(err, "%s: GET /cluster/status", proxmox->name);
	const struct member_row *row = rows.rows;
	int count = rows.count;
	*cluster = (struct proxmox_cluster){.name = "", .quorate = true};
	cluster->members = arena_try(arena, ((size_t)count + 1) * sizeof(*cluster->members));
	if (cluster->members == NULL)
		return err_set(err, ERR_INPUT, "%s: %d nodes are too many", proxmox->name, count);
	for (int i = 0; i < count; i++) {
		if (str_equal(row[i].type, "cluster")) {
			cluster->name = row[i].name;
			cluster->quorate = row[i].quorate;
		} else if (str_equal(row[i].type, "node")) {
			cluster->members[cluster->count++] = (struct proxmox_member){
				row[i].name, row[i].ip, row[i].online, row[i].local};
		}
	}
	learn_when_due(proxmox, row, count);
	return true;
}

struct ha_row {
	const char *type, *sid, *node, *state, *crm_state, *request_state;
	bool quorate;
};
static const struct proxmox_field ha_fields[] = {
	{"type", PROXMOX_T_TEXT, offsetof(struct ha_row, type)},
	{"sid", PROXMOX_T_TEXT, offsetof(struct ha_row, sid)},
	{"node", PROXMOX_T_TEXT, offsetof(struct ha_row, node)},
	{"state", PROXMOX_T_TEXT, offsetof(struct ha_row, state)},
	{"crm_state", PROXMOX_T_TEXT, offsetof(struct ha_row, crm_state)},
	{"request_state", PROXMOX_T_TEXT, offsetof(struct ha_row, request_state)},
	{"quorate", PROXMOX_T_BOOL, offsetof(struct ha_row, quorate)},
};
static const struct proxmox_table ha_table = {ha_fields, 7, sizeof(struct ha_row)};

/* "ct:202" → 202 */
static int vmid_of_sid(const char *sid)
{
	int vmid = 0, end = 0;
	const char *number = strchr(sid, ':');
	if (number == NULL || sscanf(number, ":%9d%n", &vmid, &end) != 1 || number[end] != '\0')
		return 0;
	return vmid > 0 && (str_starts(sid, "vm:") || str_starts(sid, "ct:")) ? vmid : 0;
}

bool proxmox_ha(
	struct proxmox *proxmox, struct arena *arena, struct proxmox_ha *ha, struct err *err)
{
	struct proxmox_rows rows;
	if (!proxmox_list(proxmox, "/cluster/ha/status/current", &ha_table, arena, &rows, err))
		return false;
	const struct ha_row *row = rows.rows;
	int count = rows.count;
	*ha = (struct proxmox_ha){.quorate = true};
	ha->services = arena_try(arena, ((size_t)count + 1) * sizeof(*ha->services));
	if (ha->services == NULL)
		return err_set(err, ERR_INPUT, "%s: %d HA entries are too many", proxmox->name, count);
	for (int i = 0; i < count; i++) {
		if (str_equal(row[i].type, "quorum"))
			ha->quorate = row[i].quorate;
		else if (str_equal(row[i].type, "service"))
			ha->services[ha->count++] = (struct proxmox_ha_service){vmid_of_sid(row[i].sid),
				row[i].sid, row[i].node, row[i].state, row[i].crm_state, row[i].request_state};
	}
	return true;
}
