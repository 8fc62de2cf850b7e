/* What goes wrong. */
#include "sim/telegram_world.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool on_off(struct tg_line_words *line, bool *flag)
{
	*flag = strcmp(line->words[1], "on") == 0;
	return *flag || strcmp(line->words[1], "off") == 0 || tg_bad(line, "on or off?");
}

static bool is_kind(const char *kind)
{
	static const char *const kinds[] = {"slow", "refused", "closed", "silent", "truncated", "html"};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], kind) == 0)
			return true;
	return false;
}

static bool fail(struct tg_line_words *line)
{
	struct sim_telegram *sim = line->sim;
	const char *times = tg_line_option(line, "times");
	struct tg_fault fault = {.left = times != NULL ? (int)tg_int(times) : 1,
		.after = tg_line_has(line, "after"),
		.number = tg_int(line->words[2])};
	STR_SET(fault.method, line->words[1]);
	for (char *c = fault.method; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	STR_SET(fault.kind, line->words[2]);
	if (!is_kind(fault.kind) && (fault.number < 400 || fault.number > 599))
		return tg_bad(line, "fail METHOD STATUS or slow|refused|closed|silent|truncated|html");
	const char *arg = line->n > 3 ? line->words[3] : "";
	bool is_option = str_starts(arg, "times=") || strcmp(arg, "after") == 0;
	if (!is_option) {
		STR_SET(fault.text, arg);
		fault.arg = tg_int(arg);
	}
	if (strcmp(fault.kind, "slow") == 0)
		fault.number = fault.arg;
	if (fault.number == 429 && fault.arg <= 0)
		fault.arg = 1;
	int place = 0;
	while (place < sim->fault_count && sim->faults[place].left > 0)
		place++;
	if (place == TG_FAULTS || fault.left <= 0)
		return tg_bad(line, "more than %d faults at a time, or none", TG_FAULTS);
	sim->faults[place] = fault;
	sim->fault_count += place == sim->fault_count;
	return true;
}

static bool rival(struct tg_line_words *line)
{
	line->sim->rival_ms = tg_now(line->sim);
	return on_off(line, &line->sim->has_rival);
}

static bool webhook(struct tg_line_words *line)
{
	bool off = strcmp(line->words[1], "off") == 0;
	STR_SET(line->sim->webhook, off ? "" : line->words[1]);
	if (!off)
		tg_polls_end(line->sim, "Conflict: terminated by setWebhook request");
	return true;
}

static bool revoke(struct tg_line_words *line)
{
	line->sim->is_revoked = true;
	return true;
}

static bool restart(struct tg_line_words *line)
{
	for (int i = 0; i < TG_QUERIES; i++)
		line->sim->queries[i].is_forgotten = true;
	tg_polls_break(line->sim);
	return true;
}

/* They stand before the others again. */
static bool redeliver(struct tg_line_words *line)
{
	struct sim_telegram *sim = line->sim;
	int n = line->n > 1 ? (int)tg_int(line->words[1]) : 1;
	if (n < 1 || n > sim->confirmed_count)
		return tg_bad(line, "%d updates have been confirmed", sim->confirmed_count);
	struct tg_update *all = NULL;
	int count = 0;
	for (int i = sim->confirmed_count - n; i < sim->confirmed_count; i++) {
		all = tg_more(all, count, sizeof(*all));
		all[count++] = (struct tg_update){.id = sim->confirmed[i].id,
			.at_ms = sim->confirmed[i].at_ms,
			.json = tg_strdup(sim->confirmed[i].json)};
	}
	for (int i = 0; i < sim->update_count; i++) {
		all = tg_more(all, count, sizeof(*all));
		all[count++] = sim->updates[i];
	}
	free(sim->updates);
	sim->updates = all;
	sim->update_count = count;
	sim->redelivers = true;
	return true;
}

static bool jump(struct tg_line_words *line)
{
	int64_t id = tg_int(line->words[1]);
	if (id <= 0)
		return tg_bad(line, "no id of an update: %s", line->words[1]);
	line->sim->next_update = id;
	return true;
}

static bool rates(struct tg_line_words *line)
{
	return on_off(line, &line->sim->has_rates);
}

static bool styles(struct tg_line_words *line)
{
	return on_off(line, &line->sim->has_styles);
}

static bool chat_limit(struct tg_line_words *line)
{
	struct tg_chat *chat = tg_line_chat(line, 1);
	if (chat != NULL)
		chat->wait_until_ms = tg_now(line->sim) + tg_int(line->words[2]) * 1000;
	return chat != NULL;
}

static bool query_life(struct tg_line_words *line)
{
	line->sim->query_life_ms = tg_int(line->words[1]) * 1000;
	return true;
}

static bool count(struct tg_line_words *line)
{
	line->sim->counts_utf16 = strcmp(line->words[1], "utf16") == 0;
	return line->sim->counts_utf16 || strcmp(line->words[1], "points") == 0 ||
		tg_bad(line, "count points|utf16");
}

static bool forget(struct tg_line_words *line)
{
	struct sim_telegram *sim = line->sim;
	for (int i = 0; i < sim->journal_count; i++)
		free(sim->journal[i]);
	free(sim->journal);
	sim->journal = NULL;
	sim->journal_count = 0;
	return true;
}

const struct tg_verb tg_verbs_faults[] = {{"fail", 2, fail}, {"rival", 1, rival},
	{"webhook", 1, webhook}, {"revoke", 0, revoke}, {"restart", 0, restart},
	{"redeliver", 0, redeliver}, {"jump", 1, jump}, {"rates", 1, rates}, {"styles", 1, styles},
	{"chat-limit", 2, chat_limit}, {"query-life", 1, query_life}, {"count", 1, count},
	{"forget", 0, forget}, {NULL, 0, NULL}};
