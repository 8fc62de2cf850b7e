#include "diagnose/evidence.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/redact.h"
#include "base/str.h"
#include "base/utf8.h"

/* A mask may be longer than what it hides. */
#define REDACT_ROOM 256
/* What the other kinds may always count on. */
#define LOG_ROWS_MAX 32

/* One line, nothing in it that steers a terminal or a reader. */
static void clean(char *field, size_t size, const char *text)
{
	size_t length = 0;
	while (*text != '\0') {
		uint32_t c = 0;
		size_t n = utf8_decode(text, &c);
		const char *put = n == 0 ? UTF8_REPLACEMENT : utf8_steers(c) ? " " : text;
		size_t bytes = n == 0 ? strlen(UTF8_REPLACEMENT) : utf8_steers(c) ? 1 : n;
		if (length + bytes >= size)
			break;
		memcpy(field + length, put, bytes);
		length += bytes;
		text += n == 0 ? 1 : n;
	}
	while (length > 0 && field[length - 1] == ' ')
		length--;
	field[length] = '\0';
}

static int count_of(const struct evidence_list *list, enum evidence_kind kind)
{
	int n = 0;
	for (int i = 0; i < list->count; i++)
		n += list->rows[i].kind == kind;
	return n;
}

static void drop_oldest_log(struct evidence_list *list)
{
	for (int i = 0; i < list->count; i++) {
		if (list->rows[i].kind != EVIDENCE_LOG)
			continue;
		list->count--;
		memmove(
			&list->rows[i], &list->rows[i + 1], (size_t)(list->count - i) * sizeof(list->rows[0]));
		return;
	}
}

void evidence_add(struct evidence_list *list, enum evidence_kind kind, int64_t at,
	const char *source, const char *text)
{
	char shown[EVIDENCE_TEXT_BYTES * 3 + REDACT_ROOM];
	if ((kind == EVIDENCE_LOG && count_of(list, kind) >= LOG_ROWS_MAX) ||
		list->count == EVIDENCE_ROWS_MAX)
		drop_oldest_log(list);
	if (list->count == EVIDENCE_ROWS_MAX)
		return;
	struct evidence *row = &list->rows[list->count];
	*row = (struct evidence){.kind = kind, .at = at};
	/* Redacted before it is cut: half a secret is one too. */
	STR_SET(shown, text);
	redact(shown, sizeof(shown));
	clean(row->text, sizeof(row->text), shown);
	clean(row->source, sizeof(row->source), source);
	list->count += row->text[0] != '\0';
}

void evidence_addf(struct evidence_list *list, enum evidence_kind kind, int64_t at,
	const char *source, const char *fmt, ...)
{
	char text[EVIDENCE_TEXT_BYTES * 3];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	evidence_add(list, kind, at, source, text);
}

void evidence_add_lines(struct evidence_list *list, const char *source, char *text, size_t size)
{
	char *save = NULL;
	/* A secret may go over several lines (a key's block). */
	redact(text, size);
	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		evidence_add(list, EVIDENCE_LOG, 0, source, line);
}

void evidence_gather(const struct evidence_order *order, struct evidence_list *list)
{
	switch (order->component.kind) {
	case COMPONENT_CONTAINER:
		evidence_of_container(order, list);
		break;
	case COMPONENT_GUEST:
	case COMPONENT_NODE:
	case COMPONENT_CLUSTER:
	case COMPONENT_STORAGE:
	case COMPONENT_BACKUP:
		evidence_of_proxmox(order, list);
		break;
	case COMPONENT_DOCKER_DAEMON:
	case COMPONENT_SERVICE:
	case COMPONENT_MCP:
	case COMPONENT_PROBE:
	case COMPONENT_KINDS:
		break; /* what the source has seen is all there is */
	}
}
