/* What a configuration hides besides: values by glob, and e-mail addresses. Set before threads. */
#include <ctype.h>
#include <string.h>

#include "base/redact.h"
#include "base/redact_pattern.h"
#include "base/str.h"

#define GLOBS_MAX 32
#define GLOB_BYTES 128
#define VALUE_MAX 512
#define LOCAL_MAX 64

static char globs[GLOBS_MAX][GLOB_BYTES];
static int glob_count;
static bool hides_emails;

bool redact_add_glob(const char *glob)
{
	size_t fixed = 0;
	bool wild = strpbrk(glob, "*?") != NULL;
	for (const char *c = glob; *c != '\0'; c++)
		fixed += *c != '*' && *c != '?';
	if (fixed < 4 || (!wild && strlen(glob) < 6))
		return false;
	if (!wild) {
		redact_register(glob);
		return true;
	}
	for (int i = 0; i < glob_count; i++)
		if (strcmp(globs[i], glob) == 0)
			return true;
	if (glob_count == GLOBS_MAX || strlen(glob) >= GLOB_BYTES)
		return false;
	STR_SET(globs[glob_count], glob);
	glob_count++;
	return true;
}

void redact_emails(bool hide)
{
	hides_emails = hide;
}

void extra_reset(void)
{
	glob_count = 0;
	hides_emails = false;
}

bool extra_wanted(void)
{
	return glob_count > 0 || hides_emails;
}

static bool is_local(char c)
{
	return is_word(c) || c == '.' || c == '+' || c == '%';
}

/* name@host.tld, both ends bounded as RFC 5321 bounds them. */
static bool email(struct scan *scan, size_t at, struct span *secret)
{
	const char *text = scan->text;
	size_t start = at, end = at + 1, dot = 0;
	while (start > 0 && at - start < LOCAL_MAX && is_local(text[start - 1]))
		start--;
	while (end < scan->length && end - at < 254 && (is_word(text[end]) || text[end] == '.')) {
		if (text[end] == '.' && end + 1 < scan->length && isalpha((unsigned char)text[end + 1]))
			dot = end;
		end++;
	}
	while (end > at && text[end - 1] == '.')
		end--;
	return start < at && dot > at + 1 && end - dot > 2 && found(secret, start, end);
}

static bool begins_value(const struct scan *scan, size_t at)
{
	char before = at > 0 ? scan->text[at - 1] : ' ';
	return before != '\0' && strchr(" \t\n\r\"'`=:,;([{<|&", before) != NULL;
}

bool extra_at(struct scan *scan, size_t at, struct span *secret)
{
	char value[VALUE_MAX];
	if (hides_emails && scan->text[at] == '@' && email(scan, at, secret))
		return true;
	if (glob_count == 0 || !begins_value(scan, at))
		return false;
	size_t end = run_end(scan, RUN_VALUE, at);
	if (end - at < 4 || end - at >= sizeof(value))
		return false;
	memcpy(value, scan->text + at, end - at);
	value[end - at] = '\0';
	for (int i = 0; i < glob_count; i++)
		if (str_match(globs[i], value))
			return found(secret, at, end);
	return false;
}
