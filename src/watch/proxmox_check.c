/*
 * `homeostat check` of a Proxmox VE: whether it is reached, by which node, which of its nodes are
 * down, and what we may not do there; each with what mends it, to be typed as it stands.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "client/proxmox_rights.h"
#include "watch/proxmox_see.h"

#define CHECK_BYTES ((size_t)256 << 20)
#define CHECK_MS 15000

struct checking {
	struct proxmox_source *source;
	source_say *say;
	void *ctx;
	struct arena *arena;
};

static void say(const struct checking *checking, enum source_mark mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void say(const struct checking *checking, enum source_mark mark, const char *fmt, ...)
{
	char text[4096];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	checking->say(checking->ctx, mark, text);
}

/* How a certificate that has changed is looked at and then accepted. */
static void say_print(const struct checking *checking)
{
	char print[100], old[12];
	const struct config *all = checking->source->context.config;
	const char *configured = checking->source->config->fingerprint;
	if (configured == NULL || !proxmox_refused_print(checking->source->client, print))
		return;
	STR_SET(old, configured); /* its beginning, as it is written in the file */
	say(checking, SOURCE_WRONG,
		"first compare it on the node itself: openssl x509 -noout -fingerprint -sha256 -in "
		"/etc/pve/local/pve-ssl.pem (of pveproxy-ssl.pem beside it, if that is there). Another "
		"one there: somebody stands in between");
	say(checking, SOURCE_WRONG,
		"if it is the same, accept it by: sed -i 's/%s[0-9A-Fa-f:]*/%s/' '%s' && systemctl reload "
		"homeostat",
		old, print, all->file);
}

static void say_unreached(const struct checking *checking, const struct err *err)
{
	const struct proxmox *client = checking->source->client;
	say_print(checking);
	bool is_silent = err->kind == ERR_RETRY || err->kind == ERR_TIMEOUT;
	if (is_silent && proxmox_address_count(client) == 1)
		say(checking, SOURCE_WRONG,
			"no other node is known yet (they are learnt from the first that answers): if it is a "
			"cluster, write the address of a node that runs as url:");
}

static void say_nodes(const struct checking *checking, const struct proxmox_look *look)
{
	const struct proxmox *client = checking->source->client;
	struct proxmox_cluster cluster;
	struct err err = {0};
	if (proxmox_moved(client)[0] != '\0')
		say(checking, SOURCE_WRONG, "the node in url: does not answer (%s); %s was asked instead",
			proxmox_moved(client), proxmox_address(client));
	/* Also learns the others' addresses, for when this one is down. */
	bool is_known = proxmox_cluster(
		checking->source->client, CHECK_MS, checking->arena, &cluster, &err);
	for (int i = 0; is_known && i < cluster.count; i++)
		if (!cluster.members[i].online)
			say(checking, SOURCE_WRONG,
				"node %s (%s) is offline, and what runs on it is not known: look at its power, its "
				"network, and there at: journalctl -u corosync -u pve-cluster",
				cluster.members[i].name, cluster.members[i].ip);
	for (int i = 0; !is_known && i < look->node_count; i++)
		if (look->nodes[i].state == PROXMOX_OFFLINE)
			say(checking, SOURCE_WRONG, "node %s is offline, and what runs on it is not known",
				look->nodes[i].name);
	if (is_known && !cluster.quorate)
		say(checking, SOURCE_WRONG,
			"the cluster has no quorum, so nothing can be started or changed: on a node, pvecm "
			"status shows who is missing");
}

static void say_lacks(const struct checking *checking, int major)
{
	const struct config_proxmox *config = checking->source->config;
	const char *who = config->token_id != NULL ? config->token_id : config->user;
	struct proxmox_access access;
	struct proxmox_lacks lacks;
	struct err err = {0};
	if (!proxmox_access(checking->source->client, config, checking->arena, &access, &err)) {
		say(checking, SOURCE_WRONG, "its rights can't be read: %s", err.text);
		return;
	}
	proxmox_lacks(&access, major, checking->arena, &lacks);
	for (int i = 0; i < lacks.count; i++) {
		const struct proxmox_lack *lack = &lacks.rows[i];
		say(checking, lack->to_watch ? SOURCE_WRONG : SOURCE_LIMITED,
			"%s may not %s. As root on a node: %s", who, lack->what, lack->command);
	}
	if (lacks.count > 0 && !access.is_open)
		say(checking, SOURCE_LIMITED,
			"who was given what can't be read (Sys.Audit on /access): run homeostat check once "
			"more after that, it then sees entries further down");
}

bool prox_check(void *self, source_say *said, void *ctx, struct err *err)
{
	auto_arena arena = arena_new(CHECK_BYTES);
	struct checking checking = {self, said, ctx, arena};
	struct proxmox *client = checking.source->client;
	struct proxmox_version version;
	struct proxmox_look look;
	struct err why = {0};
	if (!proxmox_version(client, &version, &why) ||
		!proxmox_look(client, CHECK_MS, arena, &look, &why)) {
		say(&checking, SOURCE_WRONG, "%s", why.text);
		say_unreached(&checking, &why);
		return true;
	}
	(void)err;
	say(&checking, SOURCE_GOOD, "Proxmox VE %s, %d node%s, %d guest%s, by %s", version.version,
		look.node_count, look.node_count == 1 ? "" : "s", look.guest_count,
		look.guest_count == 1 ? "" : "s", proxmox_address(client));
	say_nodes(&checking, &look);
	say_lacks(&checking, version.major);
	return true;
}
