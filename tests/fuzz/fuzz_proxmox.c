/* The answer to a look, and a task's id, as anything. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/proxmox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool claim)
{
	if (!claim)
		abort();
}

static void check_look(const struct proxmox_look *look)
{
	for (int i = 0; i < look->guest_count; i++) {
		const struct proxmox_guest *guest = &look->guests[i];
		must(guest->vmid > 0 && guest->vmid <= 999999999);
		must(isfinite(guest->cpu) && guest->mem_bytes >= -1 && guest->uptime_s >= -1);
		must(guest->name != NULL && guest->node != NULL && guest->lock != NULL);
		must(guest->lost || proxmox_node_find(look, guest->node)->state == PROXMOX_ONLINE);
		proxmox_list_has(guest->tags, "critical");
	}
	for (int i = 0; i < look->node_count; i++)
		must(proxmox_node_find(look, look->nodes[i].name) != NULL);
	for (int i = 0; i < look->storage_count; i++)
		must(look->storages[i].name[0] != '\0' && look->storages[i].used_bytes >= -1);
}

static void check_upid(const char *text)
{
	struct proxmox_upid upid;
	struct err err = {0};
	if (!proxmox_upid_parse(text, &upid, &err))
		must(err.kind == ERR_INPUT && err.text[0] != '\0');
	else
		must(strlen(text) < PROXMOX_UPID_BYTES && upid.node[0] != '\0' && upid.pid >= 0 &&
			strpbrk(upid.node, "/: \n") == NULL);
	must(proxmox_cause(text) <= PROXMOX_NO_FEATURE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxmox_look look;
	struct err err = {0};
	auto_arena arena = arena_new((size_t)64 * 1024 * 1024);
	char *text = malloc(size + 1);
	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (proxmox_look_parse(text, size, arena, &look, &err))
		check_look(&look);
	else
		must(err.kind != ERR_NONE && err.text[0] != '\0');
	check_upid(text);
	free(text);
	return 0;
}
