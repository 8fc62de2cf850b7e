#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/redact.h"
#include "base/str.h"

static struct {
	pthread_mutex_t lock;
	enum log_level level;
	bool journal, colour;
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO};

/* $JOURNAL_STREAM is "device:inode" of the stream that systemd gave us (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long device, inode;
	struct stat st;
	return stream != NULL && sscanf(stream, "%lu:%lu", &device, &inode) == 2 &&
		fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_init(enum log_level level)
{
	logger.level = level;
	logger.journal = stderr_is_journal();
	logger.colour = !logger.journal && getenv("NO_COLOR") == NULL && isatty(STDERR_FILENO);
}

/* A line of the log is one line: text from outside must not forge another, nor speak to a terminal.
 */
static void tame(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7F)
			*text = ' ';
}

void log_at(enum log_level level, const char *fmt, ...)
{
	static const struct {
		const char *priority, *word, *colour;
	} levels[] = {
		[LOG_ERROR] = {"<3>", "error", "\033[31m"},
		[LOG_WARN] = {"<4>", "warning", "\033[33m"},
		[LOG_INFO] = {"<6>", "info", ""},
		[LOG_DEBUG] = {"<7>", "debug", "\033[2m"},
	};
	if (level > logger.level)
		return;
	char text[1024];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	redact(text, sizeof(text));
	tame(text);
	char now[12];
	str_clock(now, (int64_t)time(NULL) * 1000);
	pthread_mutex_lock(&logger.lock);
	if (logger.journal)
		fprintf(stderr, "%s%s\n", levels[level].priority, text);
	else if (logger.colour)
		fprintf(
			stderr, "%s %s%s: %s\033[0m\n", now, levels[level].colour, levels[level].word, text);
	else
		fprintf(stderr, "%s %s: %s\n", now, levels[level].word, text);
	pthread_mutex_unlock(&logger.lock);
}
