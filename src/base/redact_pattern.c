#include "base/redact_pattern.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LOOK_BACK 64

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

size_t run_end(struct scan *scan, int run, size_t at)
{
	struct span *last = &scan->runs[run];
	if (at >= last->start && at < last->end)
		return last->end;
	last->start = at;
	while (at < scan->length && in_run(scan, run, at))
		at++;
	return last->end = at;
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
	{"pw", NAME_PASSWORD},
	{"_pass", NAME_PASSWORD},
	{"-pass", NAME_PASSWORD},
	{"passcode", NAME_PASSWORD},
	{"psk", NAME_TOKEN},
	{"community", NAME_TOKEN},
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
	{"secret_key_base", NAME_TOKEN},
	{"signature", NAME_KEY},
	{"credential", NAME_KEY},
	{"credentials", NAME_KEY},
	{"auth", NAME_KEY},
	{"sig", NAME_KEY},
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
		bool is_public = length >= 9 && strncasecmp(word, "public", 6) == 0;
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

/* Whether a value is dense, as keys are and words, paths and versions are not: letters and digits
 * in turn, or cases. */
static bool is_dense(const char *text, size_t length)
{
	size_t turns = 0, digits = 0, letters = 0;
	int last = 0;
	if (length < 16)
		return false;
	for (size_t i = 0; i < length && i < 128; i++) {
		unsigned char c = (unsigned char)text[i];
		int class = isdigit(c) ? 1 : isupper(c) ? 2 : islower(c) ? 3 : 0;
		turns += class != 0 && last != 0 && class != last;
		last = class != 0 ? class : last;
		digits += class == 1;
		letters += class > 1;
	}
	size_t seen = length < 128 ? length : 128;
	/* names in camel case turn twice a word, which is less often than letters drawn at random */
	bool turns_often = digits > 0 ? turns * 6 >= seen : turns * 5 >= seen * 2;
	return turns_often && digits + letters > seen * 3 / 4;
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
		hide = is_dense(start, length);
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

/* "--password x", "-u user:x" of curl. */
static bool option_secret(struct scan *scan, size_t at, struct span *secret)
{
	size_t start = at + 3, end;
	if (has(scan, at, "-u ") && (at == 0 || scan->text[at - 1] == ' ')) {
		end = run_end(scan, RUN_VALUE, start);
		const char *colon = memchr(scan->text + start, ':', end - start);
		size_t from = colon != NULL ? (size_t)(colon - scan->text) + 1 : end;
		/* a user and a group by number are not one */
		while (from < end && isdigit((unsigned char)scan->text[from]) && start < end &&
			isdigit((unsigned char)scan->text[start]))
			from++;
		return end - from >= 4 && found(secret, from, end);
	}
	/* of mosquitto, ipmitool, mysql; a port is no secret */
	if (has(scan, at, "-P ") && (at == 0 || scan->text[at - 1] == ' ')) {
		end = run_end(scan, RUN_VALUE, start);
		return end - start >= 8 && scan->text[start] != '/' &&
			looks_random(scan->text + start, end - start) && found(secret, start, end);
	}
	if (!has(scan, at, "--") || (at > 0 && scan->text[at - 1] != ' '))
		return false;
	end = run_end(scan, RUN_WORD, at);
	if (end + 1 >= scan->length || scan->text[end] != ' ' || scan->text[end + 1] == '-')
		return false;
	enum name name = name_kind(scan->text + at, end - at);
	start = end + 1;
	end = run_end(scan, RUN_VALUE, start);
	if (name != NAME_PASSWORD &&
		(name != NAME_TOKEN || !looks_random(scan->text + start, end - start)))
		return false;
	return !is_harmless(scan->text + start, end - start) && found(secret, start, end);
}

/* "<Password>x</Password>" */
static bool tag_secret(struct scan *scan, size_t at, struct span *secret)
{
	struct span word = name_before(scan, at);
	const char *text = scan->text;
	if (word.start == 0 || text[word.start - 1] != '<' || word.end != at)
		return false;
	enum name name = name_kind(text + word.start, word.end - word.start);
	size_t end = at + 1;
	while (end < scan->length && end - at < 512 && text[end] != '<' && text[end] != '\n')
		end++;
	return (name == NAME_PASSWORD || name == NAME_TOKEN) && end > at + 1 && end < scan->length &&
		text[end] == '<' && found(secret, at + 1, end);
}

/* "password 'x'", where a quoted word is no secret: "password 'must'". */
static bool quoted_password(struct scan *scan, size_t word_end, struct span *secret)
{
	size_t start = word_end + 2, end = start;
	char quote = scan->text[word_end + 1];
	while (end < scan->length && end - start < 128 && scan->text[end] != quote)
		end++;
	return end < scan->length && scan->text[end] == quote &&
		looks_random(scan->text + start, end - start) && found(secret, start, end);
}

/* "token x", "the key is x", "credentials user/x": what is dense next to a telling word. */
static bool spoken_secret(struct scan *scan, size_t at, struct span *secret)
{
	static const char *const links[] = {"is ", "was ", "of ", "for ", "= ", "value "};
	size_t start = run_end(scan, RUN_WORD, at);
	const char *text = scan->text;
	if (start - at > LOOK_BACK || start + 4 > scan->length || text[start] != ' ')
		return false;
	if (text[start + 1] == '\'' || text[start + 1] == '"')
		if (name_kind(text + at, start - at) == NAME_PASSWORD &&
			quoted_password(scan, start, secret))
			return true;
	size_t word_end = start++;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (has(scan, start, links[i])) {
			start += strlen(links[i]);
			break;
		}
	if (start < scan->length && strchr("\"'`(", text[start]) != NULL)
		start++;
	/* nearly all words end here: the next one is short */
	if (start + 16 > scan->length || memchr(text + start, ' ', 16) != NULL)
		return false;
	enum name name = name_kind(text + at, word_end - at);
	size_t end = run_end(scan, RUN_VALUE, start);
	return name != NAME_NONE && name != NAME_HEADER && is_dense(text + start, end - start) &&
		!has(scan, start, "SHA256:") && found(secret, start, end);
}

/* 1: looked at wherever it stands; 2: where a word begins. */
const unsigned char pattern_begins[256] = {
	[':'] = 1,
	['>'] = 1,
	['='] = 1,
	['-'] = 1,
	['$'] = 1,
	['A'] = 2,
	['B'] = 2,
	['C'] = 2,
	['E'] = 2,
	['G'] = 2,
	['K'] = 2,
	['L'] = 2,
	['M'] = 2,
	['N'] = 2,
	['O'] = 2,
	['P'] = 2,
	['S'] = 2,
	['T'] = 2,
	['a'] = 2,
	['b'] = 2,
	['c'] = 2,
	['d'] = 2,
	['e'] = 2,
	['f'] = 2,
	['g'] = 2,
	['h'] = 2,
	['k'] = 2,
	['l'] = 2,
	['n'] = 2,
	['p'] = 2,
	['r'] = 2,
	['s'] = 2,
	['t'] = 2,
	['w'] = 2,
	['x'] = 2,
	['y'] = 2,
};

static bool word_at(struct scan *scan, size_t at, struct span *secret)
{
	if (token_at(scan, at, secret))
		return true;
	switch (scan->text[at]) {
	case 'B':
	case 'b':
		return bearer(scan, at, secret);
	case 'a':
	case 'A':
	case 'c':
	case 'C':
	case 'k':
	case 'K':
	case 'p':
	case 'P':
	case 's':
	case 'S':
	case 't':
	case 'T':
		return spoken_secret(scan, at, secret);
	default:
		return false;
	}
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
	case '>':
		return tag_secret(scan, at, secret);
	case '-':
		return private_key(scan, at, secret) || option_secret(scan, at, secret);
	case '$':
		return token_at(scan, at, secret);
	default:
		return word_at(scan, at, secret);
	}
}
