#include "model/plan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/str.h"

#define NAME_MAX 64
#define VALUE_MAX 120
#define PARAMS_MAX 8

void plan_seal(struct plan *plan)
{
	const char *parts[] = {plan->action, plan->component, plan->source, plan->native, plan->params,
		risk_name(plan->risk)};
	digest_hex(parts, sizeof(parts) / sizeof(parts[0]), plan->hash, sizeof(plan->hash));
}

static bool is_name(const char *value, size_t length)
{
	bool good = length > 0 && length <= NAME_MAX && value[0] != '-';
	for (size_t i = 0; i < length && good; i++)
		good = isalnum((unsigned char)value[i]) || strchr("._-@:", value[i]) != NULL;
	return good;
}

static bool are_names(const char *value)
{
	for (;; value++) {
		size_t length = strcspn(value, ",");
		if (!is_name(value, length))
			return false;
		value += length;
		if (*value == '\0')
			return true;
	}
}

static bool fits(enum param_type type, const char *value)
{
	size_t length = strlen(value);
	switch (type) {
	case PARAM_COUNT:
		return length > 0 && length <= 7 && strspn(value, "0123456789") == length &&
			strtol(value, NULL, 10) <= 1000000;
	case PARAM_FLAG:
		return length == 1 && (value[0] == '0' || value[0] == '1');
	case PARAM_NAMES:
		return length <= VALUE_MAX && are_names(value);
	case PARAM_NAME:
		break;
	}
	return is_name(value, length);
}

static int find(const struct action_info *info, const char *name)
{
	for (int i = 0; info->params != NULL && info->params[i].name != NULL; i++)
		if (strcmp(info->params[i].name, name) == 0)
			return i;
	return -1;
}

static bool refuse(
	const struct action_info *info, struct err *err, const char *what, const char *it)
{
	char known[200] = "";
	for (int i = 0; info->params != NULL && info->params[i].name != NULL; i++)
		str_format(known + strlen(known), sizeof(known) - strlen(known), "%s%s%s",
			i > 0 ? ", " : "", info->params[i].name, info->params[i].required ? " (needed)" : "");
	return err_set(err, ERR_INPUT, "%s: %s \"%.64s\": parameters are: %s", info->name, what, it,
		known[0] != '\0' ? known : "none");
}

/* One "name=value" into its place among values. */
static bool take(const struct action_info *info, char *word, char **values, struct err *err)
{
	char *equals = strchr(word, '=');
	if (equals == NULL)
		return refuse(info, err, "no name=value:", word);
	*equals = '\0';
	int i = find(info, word);
	if (i < 0 || i >= PARAMS_MAX)
		return refuse(info, err, "no such parameter:", word);
	if (values[i] != NULL)
		return refuse(info, err, "given twice:", word);
	if (!fits(info->params[i].type, equals + 1))
		return refuse(info, err, "not allowed as a value:", equals + 1);
	values[i] = equals + 1;
	return true;
}

bool params_check(const struct action_info *info, const char *text, char params[PARAMS_MAX_BYTES],
	struct err *err)
{
	char copy[PARAMS_MAX_BYTES], *save = NULL, *values[PARAMS_MAX] = {NULL};
	params[0] = '\0';
	if (!STR_SET(copy, text))
		return refuse(info, err, "too long:", text);
	for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
		if (!take(info, word, values, err))
			return false;
	for (int i = 0; info->params != NULL && info->params[i].name != NULL; i++) {
		if (values[i] == NULL && info->params[i].required)
			return refuse(info, err, "missing:", info->params[i].name);
		if (values[i] != NULL)
			str_format(params + strlen(params), PARAMS_MAX_BYTES - strlen(params), "%s%s=%s",
				params[0] != '\0' ? " " : "", info->params[i].name, values[i]);
	}
	return true;
}

bool params_get(const char *params, const char *name, char *value, size_t size)
{
	size_t length = strlen(name);
	value[0] = '\0';
	for (const char *at = params; *at != '\0'; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");
		if (word > length && strncmp(at, name, length) == 0 && at[length] == '=') {
			str_format(value, size, "%.*s", (int)(word - length - 1), at + length + 1);
			return true;
		}
		at += word;
	}
	return false;
}

int params_number(const char *params, const char *name, int otherwise)
{
	char value[16];
	return params_get(params, name, value, sizeof(value)) ? (int)strtol(value, NULL, 10)
														  : otherwise;
}

/* What a {name} of a title stands for. */
static void expand(const char *name, const struct component *component, const char *params,
	char *text, size_t size)
{
	const char *slash = strchr(component->native, '/');
	if (strcmp(name, "label") == 0)
		str_copy(text, size, component->label);
	else if (strcmp(name, "guest") == 0 && slash != NULL)
		str_format(
			text, size, "%.*s %s", (int)(slash - component->native), component->native, slash + 1);
	else if (strcmp(name, "id") == 0 && slash != NULL)
		str_copy(text, size, slash + 1);
	else
		params_get(params, name, text, size);
}

void plan_title(const struct action_info *info, const struct component *component,
	const char *params, char *title, size_t size)
{
	if (strchr(info->title, '{') == NULL) {
		str_format(title, size, "%s '%s'", info->title, component->label);
		return;
	}
	title[0] = '\0';
	for (const char *at = info->title; *at != '\0';) {
		size_t plain = strcspn(at, "{"), used = strlen(title);
		str_format(title + used, size - used, "%.*s", (int)plain, at);
		at += plain;
		if (*at != '{')
			continue;
		char name[32], text[NAME_MAX_BYTES];
		size_t length = strcspn(at, "}");
		str_format(name, sizeof(name), "%.*s", (int)length - 1, at + 1);
		expand(name, component, params, text, sizeof(text));
		used = strlen(title);
		str_format(title + used, size - used, "%s", text);
		at += length + (at[length] == '}');
	}
}
