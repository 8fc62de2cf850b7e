/* The script's lines: the world's take effect at once, answers wait for their request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/claude_world.h"

static bool bad(char *text, size_t size, const char *why, const char *line)
{
	str_format(text, size, "%s: %s", why, line);
	return false;
}

static struct claude_model *model_find(struct sim_claude *sim, const char *name)
{
	for (int i = 0; i < sim->model_count; i++)
		if (strcmp(sim->models[i].name, name) == 0)
			return &sim->models[i];
	return NULL;
}

static bool set_model(struct sim_claude *sim, const char *line)
{
	char name[80];
	struct claude_model *model;
	if (sscanf(line, "model %79s", name) != 1)
		return false;
	model = model_find(sim, name);
	if (model == NULL && sim->model_count == CLAUDE_MODELS)
		return false;
	if (model == NULL) {
		model = &sim->models[sim->model_count++];
		*model = (struct claude_model){.context = 200000, .out = 64000, .cache = 1024};
		STR_SET(model->name, name);
	}
	const char *context = strstr(line, " context="), *out = strstr(line, " out=");
	const char *cache = strstr(line, " cache=");
	if (context != NULL)
		model->context = strtoll(context + 9, NULL, 10);
	if (out != NULL)
		model->out = strtoll(out + 5, NULL, 10);
	if (cache != NULL)
		model->cache = strtoll(cache + 7, NULL, 10);
	return true;
}

static bool forget(struct sim_claude *sim, const char *name)
{
	struct claude_model *model = model_find(sim, name);
	if (model == NULL)
		return false;
	*model = sim->models[--sim->model_count];
	return true;
}

static bool is_answer(const char *line)
{
	static const char *const verbs[] = {"say", "json", "think", "call", "also", "badcall", "block",
		"pause", "cut", "refuse", "context", "stop", "answer", "error", "spend", "spend400", "html",
		"garbage", "truncated", "close", "empty", "silent", "slow"};
	size_t length = strcspn(line, " ");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strlen(verbs[i]) == length && strncmp(verbs[i], line, length) == 0)
			return true;
	return false;
}

/* What is said before or beside another line joins it, so that one entry is one answer. */
static bool join(struct sim_claude *sim, const char *line)
{
	char **last = sim->line_count > 0 ? &sim->lines[sim->line_count - 1] : NULL;
	const char *tail = last == NULL ? "" : strrchr(*last, '\n') ? strrchr(*last, '\n') + 1 : *last;
	bool open = str_starts(tail, "think ") || str_starts(tail, "block ");
	char *joined = NULL;
	if (last == NULL || (!open && !str_starts(line, "also ")))
		return false;
	if (asprintf(&joined, "%s\n%s", *last, line) < 0)
		abort();
	free(*last);
	*last = joined;
	return true;
}

bool sim_claude_script(struct sim_claude *sim, const char *line, char *text, size_t size)
{
	char word[64];
	int times = 1, skip = 0;
	if (sscanf(line, "key %63s", word) == 1) {
		STR_SET(sim->key, strcmp(word, "none") == 0 ? "" : line + strlen("key "));
		return true;
	}
	if (str_starts(line, "model "))
		return set_model(sim, line) || bad(text, size, "model NAME …", line);
	if (sscanf(line, "forget %63s", word) == 1)
		return forget(sim, word) || bad(text, size, "no such model", line);
	if (sscanf(line, "ids %63s", word) == 1) {
		sim->no_ids = strcmp(word, "off") == 0;
		return true;
	}
	if (sscanf(line, "calls-say-stop %63s", word) == 1) {
		sim->calls_say_stop = strcmp(word, "on") == 0;
		return true;
	}
	if (sscanf(line, "%d x %n", &times, &skip) != 1 || skip == 0)
		times = 1, skip = 0;
	line += skip;
	if (!is_answer(line))
		return bad(text, size, "no such line", line);
	if (join(sim, line))
		return true;
	if (sim->line_count == CLAUDE_LINES)
		return bad(text, size, "too many lines", line);
	sim->times[sim->line_count] = times;
	sim->lines[sim->line_count] = strdup(line);
	/* the one that stayed has had its time */
	if (sim->line_count > 0 && sim->line_at == sim->line_count - 1 && sim->times[sim->line_at] <= 0)
		sim->line_at++;
	sim->line_count++;
	return true;
}
