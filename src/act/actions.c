/*
 * The table of actions: one line each.
 */
#include <stddef.h>
#include <string.h>

#include "act/act.h"

extern const struct action docker_daemon_restart, docker_restart, docker_stop;
extern const struct action host_clean_disk, host_free_memory, host_restore, mcp_restart, probe_heal,
	service_restart;
extern const struct action proxmox_start, proxmox_shutdown, proxmox_stop, proxmox_reboot,
	proxmox_service, proxmox_snapshot_take, proxmox_snapshot_rollback, proxmox_snapshot_delete,
	proxmox_fstrim, proxmox_ping, proxmox_processes;

const struct action *const actions[] = {
	&docker_restart,
	&docker_stop,
	&docker_daemon_restart,
	&mcp_restart,
	&service_restart,
	&host_clean_disk,
	&host_free_memory,
	&host_restore,
	&probe_heal,
	&proxmox_start,
	&proxmox_shutdown,
	&proxmox_stop,
	&proxmox_reboot,
	&proxmox_service,
	&proxmox_snapshot_take,
	&proxmox_snapshot_rollback,
	&proxmox_snapshot_delete,
	&proxmox_fstrim,
	&proxmox_ping,
	&proxmox_processes,
	NULL,
};

const struct action *action_find(const char *name)
{
	for (int i = 0; actions[i] != NULL; i++)
		if (strcmp(actions[i]->info.name, name) == 0)
			return actions[i];
	return NULL;
}
