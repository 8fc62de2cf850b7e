/*
 * Mail: a letter of plain UTF-8 text (RFC 5322, 2045, 2047). The body is base64, so that no line
 * can be too long, begin with a dot or be taken for a header.
 */
#include <string.h>
#include <time.h>

#include "report/notify/channel.h"

#define LINE_BYTES 57 /* 76 characters of base64 */
/* "Subject: =?UTF-8?B?" and "?=" leave 55 of 76 characters: 39 bytes. */
#define WORD_BYTES 39

static void add_base64(struct str *out, const char *bytes, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < length; i += 3) {
		unsigned b[3] = {0};
		size_t n = length - i < 3 ? length - i : 3;
		for (size_t k = 0; k < n; k++)
			b[k] = (unsigned char)bytes[i + k];
		unsigned all = b[0] << 16 | b[1] << 8 | b[2];
		for (size_t k = 0; k < 4; k++)
			str_addc(out, k <= n ? digits[all >> (18 - 6 * k) & 63] : '=');
	}
}

/* Encoded words, none of which ends in the middle of a character; a line each. */
static void add_subject(struct str *out, const char *title)
{
	str_add(out, "Subject:");
	do {
		char word[WORD_BYTES + 1];
		str_copy(word, sizeof(word), title);
		str_add(out, " =?UTF-8?B?");
		add_base64(out, word, strlen(word));
		str_add(out, "?=\r\n");
		title += strlen(word);
	} while (*title != '\0');
}

static void add_date(struct str *out, int64_t at)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(at / 1000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	str_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
		months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void add_headers(struct str *out, const struct channel *channel, const struct told *told)
{
	const struct config_notify *settings = channel->settings;
	str_addf(out, "From: homeostat <%s>\r\nTo: ", settings->from);
	for (int i = 0; settings->to[i] != NULL; i++)
		str_addf(out, "%s<%s>", i > 0 ? ",\r\n " : "", settings->to[i]);
	str_add(out, "\r\n");
	add_date(out, clock_wall_ms(channel->clock));
	add_subject(out, told->title);
	/* the same letter sent again, since its answer was lost, has the same number */
	str_addf(out, "Message-ID: <%s.%s%s>\r\n", told->id, channel->settings->name,
		strchr(settings->from, '@'));
	if (told->severity == SEVERITY_CRITICAL)
		str_add(out, "X-Priority: 1\r\n");
	str_add(out,
		"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n");
}

static void compose(const struct channel *channel, const struct told *told, struct outgoing *out,
	struct arena *arena)
{
	struct str letter;
	const char *text = told_whole(told, arena);
	str_init(&letter, arena);
	add_headers(&letter, channel, told);
	for (size_t length = strlen(text), at = 0; at < length; at += LINE_BYTES) {
		add_base64(&letter, text + at, length - at < LINE_BYTES ? length - at : LINE_BYTES);
		str_add(&letter, "\r\n");
	}
	out->body = letter.s;
	out->body_bytes = letter.len;
}

const struct channel_kind mail_channel = {.name = "smtp", .is_mail = true, .compose = compose};
