#include "model/cron.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

struct field {
	const char *name;
	int min, max;
	const char *const *words; /* of min, min + 1, …; NULL: numbers only */
};

static const char *const months[] = {
	"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct field fields[] = {
	{"minute", 0, 59, NULL},
	{"hour", 0, 23, NULL},
	{"day of the month", 1, 31, NULL},
	{"month", 1, 12, months},
	{"day of the week", 0, 7, weekdays},
};

static bool read_one(const struct field *field, const char **text, int *value)
{
	for (int i = 0; field->words != NULL && field->words[i] != NULL; i++) {
		if (strncasecmp(*text, field->words[i], 3) == 0) {
			*text += 3;
			*value = field->min + i;
			return true;
		}
	}
	if (!isdigit((unsigned char)**text))
		return false;
	char *end;
	long number = strtol(*text, &end, 10);
	*text = end;
	*value = number > field->max ? field->max + 1 : (int)number;
	return *value >= field->min && *value <= field->max;
}

/* "*", "5", "1-5", each with "/2" behind it. */
static bool read_part(const struct field *field, const char *text, uint64_t *bits)
{
	int from = field->min, to = field->max, step = 1;
	bool is_one = false;
	if (*text == '*') {
		text++;
	} else {
		if (!read_one(field, &text, &from))
			return false;
		is_one = *text != '-';
		to = from;
		if (!is_one && (text++, !read_one(field, &text, &to)))
			return false;
	}
	if (*text == '/') {
		char *end;
		step = isdigit((unsigned char)text[1]) ? (int)strtol(text + 1, &end, 10) : 0;
		if (step < 1 || step > field->max)
			return false;
		text = end;
		if (is_one)
			to = field->max;
	}
	for (int i = from; i <= to; i += step)
		*bits |= UINT64_C(1) << i;
	return *text == '\0' && from <= to;
}

static bool read_field(const struct field *field, const char *text, uint64_t *bits, struct err *err)
{
	char parts[128], *save = NULL;
	*bits = 0;
	bool good = STR_SET(parts, text) && text[0] != ',' && !str_ends(text, ",");
	for (char *part = strtok_r(parts, ",", &save); part != NULL && good;
		 part = strtok_r(NULL, ",", &save))
		good = read_part(field, part, bits);
	return good ||
		err_set(err, ERR_INPUT, "\"%.40s\" is no %s: from %d to %d, as %d or %d-%d or *", text,
			field->name, field->min, field->max, field->min, field->min, field->min + 2);
}

static const char *written_out(const char *text)
{
	static const char *const names[][2] = {{"@hourly", "0 * * * *"}, {"@daily", "0 0 * * *"},
		{"@weekly", "0 0 * * 0"}, {"@monthly", "0 0 1 * *"}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i][0]) == 0)
			return names[i][1];
	return text;
}

bool cron_parse(const char *text, struct cron *cron, struct err *err)
{
	char copy[256], *save = NULL, *words[6] = {0};
	int count = 0;
	bool fits = STR_SET(copy, written_out(text));
	for (char *word = strtok_r(copy, " \t", &save); word != NULL && count < 6;
		 word = strtok_r(NULL, " \t", &save))
		words[count++] = word;
	if (!fits || count != 5)
		return err_set(err, ERR_INPUT,
			"\"%.60s\": write five fields: minute, hour, day of the month, month, day of the week, "
			"as \"0 3 * * 0\" for Sundays at 3",
			text);
	*cron = (struct cron){.any_day = words[2][0] == '*', .any_weekday = words[4][0] == '*'};
	uint64_t *bits[] = {&cron->minutes, &cron->hours, &cron->days, &cron->months, &cron->weekdays};
	for (int i = 0; i < 5; i++)
		if (!read_field(&fields[i], words[i], bits[i], err))
			return false;
	cron->weekdays |= cron->weekdays >> 7 & 1; /* 7 is Sunday too */
	return true;
}

static bool has(uint64_t bits, int bit)
{
	return (bits >> bit & 1) != 0;
}

bool cron_matches_day(const struct cron *cron, const struct tm *day)
{
	bool by_day = has(cron->days, day->tm_mday), by_weekday = has(cron->weekdays, day->tm_wday);
	bool either = !cron->any_day && !cron->any_weekday;
	return has(cron->months, day->tm_mon + 1) &&
		(either ? by_day || by_weekday : by_day && by_weekday);
}

bool cron_matches(const struct cron *cron, const struct tm *minute)
{
	return has(cron->minutes, minute->tm_min) && has(cron->hours, minute->tm_hour) &&
		cron_matches_day(cron, minute);
}
