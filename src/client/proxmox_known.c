/*
 * The other nodes' addresses outlive us: who starts while the configured node is down has to find
 * them. They are kept in the state folder, with the fingerprints by which they are trusted, as they
 * were learnt over a connection that was trusted already; and only for the configuration that they
 * were learnt by. Without a state folder, or when it can't be written, each start begins anew.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "client/proxmox_internal.h"

#define KNOWN_BYTES 65536

static bool file_name(const struct proxmox *proxmox, char name[PATH_BYTES])
{
	const struct config_proxmox *config = &proxmox->config;
	if (config->state == NULL || config->name == NULL || strchr(config->name, '/') != NULL)
		return false;
	return str_format(name, PATH_BYTES, "%s/proxmox-%s.nodes", config->state, config->name);
}

/* Its first line: what the rest is trusted by. */
static void put_anchor(const struct proxmox *proxmox, struct str *text)
{
	str_addf(text, "%s %s %s\n", proxmox->addresses[0].url,
		proxmox->addresses[0].fingerprint[0] != '\0' ? proxmox->addresses[0].fingerprint : "-",
		proxmox->config.ca_file != NULL ? proxmox->config.ca_file : "-");
}

void proxmox_known_write(struct proxmox *proxmox)
{
	auto_arena arena = arena_new(KNOWN_BYTES);
	char name[PATH_BYTES];
	struct str text;
	struct file had;
	struct err ignored = {0};
	if (!file_name(proxmox, name))
		return;
	str_init(&text, arena);
	put_anchor(proxmox, &text);
	for (int i = 1; i < proxmox->address_count; i++) {
		const struct proxmox_address_of *address = &proxmox->addresses[i];
		str_addf(&text, "%s %s %s\n", address->node, address->url,
			address->fingerprint[0] != '\0' ? address->fingerprint : "-");
	}
	bool is_same = file_read(arena, name, KNOWN_BYTES / 4, &had, &ignored) &&
		str_equal(had.bytes, text.s);
	if (!is_same && !text.full)
		file_write(name, text.s, text.len, &ignored);
}

static void take_line(struct proxmox *proxmox, const char *line)
{
	struct proxmox_address_of address = {.node = ""};
	bool is_whole = sscanf(line, "%63s %299s %99s", address.node, address.url,
						address.fingerprint) == 3;
	if (!is_whole || proxmox->address_count == PROXMOX_ADDRESSES_MAX)
		return;
	if (str_equal(address.fingerprint, "-"))
		address.fingerprint[0] = '\0';
	/* without one it is trusted by the authority that the configuration names */
	if (address.fingerprint[0] != '\0' || proxmox->config.ca_file != NULL ||
		str_starts(address.url, "http://127."))
		proxmox->addresses[proxmox->address_count++] = address;
}

void proxmox_known_read(struct proxmox *proxmox)
{
	auto_arena arena = arena_new(KNOWN_BYTES);
	char name[PATH_BYTES], *save = NULL;
	struct str anchor;
	struct file file;
	struct err ignored = {0};
	str_init(&anchor, arena);
	put_anchor(proxmox, &anchor);
	if (!file_name(proxmox, name) || !file_read(arena, name, KNOWN_BYTES / 4, &file, &ignored) ||
		!file.is_private || !str_starts(file.bytes, anchor.s))
		return;
	for (char *line = strtok_r(file.bytes + anchor.len, "\n", &save); line != NULL;
		 line = strtok_r(NULL, "\n", &save))
		take_line(proxmox, line);
}
