/*
 * The demo's phone: what the chat shows, printed as it unfolds; and who answers in it, a pretended
 * person who thinks for some seconds and then says yes, or who sits at the terminal.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/http.h"
#include "base/str.h"
#include "cli/demo.h"
#include "cli/text.h"

#define LOOK_EVERY_MS 300
#define THINK_MS 4000
#define ARENA_BYTES ((size_t)8 << 20)
#define LABELS_MAX 32

struct phone {
	const struct demo_person *person;
	struct http *http;
	int next_line;
	int64_t asked_at;            /* when the question at hand was seen; 0: none is */
	char labels[LABELS_MAX][64]; /* of the newest message with buttons */
	int label_count;
	char typed[300];
	size_t typed_length;
};

/* What the simulator answers; NULL: nothing. */
static const char *ask(struct phone *phone, const char *what, const char *body, struct arena *arena)
{
	struct http_reply reply;
	const struct http_request request = {.method = "POST",
		.path = arena_printf(arena, "/sim/%s", what),
		.body = body,
		.body_bytes = strlen(body)};
	return http_perform(phone->http, &request, arena, &reply, NULL) && reply.status == 200
		? reply.body
		: NULL;
}

static void act(struct phone *phone, const char *verb, const char *text, struct arena *arena)
{
	struct str line;
	str_init(&line, arena);
	str_addf(&line, "%s Ada %d \"", verb, DEMO_USER);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			str_addc(&line, '\\');
		str_addc(&line, *text);
	}
	str_addc(&line, '"');
	if (ask(phone, "script", line.s, arena) == NULL)
		printf("(there is no such button any more)\n");
}

static void learn_labels(struct phone *phone, const char *buttons)
{
	phone->label_count = 0;
	while (*buttons != '\0' && phone->label_count < LABELS_MAX) {
		size_t length = strcspn(buttons, "\n]");
		const char *bar = strstr(buttons, " | ");
		if (bar != NULL && (size_t)(bar - buttons) < length)
			length = (size_t)(bar - buttons);
		char *label = phone->labels[phone->label_count++];
		str_format(label, sizeof(phone->labels[0]), "%.*s", (int)length, buttons);
		buttons += length;
		buttons += strspn(buttons, " |\n]");
	}
}

static void print_labels(const struct phone *phone, const char *dim, const char *plain)
{
	printf("%s   ╰ ", dim);
	for (int i = 0; i < phone->label_count; i++) {
		if (phone->person->is_user)
			printf("%d ", i + 1);
		printf("[%s] ", phone->labels[i]);
	}
	printf("%s\n", plain);
}

static void print_lines(const char *text, size_t length, const char *dim, const char *plain)
{
	const char *end = text + length;
	while (text < end) {
		size_t n = strcspn(text, "\n");
		if (text + n > end)
			n = (size_t)(end - text);
		printf("%s   │%s %.*s\n", dim, plain, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

/* The last line but the buttons: what an edit brought, mostly. */
static void print_edit(const char *text, size_t length)
{
	size_t first = strcspn(text, "\n");
	const char *end = text + length, *last = end;
	while (last > text && last[-1] != '\n')
		last--;
	printf("📱 ✎ %.*s", (int)first, text);
	if (last > text + first)
		printf(" … %.*s", (int)(end - last), last);
	printf("\n");
}

/* "Homeostat → Ada: text\n[buttons]" */
static void print_line(struct phone *phone, const char *line)
{
	const char *dim = phone->person->colour ? CLI_DIM : "";
	const char *bold = phone->person->colour ? CLI_BOLD : "";
	const char *plain = phone->person->colour ? CLI_PLAIN : "";
	const char *text = strstr(line, ": ");
	bool is_new = str_starts(line, "Homeostat → "), is_edit = str_starts(line, "Homeostat edits");
	if (text == NULL || (!is_new && !is_edit)) {
		printf("%s📱 %s%s\n", bold, line, plain);
		return;
	}
	text += strlen(": ");
	const char *buttons = strstr(text, "\n[");
	for (const char *more = buttons; more != NULL; more = strstr(more + 1, "\n["))
		buttons = more;
	size_t length = buttons != NULL ? (size_t)(buttons - text) : strlen(text);
	if (is_edit && !phone->person->is_user) {
		print_edit(text, length);
		return;
	}
	printf("%s📱 %s%s\n", bold, is_new ? "Homeostat:" : "Homeostat changes a message:", plain);
	print_lines(text, length, dim, plain);
	if (buttons == NULL)
		return;
	learn_labels(phone, buttons + strlen("\n["));
	print_labels(phone, dim, plain);
}

static void print_news(struct phone *phone, struct arena *arena)
{
	char number[16];
	for (;; phone->next_line++) {
		STR_FORMAT(number, "%d", phone->next_line);
		const char *line = ask(phone, "line", number, arena);
		if (line == NULL)
			break;
		print_line(phone, line);
	}
	fflush(stdout);
}

static void think(struct phone *phone, struct arena *arena)
{
	int64_t now = clock_mono_ms(phone->person->clock);
	if (ask(phone, "buttons", "*Should I proceed with this action*", arena) == NULL) {
		phone->asked_at = 0;
	} else if (phone->asked_at == 0) {
		phone->asked_at = now;
	} else if (now - phone->asked_at >= THINK_MS) {
		act(phone, "presses", "✅ Approve", arena);
		phone->asked_at = now;
	}
}

static void obey(struct phone *phone, const char *line, struct arena *arena)
{
	char *end;
	long n = strtol(line, &end, 10);
	bool is_number = end != line && *end == '\0';
	if (is_number && n >= 1 && n <= phone->label_count)
		act(phone, "presses", phone->labels[n - 1], arena);
	else if (is_number)
		printf("(there are buttons 1 to %d)\n", phone->label_count);
	else if (line[0] != '\0')
		act(phone, "says", line, arena);
}

/* False: nothing more will be typed. */
static bool read_typed(struct phone *phone, struct arena *arena)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	while (poll(&in, 1, 0) == 1) {
		size_t room = sizeof(phone->typed) - 1 - phone->typed_length;
		ssize_t n = read(STDIN_FILENO, phone->typed + phone->typed_length, room);
		if (n <= 0)
			return false;
		phone->typed_length += (size_t)n;
		phone->typed[phone->typed_length] = '\0';
		char *end;
		while ((end = strchr(phone->typed, '\n')) != NULL) {
			*end = '\0';
			obey(phone, phone->typed, arena);
			phone->typed_length -= (size_t)(end + 1 - phone->typed);
			memmove(phone->typed, end + 1, phone->typed_length + 1);
		}
		if (phone->typed_length + 1 == sizeof(phone->typed))
			phone->typed_length = 0; /* no command is so long */
	}
	return true;
}

void *demo_person(void *arg)
{
	const struct demo_person *person = arg;
	struct phone phone = {.person = person};
	char url[64];
	STR_FORMAT(url, "http://127.0.0.1:%d", person->port);
	phone.http = http_open(&(struct http_config){.base_url = url, .stop_fd = person->stop_fd});
	bool types = person->is_user;
	while (clock_wait(person->clock, LOOK_EVERY_MS, person->stop_fd)) {
		auto_arena arena = arena_new(ARENA_BYTES);
		print_news(&phone, arena);
		if (types)
			types = read_typed(&phone, arena);
		else if (!person->is_user)
			think(&phone, arena);
	}
	http_close(phone.http);
	return NULL;
}
