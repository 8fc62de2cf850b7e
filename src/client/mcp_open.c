/* A client of a configured server: secrets are resolved here, and known to the redactor from their
 * first moment. */
#include <string.h>

#include "base/redact.h"
#include "base/secret.h"
#include "base/str.h"
#include "client/mcp.h"

#define ARGV_MAX 96
#define ENTRY_BYTES 8192

/* A reference as its value, in arena. */
static const char *value_of(
	const char *state, const char *reference, struct arena *arena, struct err *err)
{
	if (!str_starts(reference, "secret:") && !str_starts(reference, "env:"))
		return reference;
	const char *value = secret_resolve(state, reference, err);
	return value != NULL ? arena_strdup(arena, value) : NULL;
}

/* The environment's words, then the command's; NULL: a secret is missing, or too long. */
static const char *const *argv_of(
	const char *state, const struct config_mcp *config, struct arena *arena, struct err *err)
{
	const char **argv = ARENA_ARRAY(arena, const char *, ARGV_MAX + 1);
	size_t n = 0;
	for (size_t i = 0; config->env != NULL && config->env[i] != NULL; i++) {
		const char *entry = config->env[i], *equals = strchr(entry, '=');
		const char *value = value_of(state, equals + 1, arena, err);
		if (value == NULL || strlen(value) > ENTRY_BYTES) {
			if (value != NULL)
				err_set(err, ERR_INPUT, "a value of env: is longer than %d bytes", ENTRY_BYTES);
			return NULL;
		}
		argv[n++] = arena_printf(arena, "%.*s=%s", (int)(equals - entry), entry, value);
	}
	for (size_t i = 0; config->command[i] != NULL; i++)
		argv[n++] = config->command[i];
	return argv;
}

struct mcp *mcp_open_configured(
	const char *state, const struct config_mcp *config, int stop_fd, struct err *err)
{
	/* holds secrets for a moment; the client keeps its own copy as long as it lives */
	auto_arena arena = arena_new((size_t)512 * 1024);
	struct mcp_config client = {.name = config->name,
		.url = config->url,
		.timeout_ms = config->timeout_ms,
		.stop_fd = stop_fd};
	if (config->command != NULL) {
		client.command = argv_of(state, config, arena, err);
		if (client.command == NULL)
			return NULL;
	}
	if (config->token != NULL) {
		client.token = value_of(state, config->token, arena, err);
		if (client.token == NULL)
			return NULL;
		redact_register(client.token);
	}
	return mcp_open(&client, err);
}
