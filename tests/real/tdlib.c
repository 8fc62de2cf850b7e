/*
 * What we send to Telegram, read by Telegram's own parser: td_execute of libtdjson.so (TDLib), the
 * path of which is the one argument. In TAP. Offline: TDLib is asked to parse, nothing else.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/telegram/html.h"
#include "report/telegram/texts.h"
#include "tests/unit/telegram_strict.h"

#define HOSTILE_CASES 10000
#define NOTICE_CASES 300
#define ARENA_BYTES ((size_t)64 << 20)

static const char *(*td_execute)(const char *request);
static char complaint[1024];

static bool wrong(uint32_t seed, const char *what, const char *about)
{
	STR_FORMAT(complaint, "seed %u: %s: %.600s", seed, what, about);
	return false;
}

static bool ask(struct arena *arena, const char *type, const char *text, struct json *answer)
{
	struct str request;
	struct json_out out;
	struct err err = {0};
	str_init(&request, arena);
	json_begin(&out, &request);
	json_open(&out, NULL, '{');
	json_put_str(&out, "@type", type);
	json_put_str(&out, "text", text);
	json_put_raw(&out, "parse_mode", "{\"@type\":\"textParseModeHTML\"}");
	json_close(&out, '}');
	const char *reply = arena_strdup(arena, td_execute(request.s));
	return json_parse(arena, reply, strlen(reply), answer, &err);
}

/* Each part parses, and shows what we think it shows. */
static bool is_taken(struct arena *arena, const char *html, uint32_t seed)
{
	struct html_parts parts;
	struct json answer;
	if (!html_split(html, arena, &parts))
		return wrong(seed, "the arena is too small", "");
	for (int i = 0; i < parts.count; i++) {
		const char *part = parts.part[i];
		if (!ask(arena, "parseTextEntities", part, &answer))
			return wrong(seed, "TDLib's answer is no JSON", part);
		const char *message = json_str(json_get(answer, "message"), arena);
		if (message != NULL)
			return wrong(seed, message, part);
		const char *shown = json_str(json_get(answer, "text"), arena);
		if (shown == NULL || strcmp(shown, html_plain(part, arena)) != 0)
			return wrong(seed, "it shows something else", part);
	}
	return true;
}

/* Outside of code, nothing in it is a command or a mention. */
static bool is_untappable(struct arena *arena, const char *text, uint32_t seed)
{
	struct json answer;
	if (!ask(arena, "getTextEntities", text, &answer))
		return wrong(seed, "TDLib's answer is no JSON", text);
	struct json list = json_get(answer, "entities");
	for (struct json entity = json_first(list); json_is(entity); entity = json_next(entity)) {
		const char *type = json_str(json_path(entity, "type.@type"), arena);
		if (type != NULL &&
			(strstr(type, "BotCommand") != NULL || strcmp(type, "textEntityTypeMention") == 0))
			return wrong(seed, type, text);
	}
	return true;
}

static bool hostile_text_is_parsed_by_telegrams_own_parser(void)
{
	for (uint32_t seed = 1; seed <= HOSTILE_CASES; seed++) {
		auto_arena arena = arena_new(ARENA_BYTES);
		struct html html;
		char *text = strict_hostile(seed);
		html_init(&html, arena);
		html_addf(&html, "<b>%.100000s</b>\n<code>%.300s</code>\n<pre>", text, text);
		html_lines(&html, text, 100000);
		html_addf(&html, "</pre>");
		bool taken = is_taken(arena, html.out.s, seed) && is_taken(arena, text, seed);
		free(text);
		if (!taken)
			return false;
	}
	return true;
}

static bool nothing_from_outside_can_be_tapped(void)
{
	for (uint32_t seed = 1; seed <= HOSTILE_CASES; seed++) {
		auto_arena arena = arena_new(ARENA_BYTES);
		struct html html;
		char *text = strict_hostile(seed);
		html_init(&html, arena);
		html_addf(&html, "Issue: %.100000s\nNext: nothing", text);
		free(text);
		if (!is_untappable(arena, html_plain(html.out.s, arena), seed))
			return false;
	}
	return true;
}

static bool every_notice_is_parsed_by_telegrams_own_parser(void)
{
	for (uint32_t seed = 1; seed <= NOTICE_CASES; seed++)
		for (int kind = 0; kind <= NOTICE_STOPPED; kind++) {
			auto_arena arena = arena_new(ARENA_BYTES);
			struct notice notice = {.kind = (enum notice_kind)kind, .ok = seed % 2 == 0};
			char *text = strict_hostile(seed);
			STR_SET(notice.text, text);
			STR_SET(notice.incident.component.name, text);
			STR_SET(notice.incident.issue, text);
			STR_SET(notice.incident.plan.title, text);
			STR_SET(notice.incident.actor, seed % 3 == 0 ? text : "");
			STR_SET(notice.incident.metrics, "{\"a\": [1, {\"<b>\": \"\\u001b🔥&\"}]}");
			free(text);
			if (!is_taken(arena, text_notice(&notice, arena)->html, seed))
				return false;
		}
	return true;
}

/* That the parser refuses what is wrong, so that its silence above means something. */
static bool the_parser_refuses_what_is_wrong(void)
{
	static const char *const bad[] = {"<b>a", "a</b>", "<b><i>a</b></i>", "<x>a</x>", "a < b"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		auto_arena arena = arena_new(ARENA_BYTES);
		struct json answer;
		if (!ask(arena, "parseTextEntities", bad[i], &answer) ||
			!json_is(json_get(answer, "message")))
			return wrong(0, "it was taken", bad[i]);
	}
	return true;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		bool (*holds)(void);
	} claims[] = {
		{"the_parser_refuses_what_is_wrong", the_parser_refuses_what_is_wrong},
		{"hostile_text_is_parsed_by_telegrams_own_parser",
			hostile_text_is_parsed_by_telegrams_own_parser},
		{"nothing_from_outside_can_be_tapped", nothing_from_outside_can_be_tapped},
		{"every_notice_is_parsed_by_telegrams_own_parser",
			every_notice_is_parsed_by_telegrams_own_parser},
	};
	int count = (int)(sizeof(claims) / sizeof(claims[0])), failed = 0;
	void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	const char *why = argc == 2 ? dlerror() : "no library was named";
	printf("1..%d\n", count);
	for (int i = 0; library == NULL && i < count; i++)
		printf("ok %d - %s # SKIP TDLib cannot be loaded: %s\n", i + 1, claims[i].name, why);
	if (library == NULL)
		return 0;
	*(void **)&td_execute = dlsym(library, "td_execute");
	if (td_execute == NULL) {
		printf("Bail out! %s has no td_execute\n", argv[1]);
		return 1;
	}
	td_execute("{\"@type\":\"setLogVerbosityLevel\",\"new_verbosity_level\":0}");
	for (int i = 0; i < count; i++) {
		bool holds = claims[i].holds();
		printf("%s %d - %s\n", holds ? "ok" : "not ok", i + 1, claims[i].name);
		if (!holds)
			printf("# %s\n", complaint);
		failed += !holds;
		fflush(stdout);
	}
	return failed > 0;
}
