/* Telegram's texts of any bytes: each part fits and parses, nothing of what is seen is lost, and a
 * command of any words ends in one of the results. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report/telegram/command.h"
#include "report/telegram/html.h"
#include "tests/unit/telegram_strict.h"

#define ARENA_BYTES ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void split(const char *text, struct arena *arena)
{
	struct html_parts parts;
	size_t units = 0;
	must(html_split(text, arena, &parts));
	for (int i = 0; i < parts.count; i++) {
		struct strict strict = strict_parse(parts.part[i]);
		must(strict.wrong == NULL && strict.units <= HTML_UNITS_MAX);
		must(strlen(parts.part[i]) <= HTML_BYTES_MAX);
		units += strict.units;
		free(strict.text);
	}
	/* One part alone is the whole, unless all of it is blank. */
	must(units <= html_units(text) &&
		(parts.count != 1 || units == html_units(text) || html_units(text) > HTML_UNITS_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct command command;
	struct command_error error;
	struct html html;
	if (size > 200000)
		size = 200000;
	char *text = arena_strndup(arena, (const char *)data, size);
	split(text, arena);
	html_init(&html, arena);
	html_addf(&html, "<b>%s</b><pre>", text);
	html_lines(&html, text, 20000);
	html_addf(&html, "</pre>");
	split(html.out.s, arena);
	enum command_result result = command_parse(text, "bot", &command, &error);
	must(result <= COMMAND_BAD_ARGUMENTS);
	struct message *message = command_complaint(result, &command, &error, arena);
	if (message != NULL)
		split(message->html, arena);
	arena_free(arena);
	return 0;
}
