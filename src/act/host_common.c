#include "act/host_common.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"

#define DAY_MS INT64_C(86400000)
#define NAME_MS 10000

static const struct config_proxmox *cluster_of(
	const struct act_context *context, const struct plan *plan)
{
	for (int i = 0; i < context->config->proxmox_count; i++) {
		const struct config_proxmox *proxmox = &context->config->proxmox[i];
		if (str_starts(plan->source, "proxmox:") && strcmp(plan->source + 8, proxmox->name) == 0)
			return proxmox;
	}
	return NULL;
}

/* ssh: of the configuration names one node: an action on another one must not land there. */
static bool is_node(
	struct host *host, const struct plan *plan, struct arena *arena, struct err *err)
{
	static const char *const argv[] = {"hostname", NULL};
	struct spawn_result result;
	if (!host_run(
			host, &(struct host_command){.argv = argv, .timeout_ms = NAME_MS}, arena, &result, err))
		return false;
	size_t length = strcspn(result.output, ".\r\n");
	return (length == strlen(plan->label) && strncmp(result.output, plan->label, length) == 0) ||
		err_set(err, ERR_INPUT,
			"ssh: of the configuration reaches %.*s, not %s: name that one under hosts:",
			(int)length, result.output, plan->label);
}

static struct host *open_node(const struct act_context *context,
	const struct config_proxmox *proxmox, const struct plan *plan, struct err *err)
{
	struct config_machine *machine = ARENA_NEW(context->arena, struct config_machine);
	const char *ssh = proxmox->ssh;
	if (ssh == NULL) {
		err_set(
			err, ERR_INPUT, "%s: commands on a node need ssh: in the configuration", plan->source);
		return NULL;
	}
	*machine = (struct config_machine){.name = plan->label,
		.url = str_starts(ssh, "ssh://") ? ssh : arena_printf(context->arena, "ssh://%s", ssh),
		.keep_journal_mib = 200,
		.keep_logs_ms = 7 * DAY_MS,
		.keep_images_ms = 14 * DAY_MS};
	struct host *host = host_open(machine, context->stop_fd, err);
	if (host == NULL || is_node(host, plan, context->arena, err))
		return host;
	host_close(host);
	return NULL;
}

struct host *host_named(const struct act_context *context, const char *name, struct err *err)
{
	for (int i = 0; i < context->config->machine_count; i++)
		if (strcmp(context->config->machines[i].name, name) == 0)
			return host_open(&context->config->machines[i], context->stop_fd, err);
	err_set(err, ERR_GONE, "host:%s is not configured any more", name);
	return NULL;
}

struct host *host_of_plan(
	const struct act_context *context, const struct plan *plan, struct err *err)
{
	const struct config_proxmox *proxmox = cluster_of(context, plan);
	if (proxmox != NULL)
		return open_node(context, proxmox, plan, err);
	const char *colon = strchr(plan->source, ':');
	return host_named(context, colon != NULL ? colon + 1 : "", err);
}

bool host_try(struct host *host, const char *const *argv, int64_t timeout_ms, struct arena *arena,
	char **output)
{
	struct spawn_result result;
	struct err err = {0};
	const struct host_command command = {.argv = argv, .timeout_ms = timeout_ms};
	if (!host_run(host, &command, arena, &result, &err) || result.exit_code != 0)
		return false;
	size_t end = strlen(result.output);
	while (end > 0 && isspace((unsigned char)result.output[end - 1]))
		result.output[--end] = '\0';
	if (output != NULL)
		*output = result.output;
	return true;
}
