/*
 * What a message says: the words of the terminal, with this machine's name, and, told late, with
 * the time at which it happened.
 */
#include <string.h>

#include "report/notify/channel.h"
#include "report/report.h"

#define WORDS_BYTES 4096
#define LATE_MS 120000
#define LINES_MAX 20
#define LINE_BYTES 200

enum notify_event notice_event(enum notice_kind kind)
{
	static const enum notify_event events[NOTICE_KINDS] = {
		[NOTICE_STARTED] = TELL_RUN,
		[NOTICE_STOPPED] = TELL_RUN,
		[NOTICE_SUMMARY] = TELL_RUN,
		[NOTICE_SOURCE_UP] = TELL_SOURCE,
		[NOTICE_SOURCE_DOWN] = TELL_SOURCE,
		[NOTICE_DETECTED] = TELL_DETECTION,
		[NOTICE_ASKING] = TELL_APPROVAL,
		[NOTICE_DECIDED] = TELL_APPROVAL,
		[NOTICE_ACTING] = TELL_ACTION,
		[NOTICE_RESULT] = TELL_RESULT,
		[NOTICE_POSTPONED] = TELL_DELAY,
		[NOTICE_STORM] = TELL_STORM,
		[NOTICE_ENDED] = TELL_END,
		[NOTICE_ESCALATED] = TELL_ESCALATION,
		[NOTICE_HEALING] = TELL_HEALING,
		[NOTICE_TROUBLE] = TELL_TROUBLE,
	};
	return kind < NOTICE_KINDS ? events[kind] : NOTIFY_EVENTS;
}

enum severity notice_urgency(const struct notice *notice)
{
	enum severity severity = notice->incident.severity;
	switch (notice->kind) {
	case NOTICE_ASKING:
	case NOTICE_ESCALATED:
	case NOTICE_DETECTED:
		return severity;
	case NOTICE_RESULT:
		return notice->ok && severity > SEVERITY_DEGRADED ? SEVERITY_DEGRADED : severity;
	case NOTICE_SOURCE_DOWN:
		return SEVERITY_UNHEALTHY;
	case NOTICE_STORM:
	case NOTICE_TROUBLE:
		return notice->ok ? SEVERITY_HEALTHY : SEVERITY_UNHEALTHY;
	case NOTICE_STARTED:
	case NOTICE_STOPPED:
	case NOTICE_SUMMARY:
	case NOTICE_SOURCE_UP:
	case NOTICE_ACTING:
	case NOTICE_POSTPONED:
	case NOTICE_ENDED:
	case NOTICE_HEALING:
	case NOTICE_DECIDED:
	case NOTICE_KINDS:
		break;
	}
	return SEVERITY_HEALTHY;
}

const char *told_cut(const char *text, size_t most, struct arena *arena)
{
	static const char more[] = "…";
	if (strlen(text) <= most)
		return text;
	char *cut = arena_alloc(arena, most + 1);
	str_copy(cut, most + 1 - strlen(more), text);
	return arena_printf(arena, "%s%s", cut, more);
}

const char *told_whole(const struct told *told, struct arena *arena)
{
	bool several = strchr(told->text, '\n') != NULL;
	return arena_printf(arena, "%s\n%s%s", told->title, several ? "\n" : "", told->text);
}

static const char *words_of(const struct notice *notice, struct arena *arena)
{
	char *words = arena_alloc(arena, WORDS_BYTES);
	notice_words(notice, words, WORDS_BYTES);
	return words;
}

/* The first line is the title when there are more; else it is the text, and its subject the title.
 */
void told_one(
	struct told *told, const struct notice *const *notice, int64_t now, struct arena *arena)
{
	const char *words = words_of(*notice, arena);
	size_t first = strcspn(words, "\n");
	const char *rest = words + first + strspn(words + first, "\n");
	const char *subject = (*notice)->incident.id != 0 ? (*notice)->incident.component.name
													  : "homeostat";
	char at[24];
	str_utc(at, (*notice)->at);
	bool late = now - (*notice)->at >= LATE_MS;
	told->title = *rest != '\0' ? arena_printf(arena, "[%s] %.*s", told->host, (int)first, words)
								: arena_printf(arena, "[%s] %s", told->host, subject);
	told->text = arena_printf(arena, "%s%s%s%s", late ? "At " : "", late ? at : "",
		late ? ":\n" : "", *rest != '\0' ? rest : words);
	told->at = (*notice)->at;
	told->severity = notice_urgency(*notice);
	told->notices = notice;
	told->count = 1;
	told->id = arena_printf(arena, "%lld-%lld", (long long)(*notice)->id, (long long)(*notice)->at);
}

static void add_line(struct str *text, const struct notice *notice, struct arena *arena)
{
	char at[24], line[LINE_BYTES];
	const char *words = words_of(notice, arena);
	str_utc(at, notice->at);
	STR_FORMAT(line, "%.*s", (int)strcspn(words, "\n"), words);
	str_addf(text, "%s%s  %s", text->len > 0 ? "\n" : "", at, line);
	/* whose question it is stands in its second line */
	if (notice->kind == NOTICE_ASKING || notice->kind == NOTICE_RESULT)
		str_addf(text, ": %s", notice->incident.component.name);
}

/* What presses most comes first. */
void told_many(
	struct told *told, const struct notice *const *notices, int count, struct arena *arena)
{
	struct str text;
	int lines = 0;
	str_init(&text, arena);
	for (int urgency = SEVERITY_CRITICAL; urgency >= SEVERITY_HEALTHY; urgency--) {
		for (int i = 0; i < count; i++) {
			if ((int)notice_urgency(notices[i]) != urgency)
				continue;
			if ((int)told->severity < urgency)
				told->severity = (enum severity)urgency;
			if (lines++ < LINES_MAX)
				add_line(&text, notices[i], arena);
		}
	}
	if (lines > LINES_MAX)
		str_addf(&text, "\n… and %d more: homeostat incidents", lines - LINES_MAX);
	told->title = arena_printf(arena, "[%s] homeostat: %d notices", told->host, count);
	told->text = text.s;
	told->at = notices[0]->at;
	told->notices = notices;
	told->count = count;
	told->id = arena_printf(arena, "%lld-%lld-%lld", (long long)notices[0]->id,
		(long long)notices[count - 1]->id, (long long)notices[0]->at);
}

void told_test(struct told *told, int64_t now, struct arena *arena)
{
	told->title = arena_printf(arena, "[%s] homeostat: a test", told->host);
	told->text = "This channel works: so it looks when homeostat has something to tell.";
	told->at = now;
	told->id = arena_printf(arena, "test-%lld", (long long)now);
}
