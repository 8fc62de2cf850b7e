/*
 * homeostat mcp: our tools for models, over stdin and stdout, a message a line. Each is answered by
 * asking the running daemon over its control socket; while it does not run, the tools say so.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/control.h"
#include "report/mcp.h"

#define LINE_BYTES ((size_t)1024 * 1024)
#define ARENA_BYTES ((size_t)256 * 1024 * 1024)

static bool get(
	void *ctx, const char *path, struct arena *arena, const char **body, struct err *err)
{
	struct cli cli = *(const struct cli *)ctx;
	char *text = NULL;
	size_t length = 0;
	/* what a person would read on stderr, the asker reads as the tool's error */
	cli.arena = arena;
	cli.complaints = open_memstream(&text, &length);
	if (cli.complaints == NULL)
		abort();
	bool ok = control_get(&cli, path, body, NULL);
	fclose(cli.complaints);
	text[strcspn(text, "\n")] = '\0';
	if (!ok)
		err_set(err, ERR_RETRY, "%s", text);
	free(text);
	return ok;
}

static bool post(void *ctx, const char *path, const char *json, struct arena *arena,
	const char **body, struct err *err)
{
	struct cli cli = *(const struct cli *)ctx;
	struct json root;
	char *text = NULL;
	size_t length = 0, size = 0;
	cli.arena = arena;
	cli.complaints = open_memstream(&text, &length);
	if (cli.complaints == NULL)
		abort();
	bool ok = control_post(&cli, path, json, &root);
	fclose(cli.complaints);
	text[strcspn(text, "\n")] = '\0';
	const char *raw = ok ? json_raw(root, &size) : NULL;
	if (raw != NULL)
		*body = arena_strndup(arena, raw, size);
	else
		err_set(err, ERR_RETRY, "%s", text);
	free(text);
	return raw != NULL;
}

/* The next line into buffer. *length above LINE_BYTES: it was longer, and is lost. False: the end.
 */
static bool next_line(FILE *in, char *buffer, size_t *length)
{
	int c;
	*length = 0;
	while ((c = getc(in)) != EOF && c != '\n') {
		if (*length < LINE_BYTES)
			buffer[*length] = (char)c;
		if (*length <= LINE_BYTES)
			++*length;
	}
	return c != EOF || *length > 0;
}

static void answer(struct cli *cli, const char *line, size_t length)
{
	const struct mcp_host host = {.ctx = cli, .get = get, .post = post};
	/* what is too long for a message is answered as none */
	const struct mcp_message message = {.text = line, .length = length > LINE_BYTES ? 0 : length};
	struct mcp_reply reply = {0};
	auto_arena arena = arena_new(ARENA_BYTES);
	mcp_host_answer(&host, &message, arena, &reply);
	if (reply.text == NULL)
		return;
	fprintf(cli->out, "%s\n", reply.text);
	fflush(cli->out);
}

int cmd_mcp(struct cli *cli)
{
	size_t length;
	char *line = malloc(LINE_BYTES + 1);
	if (line == NULL)
		abort();
	while (!ferror(cli->out) && next_line(cli->in, line, &length)) {
		line[length <= LINE_BYTES ? length : 0] = '\0';
		if (length > 0 && length <= LINE_BYTES && line[length - 1] == '\r')
			length--;
		if (length > 0)
			answer(cli, line, length);
	}
	free(line);
	return ferror(cli->out) ? CLI_FAILED : CLI_DONE;
}
