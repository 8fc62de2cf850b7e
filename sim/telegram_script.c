/* The script: a line in words, and the world it builds. */
#include "sim/telegram_world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 8192

bool tg_bad(struct tg_line_words *line, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(line->text, line->size, fmt, args);
	va_end(args);
	return false;
}

int64_t tg_int(const char *text)
{
	char *end;
	long long value = strtoll(text, &end, 10);
	return *text != '\0' && *end == '\0' ? value : 0;
}

struct tg_user *tg_line_user(struct tg_line_words *line, int word)
{
	struct sim_telegram *sim = line->sim;
	for (int i = 0; i < sim->user_count; i++)
		if (sim->users[i].id == tg_int(line->words[word]) ||
			strcmp(sim->users[i].name, line->words[word]) == 0)
			return &sim->users[i];
	tg_bad(line, "no such user: %s", line->words[word]);
	return NULL;
}

struct tg_chat *tg_line_chat(struct tg_line_words *line, int word)
{
	struct sim_telegram *sim = line->sim;
	for (int i = 0; i < sim->chat_count; i++)
		if (sim->chats[i]->id == tg_int(line->words[word]) ||
			strcmp(sim->chats[i]->title, line->words[word]) == 0)
			return sim->chats[i];
	tg_bad(line, "no such chat: %s", line->words[word]);
	return NULL;
}

const char *tg_line_option(const struct tg_line_words *line, const char *name)
{
	size_t length = strlen(name);
	for (int i = 1; i < line->n; i++)
		if (strncmp(line->words[i], name, length) == 0 && line->words[i][length] == '=')
			return line->words[i] + length + 1;
	return NULL;
}

bool tg_line_has(const struct tg_line_words *line, const char *word)
{
	for (int i = 1; i < line->n; i++)
		if (strcmp(line->words[i], word) == 0)
			return true;
	return false;
}

static bool bot(struct tg_line_words *line)
{
	struct sim_telegram *sim = line->sim;
	if (tg_int(line->words[1]) == 0 && strtoll(line->words[1], NULL, 10) <= 0)
		return tg_bad(line, "a token begins with the bot's id: %s", line->words[1]);
	STR_SET(sim->token, line->words[1]);
	sim->bot.id = strtoll(line->words[1], NULL, 10);
	sim->is_revoked = false;
	if (line->n > 2)
		STR_SET(sim->bot.username, line->words[2]);
	if (line->n > 3)
		STR_SET(sim->bot.name, line->words[3]);
	return true;
}

static bool user(struct tg_line_words *line)
{
	struct sim_telegram *sim = line->sim;
	struct tg_user user = {.id = tg_int(line->words[1]), .is_bot = tg_line_has(line, "bot")};
	if (user.id <= 0 || tg_user_find(sim, user.id) != NULL || tg_chat_find(sim, user.id) != NULL)
		return tg_bad(line, "a user has an id above 0 that nobody else has: %s", line->words[1]);
	STR_SET(user.name, line->words[2]);
	STR_SET(user.last, tg_line_option(line, "last"));
	STR_SET(user.username, tg_line_option(line, "username"));
	sim->users = tg_more(sim->users, sim->user_count, sizeof(*sim->users));
	sim->users[sim->user_count++] = user;
	struct tg_chat *chat = tg_chat_add(sim, user.id, TG_PRIVATE, user.name);
	chat->standing = tg_line_has(line, "unstarted") ? TG_UNSTARTED : TG_MEMBER;
	return true;
}

static bool chat(struct tg_line_words *line)
{
	static const char *const types[] = {"private", "group", "supergroup", "channel"};
	int64_t id = tg_int(line->words[1]);
	for (int i = TG_GROUP; i <= TG_CHANNEL; i++) {
		if (strcmp(types[i], line->words[2]) != 0)
			continue;
		if (id >= 0 || tg_chat_find(line->sim, id) != NULL)
			return tg_bad(line, "a chat has an id below 0 that no other has: %s", line->words[1]);
		struct tg_chat *chat = tg_chat_add(line->sim, id, (enum tg_type)i, line->words[3]);
		chat->is_forum = i == TG_SUPERGROUP && tg_line_has(line, "forum");
		return true;
	}
	return tg_bad(line, "chat ID group|supergroup|channel TITLE [forum]");
}

static bool topic(struct tg_line_words *line)
{
	struct tg_chat *chat = tg_line_chat(line, 1);
	int64_t id = tg_int(line->words[2]);
	if (chat == NULL)
		return false;
	if (!chat->is_forum || id <= 0)
		return tg_bad(line, "%s is no forum, or %s no topic's id", line->words[1], line->words[2]);
	const char *what = line->n > 3 ? line->words[3] : "";
	enum tg_topic_state state = strcmp(what, "deleted") == 0 ? TG_TOPIC_DELETED
		: strcmp(what, "closed") == 0                        ? TG_TOPIC_CLOSED
															 : TG_TOPIC_OPEN;
	for (int i = 0; i < chat->topic_count; i++)
		if (chat->topics[i].id == id) {
			chat->topics[i].state = state;
			return true;
		}
	if (chat->topic_count == TG_TOPICS)
		return tg_bad(line, "more than %d topics", TG_TOPICS);
	chat->topics[chat->topic_count++] = (struct tg_topic){id, state};
	return true;
}

static bool privacy(struct tg_line_words *line)
{
	line->sim->is_private_mode = strcmp(line->words[1], "on") == 0;
	return true;
}

const struct tg_verb tg_verbs_world[] = {{"bot", 1, bot}, {"user", 2, user}, {"chat", 3, chat},
	{"topic", 2, topic}, {"privacy", 1, privacy}, {NULL, 0, NULL}};

/* One word of text into out, its quotes and backslashes taken off; NULL: there is no more. */
static const char *take_word(const char *text, char **out)
{
	bool quoted = false;
	while (*text == ' ' || *text == '\t' || *text == '\n')
		text++;
	if (*text == '\0')
		return NULL;
	for (; *text != '\0' && (quoted || strchr(" \t\n", *text) == NULL); text++) {
		if (*text == '"') {
			quoted = !quoted;
			continue;
		}
		if (*text == '\\' && (text[1] == '"' || text[1] == '\\' || text[1] == 'n')) {
			text++;
			*(*out)++ = (char)(*text == 'n' ? '\n' : *text);
			continue;
		}
		*(*out)++ = *text;
	}
	*(*out)++ = '\0';
	return text;
}

static bool known(const struct tg_verb *verbs, struct tg_line_words *line, bool *good)
{
	for (; verbs->name != NULL; verbs++) {
		if (strcmp(verbs->name, line->words[0]) != 0)
			continue;
		*good = line->n > verbs->words ? verbs->play(line)
									   : tg_bad(line, "%s: too few words", verbs->name);
		return true;
	}
	return false;
}

bool sim_telegram_script(struct sim_telegram *sim, const char *script, char *text, size_t size)
{
	struct tg_line_words line = {.sim = sim, .text = text, .size = size};
	bool good = false;
	size_t length = strlen(script);
	if (length >= LINE_BYTES * 8)
		return tg_bad(&line, "a line of more than %d bytes", LINE_BYTES * 8);
	char *words = tg_must(malloc(length * 2 + 2)), *out = words;
	sim_telegram_tick(sim);
	while (line.n < TG_WORDS) {
		line.words[line.n] = out;
		script = take_word(script, &out);
		if (script == NULL)
			break;
		line.n++;
	}
	if (line.n == 0)
		good = true;
	else if (!known(tg_verbs_world, &line, &good) && !known(tg_verbs_people, &line, &good) &&
		!known(tg_verbs_faults, &line, &good))
		good = tg_bad(&line, "no such line: %s", line.words[0]);
	free(words);
	return good;
}
