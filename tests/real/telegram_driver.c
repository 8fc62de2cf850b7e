/*
 * The Telegram client before a server at URL that keeps to telegram-test-api's extra calls, by
 * which a person speaks; in TAP. Without a URL it lists its claims.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http.h"
#include "base/str.h"
#include "client/telegram.h"

#define TOKEN "123456789:AAF-smoke_test"

struct stage {
	struct telegram *telegram;
	struct http *person;
	struct arena *arena;
	struct telegram_result result;
	struct err err;
	int64_t message_id;
};

static const struct telegram_button buttons[] = {
	{"Approve", "a:1", TELEGRAM_SUCCESS}, {"Reject", "r:1", TELEGRAM_DANGER}};
static const struct telegram_row rows[] = {{buttons, 2}};

static bool person(struct stage *stage, const char *path, const char *json)
{
	const struct http_request request = {
		.method = "POST", .path = path, .body = json, .body_bytes = strlen(json)};
	struct http_reply reply;
	return http_perform(stage->person, &request, stage->arena, &reply, &stage->err) &&
		(reply.status == 200 || err_set(&stage->err, ERR_INPUT, "%s: %s", path, reply.body));
}

static bool poll(struct stage *stage, struct telegram_batch *batch)
{
	const struct telegram_poll ask = {.timeout_s = 1};
	return telegram_poll(stage->telegram, &ask, stage->arena, batch, &stage->result, &stage->err) &&
		(batch->count == 1 || err_set(&stage->err, ERR_INPUT, "%d updates", batch->count));
}

static bool getme_names_the_bot(struct stage *stage)
{
	struct telegram_me me = {0};
	return telegram_me(stage->telegram, &me, &stage->result, &stage->err) && me.id == 666 &&
		strcmp(me.username, "TestNameBot") == 0;
}

static bool message_with_buttons_is_accepted_and_told_its_id(struct stage *stage)
{
	const struct telegram_message message = {
		.text = "<b>web</b> is &lt;down&gt; ü😀", .rows = rows, .row_count = 1};
	bool ok = telegram_send(stage->telegram, &message, &stage->result, &stage->err);
	stage->message_id = stage->result.message_id;
	return ok && stage->message_id > 0;
}

static bool message_is_there_as_it_was_sent(struct stage *stage)
{
	static const char ask[] = "{\"token\":\"" TOKEN "\"}";
	const struct http_request request = {
		.method = "POST", .path = "/getUpdatesHistory", .body = ask, .body_bytes = sizeof(ask) - 1};
	struct http_reply reply;
	return http_perform(stage->person, &request, stage->arena, &reply, &stage->err) &&
		strstr(reply.body, "<b>web</b> is &lt;down&gt; ü😀") != NULL &&
		strstr(reply.body, "\"callback_data\":\"a:1\"") != NULL &&
		strstr(reply.body, "\"parse_mode\":\"HTML\"") != NULL;
}

static bool edit_is_accepted(struct stage *stage)
{
	const struct telegram_message message = {.text = "web is up"};
	return telegram_edit(stage->telegram, stage->message_id, &message, &stage->result, &stage->err);
}

static bool persons_message_is_read(struct stage *stage)
{
	struct telegram_batch batch;
	static const char said[] =
		"{\"botToken\":\"" TOKEN
		"\",\"from\":{\"id\":42,\"first_name\":\"Ada\"},\"chat\":{\"id\":42,"
		"\"type\":\"private\"},\"date\":1795469000,\"text\":\"/status \\ud83d\\ude00\"}";
	return person(stage, "/sendMessage", said) && poll(stage, &batch) &&
		batch.updates[0].kind == TELEGRAM_MESSAGE && batch.updates[0].from == 42 &&
		batch.updates[0].chat_type == TELEGRAM_PRIVATE &&
		strcmp(batch.updates[0].text, "/status 😀") == 0;
}

static bool press_is_read_and_answered(struct stage *stage)
{
	struct telegram_batch batch;
	static const char pressed[] = "{\"botToken\":\"" TOKEN
								  "\",\"from\":{\"id\":42,\"first_name\":\"Ada\"},\"data\":\"a:1\","
								  "\"message\":{\"message_id\":1,\"date\":1795469000,\"chat\":{"
								  "\"id\":42,\"type\":\"private\"}"
								  "}}";
	if (!person(stage, "/sendCallback", pressed) || !poll(stage, &batch))
		return false;
	const struct telegram_update *update = &batch.updates[0];
	const struct telegram_answer answer = {.callback = update->callback, .text = "Done"};
	return update->kind == TELEGRAM_CALLBACK && strcmp(update->data, "a:1") == 0 &&
		update->origin == TELEGRAM_PRESENT &&
		telegram_answer(stage->telegram, &answer, &stage->result, &stage->err);
}

static bool message_is_deleted_once(struct stage *stage)
{
	bool ok = telegram_delete(stage->telegram, 0, stage->message_id, &stage->result, &stage->err);
	struct err again = {0};
	return ok && !telegram_delete(stage->telegram, 0, stage->message_id, &stage->result, &again) &&
		again.kind != ERR_NONE;
}

static bool webhook_is_deleted(struct stage *stage)
{
	return telegram_delete_webhook(stage->telegram, &stage->result, &stage->err);
}

#define CLAIM(name) \
	{ \
#name, name \
	}
static const struct {
	const char *name;
	bool (*holds)(struct stage *stage);
} claims[] = {
	CLAIM(getme_names_the_bot),
	CLAIM(message_with_buttons_is_accepted_and_told_its_id),
	CLAIM(message_is_there_as_it_was_sent),
	CLAIM(edit_is_accepted),
	CLAIM(persons_message_is_read),
	CLAIM(press_is_read_and_answered),
	CLAIM(message_is_deleted_once),
	CLAIM(webhook_is_deleted),
};

static int run(struct stage *stage)
{
	int count = (int)(sizeof(claims) / sizeof(claims[0])), failed = 0;
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		stage->err = (struct err){0};
		bool ok = claims[i].holds(stage);
		printf("%s %d - %s\n", ok ? "ok" : "not ok", i + 1, claims[i].name);
		if (!ok)
			printf("# %s\n", stage->err.text);
		failed += !ok;
	}
	return failed > 0;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc < 2 && i < sizeof(claims) / sizeof(claims[0]); i++)
		puts(claims[i].name);
	if (argc < 2)
		return 0;
	http_global_init();
	const struct http_config http = {.base_url = argv[1], .stop_fd = -1, .name = "person"};
	const struct telegram_config config = {.token = TOKEN, .api_url = argv[1], .chat = 42};
	struct stage stage = {.arena = arena_new((size_t)16 << 20)};
	stage.person = http_open(&http);
	stage.telegram = telegram_open(&config, -1, &stage.err);
	if (stage.telegram == NULL) {
		fprintf(stderr, "%s\n", stage.err.text);
		return 2;
	}
	int code = run(&stage);
	telegram_close(stage.telegram);
	http_close(stage.person);
	arena_free(stage.arena);
	return code;
}
