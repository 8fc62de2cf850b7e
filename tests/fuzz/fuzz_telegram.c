/* The answer to getUpdates as anything, and a text as the simulator's HTML. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/telegram.h"
#include "sim/telegram_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool claim)
{
	if (!claim)
		abort();
}

static bool is_id(int64_t id)
{
	return id > -(INT64_C(1) << 53) && id < INT64_C(1) << 53;
}

static void check_update(const struct telegram_update *update)
{
	must(update->id > 0 && is_id(update->id) && is_id(update->chat) && is_id(update->sender_chat));
	must(update->from >= 0 && update->message_id >= 0 && update->thread >= 0);
	must(update->name != NULL && update->username != NULL && update->text != NULL);
	must(update->callback != NULL && update->data != NULL);
	must(tg_is_utf8(update->text, strlen(update->text)));
	must(update->kind == TELEGRAM_CALLBACK || update->origin == TELEGRAM_MISSING);
	must(update->kind != TELEGRAM_OTHER || (update->chat == 0 && update->from == 0));
}

static void check_batch(const char *text, size_t size, struct arena *arena)
{
	struct telegram_batch batch;
	struct err err = {0};
	if (!telegram_batch_parse(text, size, arena, &batch, &err)) {
		must(err.kind == ERR_INPUT && err.text[0] != '\0' && batch.count == 0);
		return;
	}
	must((batch.count == 0) == (batch.next_offset == 0));
	for (int i = 0; i < batch.count; i++)
		check_update(&batch.updates[i]);
	if (batch.count > 0)
		must(batch.next_offset == batch.updates[batch.count - 1].id + 1);
}

static void check_html(const char *html, struct arena *arena)
{
	struct tg_text text;
	struct tg_problem problem = {0};
	if (!tg_is_utf8(html, strlen(html)))
		return;
	if (!tg_parse_html(html, arena, &text, &problem)) {
		must(problem.status == 400 && problem.words[0] != '\0');
		return;
	}
	must(tg_is_utf8(text.visible, strlen(text.visible)));
	must(text.points <= text.units && (size_t)text.points <= strlen(html));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena arena = arena_new((size_t)256 << 20);
	char *text = malloc(size + 1);
	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	check_batch(text, size, arena);
	check_html(text, arena);
	free(text);
	return 0;
}
