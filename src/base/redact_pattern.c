#include "base/redact_pattern.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LOOK_BACK 64

static bool has(const struct scan *scan, size_t at, const char *text)
{
	size_t length = strlen(text);
	return scan->length - at >= length && memcmp(scan->text + at, text, length) == 0;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Closing brackets and separators belong to a value unless what follows shows that they end it:
 * "Tr0ub4dor&3" is one password, "token=x&user=y" is not. */
static bool ends_value(const struct scan *scan, size_t at)
{
	char c = scan->text[at];
	if (isspace((unsigned char)c) || c == '"' || c == '\'' || c == '`')
		return true;
	if (c == '\\')
		return at + 1 < scan->length && strchr("\"'nrt", scan->text[at + 1]) != NULL;
	if (c == '\0' || strchr("&;,)]}>|<", c) == NULL)
		return false;
	char after = at + 1 < scan->length ? scan->text[at + 1] : ' ';
	return !isdigit((unsigned char)after) && strchr("!@#$%^*+-=_.~", after) == NULL;
}

static bool in_run(const struct scan *scan, int run, size_t at)
{
	char c = scan->text[at];
	if (run == RUN_VALUE)
		return !ends_value(scan, at);
	return is_word(c) || (run == RUN_DOTTED && c == '.');
}

static size_t run_end(struct scan *scan, int run, size_t at)
{
	struct span *last = &scan->runs[run];
	if (at >= last->start && at < last->end)
		return last->end;
	last->start = at;
	while (at < scan->length && in_run(scan, run, at))
		at++;
	return last->end = at;
}

static bool found(struct span *secret, size_t start, size_t end)
{
	*secret = (struct span){start, end};
	return end > start;
}

/* "scheme://user:password@host", and a user that is itself a token. */
static bool url_secret(const struct scan *scan, size_t at, struct span *secret)
{
	size_t start = at + 3, sign = 0, colon = 0;
	for (size_t i = start; i < scan->length; i++) {
		char c = scan->text[i];
		if (isspace((unsigned char)c) || c == '\0' || strchr("/?#\"'<>\\", c) != NULL)
			break;
		if (c == '@')
			sign = i;
		if (c == ':' && colon == 0 && sign == 0)
			colon = i;
	}
	if (sign == 0)
		return false;
	if (colon > 0 && colon < sign)
		return found(secret, colon + 1, sign);
	return sign - start >= 20 && found(secret, start, sign);
}

/* Telegram's "123456789:AA…". */
static bool bot_token(struct scan *scan, size_t at, struct span *secret)
{
	size_t digits = 0;
	while (digits < at && digits < 16 && isdigit((unsigned char)scan->text[at - digits - 1]))
		digits++;
	if (digits < 6 || at + 1 >= scan->length || !is_word(scan->text[at + 1]))
		return false;
	size_t end = run_end(scan, RUN_WORD, at + 1);
	return end - at - 1 >= 30 && found(secret, at + 1, end);
}

enum name { NAME_NONE, NAME_PASSWORD, NAME_TOKEN, NAME_KEY, NAME_HEADER };

static const struct {
	const char *tail;
	enum name name;
} names[] = {
	{"password", NAME_PASSWORD},
	{"passwd", NAME_PASSWORD},
	{"passphrase", NAME_PASSWORD},
	{"pwd", NAME_PASSWORD},
	{"secret", NAME_TOKEN},
	{"token", NAME_TOKEN},
	{"apikey", NAME_TOKEN},
	{"api_key", NAME_TOKEN},
	{"api-key", NAME_TOKEN},
	{"access_key", NAME_TOKEN},
	{"access-key", NAME_TOKEN},
	{"secret_key", NAME_TOKEN},
	{"secret-key", NAME_TOKEN},
	{"private_key", NAME_TOKEN},
	{"encryption_key", NAME_TOKEN},
	{"auth_key", NAME_TOKEN},
	{"authorization", NAME_HEADER},
	{"cookie", NAME_HEADER},
	{"key", NAME_KEY},
};

/* The word before at, past spaces and a quote, as in password = , "password": and \"password\": */
static struct span name_before(const struct scan *scan, size_t at)
{
	const char *text = scan->text;
	size_t end = at;
	for (int spaces = 0; spaces < 2 && end > 0 && text[end - 1] == ' '; spaces++)
		end--;
	if (end > 0 && (text[end - 1] == '"' || text[end - 1] == '\''))
		end--;
	if (end > 0 && text[end - 1] == '\\')
		end--;
	size_t start = end;
	while (start > 0 && end - start < LOOK_BACK && is_word(text[start - 1]))
		start--;
	return (struct span){start, end};
}

static enum name name_kind(const char *word, size_t length)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t tail = strlen(names[i].tail);
		if (length < tail || strncasecmp(word + length - tail, names[i].tail, tail) != 0)
			continue;
		bool is_public = length >= 10 && strncasecmp(word, "public", 6) == 0;
		return is_public ? NAME_NONE : names[i].name;
	}
	return NAME_NONE;
}

struct value {
	size_t start, end;
	bool quoted, spaced, last_on_line;
};

/* What stands after the separator at. */
static struct value value_after(struct scan *scan, size_t at)
{
	const char *text = scan->text;
	size_t start = at + 1;
	while (start < scan->length && start - at < 5 && (text[start] == ' ' || text[start] == '\t'))
		start++;
	struct value value = {.start = start, .end = start, .spaced = start > at + 1};
	bool escaped = has(scan, start, "\\\"") || has(scan, start, "\\'");
	size_t open = start + (escaped ? 1 : 0);
	if (open < scan->length && (text[open] == '"' || text[open] == '\'')) {
		size_t end = open + 1;
		while (end < scan->length && text[end] != text[open] && text[end] != '\n')
			end += !escaped && text[end] == '\\' && end + 1 < scan->length ? 2 : 1;
		value.quoted = true;
		value.start = open + 1;
		value.end = escaped && end > open + 1 && text[end - 1] == '\\' ? end - 1 : end;
		return value;
	}
	if (start < scan->length && !ends_value(scan, start))
		value.end = run_end(scan, RUN_VALUE, start);
	value.last_on_line = value.end == scan->length || text[value.end] == '\n';
	return value;
}

/* Words that stand where a secret would, and references to one. */
static bool is_harmless(const char *text, size_t length)
{
	static const char *const words[] = {"true", "false", "null", "none", "yes", "no", "nil",
		"undefined", "required", "missing", "invalid"};
	static const char *const heads[] = {"[redacted", "secret:", "env:", "${", "{{", "<", "***"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == length && strncasecmp(words[i], text, length) == 0)
			return true;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (length >= strlen(heads[i]) && memcmp(text, heads[i], strlen(heads[i])) == 0)
			return true;
	return false;
}

/* Whether a value looks made by a machine or by someone who was told to mix: "expired" does not. */
static bool looks_random(const char *text, size_t length)
{
	size_t digits = 0, upper = 0, lower = 0, marks = 0;
	for (size_t i = 0; i < length && i < 256; i++) {
		unsigned char c = (unsigned char)text[i];
		digits += isdigit(c) != 0;
		upper += isupper(c) != 0;
		lower += islower(c) != 0;
		marks += c > 0x20 && c < 0x7F && strchr("!@#$%^&*+/=", c) != NULL;
	}
	if (length >= 6 && (digits > 0 || marks > 0) && upper + lower > 0)
		return true;
	return length >= 12 && (digits >= 12 || (upper > 1 && lower > 1));
}

static bool is_scheme(const char *word, size_t length)
{
	static const char *const schemes[] = {"bearer", "basic", "token", "digest", "apikey"};
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i]) == length && strncasecmp(schemes[i], word, length) == 0)
			return true;
	return false;
}

/* Authorization: Bearer …, Basic …, PVEAPIToken=…, Digest …, …; Cookie: … */
static bool header_secret(struct scan *scan, size_t at, struct span *secret)
{
	struct value value = value_after(scan, at);
	const char *text = scan->text;
	if (value.quoted)
		value.end = run_end(scan, RUN_VALUE, value.start);
	bool known = is_scheme(text + value.start, value.end - value.start);
	size_t start = value.start, end = value.end;
	if (known && end < scan->length && text[end] == ' ') {
		start = end + 1;
		end = run_end(scan, RUN_VALUE, start);
	}
	size_t length = end - start;
	if (is_harmless(text + start, length) || (!known && !looks_random(text + start, length)))
		return false;
	/* parameters and further cookies; bounded, as a line of headers is */
	while (end < scan->length && end - start < 4096 && strchr("\n\r\"'`", text[end]) == NULL &&
		(text[end - 1] == ',' || text[end - 1] == ';' || strchr(",;", text[end]) != NULL)) {
		end++;
		while (end < scan->length && text[end] == ' ')
			end++;
		end = run_end(scan, RUN_VALUE, end);
	}
	return found(secret, start, end);
}

/* password = …, "token": "…", API_KEY=… */
static bool named_secret(struct scan *scan, size_t at, struct span *secret)
{
	struct span word = name_before(scan, at);
	const char *text = scan->text;
	enum name name = name_kind(text + word.start, word.end - word.start);
	if (name == NAME_NONE)
		return false;
	if (name == NAME_HEADER)
		return header_secret(scan, at, secret);
	struct value value = value_after(scan, at);
	const char *start = text + value.start;
	size_t length = value.end - value.start;
	if (length == 0 || is_harmless(start, length) || *start == '=')
		return false;
	bool random = looks_random(start, length);
	bool reference = text[at] == ':' && !value.spaced && !value.quoted &&
		word.end - word.start == strlen("secret");
	bool hide = value.quoted || (text[at] == '=' && !value.spaced) || random ||
		(name == NAME_PASSWORD && value.last_on_line);
	if (name == NAME_KEY)
		hide = random && length >= 16;
	else if (reference && name == NAME_TOKEN)
		hide = random && length >= 20;
	return hide && found(secret, value.start, value.end);
}

/* A block from BEGIN to the end of the END line, or of the text. */
static bool private_key(struct scan *scan, size_t at, struct span *secret)
{
	static const char begin[] = "-----BEGIN ", mark[] = "PRIVATE KEY", end[] = "-----END ";
	if (!has(scan, at, begin))
		return false;
	size_t left = scan->length - at;
	if (memmem(scan->text + at, left < 80 ? left : 80, mark, strlen(mark)) == NULL)
		return false;
	if (scan->key_end > at)
		return found(secret, at, scan->key_end);
	const char *last = memmem(scan->text + at, left, end, strlen(end));
	scan->key_end = scan->length;
	if (last != NULL) {
		size_t from = (size_t)(last - scan->text) + strlen(end);
		const char *dashes = memmem(scan->text + from, scan->length - from, "-----", 5);
		if (dashes != NULL)
			scan->key_end = (size_t)(dashes - scan->text) + 5;
	}
	return found(secret, at, scan->key_end);
}

/* Tokens that say what they are. shortest: in all; plain words of that length exist for those that
 * need a digit. */
static const struct {
	const char *head;
	size_t shortest;
	bool needs_digit;
} heads[] = {
	{"sk-ant-", 12, false},
	{"sk-", 20, true},
	{"ghp_", 20, false},
	{"gho_", 20, false},
	{"ghu_", 20, false},
	{"ghs_", 20, false},
	{"ghr_", 20, false},
	{"github_pat_", 30, false},
	{"glpat-", 20, false},
	{"xoxb-", 20, false},
	{"xoxp-", 20, false},
	{"xoxa-", 20, false},
	{"AKIA", 20, false},
	{"ASIA", 20, false},
	{"AIza", 35, false},
	{"hf_", 30, false},
};

static bool has_digit(const char *text, size_t length)
{
	for (size_t i = 0; i < length && i < 256; i++)
		if (isdigit((unsigned char)text[i]))
			return true;
	return false;
}

/* header.payload.signature, each base64url; "eyJ" is {" in base64. */
static bool web_token(struct scan *scan, size_t at, struct span *secret)
{
	if (!has(scan, at, "eyJ"))
		return false;
	size_t end = run_end(scan, RUN_WORD, at);
	if (end - at < 10 || end + 3 > scan->length || scan->text[end] != '.' ||
		!is_word(scan->text[end + 1]))
		return false;
	return found(secret, at, run_end(scan, RUN_DOTTED, at));
}

static bool prefixed(struct scan *scan, size_t at, struct span *secret)
{
	if (at > 0 && (isalnum((unsigned char)scan->text[at - 1]) || scan->text[at - 1] == '_'))
		return false;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		if (!has(scan, at, heads[i].head))
			continue;
		size_t end = run_end(scan, RUN_WORD, at);
		return end - at >= heads[i].shortest &&
			(!heads[i].needs_digit || has_digit(scan->text + at, end - at)) &&
			found(secret, at, end);
	}
	return web_token(scan, at, secret);
}

/* "Bearer …" outside of a header. */
static bool bearer(struct scan *scan, size_t at, struct span *secret)
{
	size_t start = at + strlen("bearer ");
	if (start >= scan->length || strncasecmp(scan->text + at, "bearer ", strlen("bearer ")) != 0 ||
		(at > 0 && is_word(scan->text[at - 1])) || ends_value(scan, start))
		return false;
	size_t end = run_end(scan, RUN_VALUE, start);
	return end - start >= 12 && looks_random(scan->text + start, end - start) &&
		found(secret, start, end);
}

bool pattern_begins(unsigned char c)
{
	static const bool begins[256] = {
		[':'] = true,
		['='] = true,
		['-'] = true,
		['s'] = true,
		['g'] = true,
		['x'] = true,
		['A'] = true,
		['h'] = true,
		['e'] = true,
		['B'] = true,
		['b'] = true,
	};
	return begins[c];
}

bool pattern_at(struct scan *scan, size_t at, struct span *secret)
{
	switch (scan->text[at]) {
	case ':':
		if (has(scan, at, "://"))
			return url_secret(scan, at, secret);
		return bot_token(scan, at, secret) || named_secret(scan, at, secret);
	case '=':
		return named_secret(scan, at, secret);
	case '-':
		return private_key(scan, at, secret);
	case 'B':
	case 'b':
		return bearer(scan, at, secret);
	default:
		return prefixed(scan, at, secret);
	}
}
