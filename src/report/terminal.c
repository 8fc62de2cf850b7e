/*
 * The terminal of `homeostat run`: a thread that prints what the core tells.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "report/internal.h"

#define BOX_LIMIT 512
#define WRITE_TIMEOUT_MS 5000
/* What a pipe that is writable takes in one piece (POSIX: PIPE_BUF is at least 512). */
#define PIECE_BYTES 512

struct terminal {
	pthread_t thread;
	struct mailbox *box;
	bool colour;
};

static const char *colour_of(const struct notice *notice)
{
	switch (notice->kind) {
	case NOTICE_SOURCE_DOWN:
	case NOTICE_ESCALATED:
		return "\033[31m";
	case NOTICE_ASKING:
	case NOTICE_POSTPONED:
		return "\033[33m";
	case NOTICE_STORM:
	case NOTICE_TROUBLE:
	case NOTICE_RESULT:
		return notice->ok ? "\033[32m" : "\033[31m";
	case NOTICE_ENDED:
	case NOTICE_SOURCE_UP:
		return "\033[32m";
	case NOTICE_ACTING:
		return "\033[36m";
	case NOTICE_STARTED:
	case NOTICE_DETECTED:
	case NOTICE_HEALING:
	case NOTICE_STOPPED:
	case NOTICE_DECIDED:
	case NOTICE_SUMMARY:
	case NOTICE_KINDS:
		break;
	}
	return "\033[1m";
}

/* The time in front of the first line, the others below it. */
void terminal_render(const struct notice *notice, bool colour, struct str *out)
{
	char words[4096], at[12];
	notice_words(notice, words, sizeof(words));
	str_clock(at, notice->at);
	str_addf(out, colour ? "\033[2m%s\033[0m  " : "%s  ", at);
	size_t first = strcspn(words, "\n");
	str_addf(out, "%s%.*s%s\n", colour ? colour_of(notice) : "", (int)first, words,
		colour ? "\033[0m" : "");
	for (const char *line = words + first; *line == '\n';) {
		size_t length = strcspn(++line, "\n");
		str_addf(out, length > 0 ? "          %.*s\n" : "%.*s\n", (int)length, line);
		line += length;
	}
}

/* Who does not read us, as a stopped pager, gets no more; nothing waits for it for ever. */
static void print(const char *text, size_t length)
{
	while (length > 0) {
		struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
		int ready = poll(&out, 1, WRITE_TIMEOUT_MS);
		if (ready == 0 || (ready < 0 && errno != EINTR))
			return;
		ssize_t n = ready < 0
			? 0
			: write(STDOUT_FILENO, text, length < PIECE_BYTES ? length : PIECE_BYTES);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return;
		text += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
}

static void *terminal_main(void *arg)
{
	struct terminal *terminal = arg;
	struct mail *mail;
	while ((mail = mailbox_receive(terminal->box, -1)) != NULL) {
		auto_arena arena = arena_new(256 << 10);
		struct str text;
		str_init(&text, arena);
		if (mail->kind == MAIL_NOTICE) {
			terminal_render(mail->body, terminal->colour, &text);
			print(text.s, text.len);
		}
		mail_free(mail);
	}
	return NULL;
}

static bool wants_colour(void)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(STDOUT_FILENO) && (none == NULL || none[0] == '\0') && !str_equal(term, "dumb");
}

struct terminal *terminal_start(const struct clock *clock, struct err *err)
{
	(void)clock; /* a notice carries its own time */
	struct terminal *terminal = calloc(1, sizeof(*terminal));
	if (terminal == NULL)
		abort();
	terminal->box = mailbox_new(BOX_LIMIT);
	terminal->colour = wants_colour();
	int error = pthread_create(&terminal->thread, NULL, terminal_main, terminal);
	if (error == 0)
		return terminal;
	err_set(err, ERR_SYSTEM, "no thread for the terminal: %s", strerror(error));
	mailbox_free(terminal->box);
	free(terminal);
	return NULL;
}

struct mailbox *terminal_mailbox(struct terminal *terminal)
{
	return terminal->box;
}

void terminal_stop(struct terminal *terminal)
{
	if (terminal == NULL)
		return;
	mailbox_close(terminal->box);
	pthread_join(terminal->thread, NULL);
	mailbox_free(terminal->box);
	free(terminal);
}
