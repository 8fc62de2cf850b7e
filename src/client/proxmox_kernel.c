/* Which kernel a node runs, and whether a newer one waits for a reboot. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "client/proxmox_internal.h"

struct package_row {
	const char *name, *state, *running;
};
static const struct proxmox_field package_fields[] = {
	{"Package", PROXMOX_T_TEXT, offsetof(struct package_row, name)},
	{"CurrentState", PROXMOX_T_TEXT, offsetof(struct package_row, state)},
	{"RunningKernel", PROXMOX_T_TEXT, offsetof(struct package_row, running)},
};
static const struct proxmox_table package_table = {package_fields, 3, sizeof(struct package_row)};

/* "proxmox-kernel-6.14.8-2-pve-signed" → "6.14.8-2-pve"; the packages that only name a series have
 * no such end. */
static bool release_of(const char *name, char *release, size_t size)
{
	const char *begin = strstr(name, "-kernel-");
	if (begin == NULL || (!str_starts(name, "proxmox-") && !str_starts(name, "pve-")))
		return false;
	begin += strlen("-kernel-");
	const char *end = strstr(begin, "-pve");
	return end != NULL && begin[0] >= '0' && begin[0] <= '9' &&
		str_format(release, size, "%.*s", (int)(end - begin + 4), begin);
}

bool proxmox_kernel(
	struct proxmox *proxmox, const char *node, struct proxmox_kernel *kernel, struct err *err)
{
	auto_arena arena = arena_new((size_t)16 * 1024 * 1024);
	struct proxmox_rows rows;
	char release[sizeof(kernel->newest)];
	if (!proxmox_list(proxmox, proxmox_node_path(arena, node, "/apt/versions"), &package_table,
			arena, &rows, err))
		return false;
	*kernel = (struct proxmox_kernel){0};
	const struct package_row *row = rows.rows;
	for (int i = 0; i < rows.count; i++) {
		if (row[i].running[0] != '\0')
			STR_SET(kernel->running, row[i].running);
		if (str_equal(row[i].state, "Installed") &&
			release_of(row[i].name, release, sizeof(release)) &&
			strverscmp(release, kernel->newest) > 0)
			STR_SET(kernel->newest, release);
	}
	kernel->waits = kernel->newest[0] != '\0' && str_ends(kernel->running, "-pve") &&
		strverscmp(kernel->newest, kernel->running) > 0;
	return true;
}
