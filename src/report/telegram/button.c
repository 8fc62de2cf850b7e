#include "report/telegram/button.h"

#include <assert.h>

#include "base/str.h"
#include "report/telegram/html.h"

#define LABEL_CHARACTERS 28

struct message *message_new(struct arena *arena)
{
	struct message *message = ARENA_NEW(arena, struct message);
	message->html = "";
	return message;
}

struct intent *message_button(
	struct message *message, enum button_style style, enum intent_kind kind, const char *label)
{
	assert(message->buttons < BUTTONS_MAX);
	struct button *button = &message->button[message->buttons];
	/* A row that message_row began waits here. */
	int row = button->row;
	*button = (struct button){.style = style, .row = row, .intent.kind = kind};
	html_label(button->text, sizeof(button->text), label, LABEL_CHARACTERS);
	message->buttons++;
	if (message->buttons < BUTTONS_MAX)
		message->button[message->buttons].row = row;
	return &button->intent;
}

void message_row(struct message *message)
{
	int n = message->buttons;
	if (n > 0 && n < BUTTONS_MAX)
		message->button[n].row = message->button[n - 1].row + 1;
}

void message_page(struct message *message, const char *label, const char *path, int number)
{
	struct intent *intent = message_button(message, BUTTON_PLAIN, INTENT_PAGE, label);
	STR_SET(intent->path, path);
	intent->number = number;
}

void message_approval(
	struct message *message, int64_t incident_id, const char *plan_hash, bool later)
{
	static const struct {
		const char *label;
		enum button_style style;
		enum intent_kind kind;
	} answers[] = {
		{"✅ Approve", BUTTON_SUCCESS, INTENT_APPROVE},
		{"❌ Reject", BUTTON_DANGER, INTENT_REJECT},
		{"🕐 Later", BUTTON_PLAIN, INTENT_LATER},
	};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]) - !later; i++) {
		struct intent *intent = message_button(
			message, answers[i].style, answers[i].kind, answers[i].label);
		intent->incident_id = incident_id;
		STR_SET(intent->plan_hash, plan_hash);
	}
}
