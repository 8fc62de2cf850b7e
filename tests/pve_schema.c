#include "tests/pve_schema.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <jansson.h>

#include "base/str.h"

#define FILE_NAME SOURCE_ROOT "/../shared/data/pve/api-schema-9.2.json"
#define PARAMS_MAX 64

struct param {
	char name[64], value[8192];
};
struct question {
	char path[1024];
	struct param params[PARAMS_MAX];
	int count;
	char *text;
	size_t size;
};

static json_t *schema;
static int judged;

bool pve_schema_is_there(void)
{
	return access(FILE_NAME, R_OK) == 0;
}

int pve_schema_judged(void)
{
	return judged;
}

void pve_schema_free(void)
{
	json_decref(schema);
	schema = NULL;
}

static bool wrong(struct question *question, const char *name, const char *what)
{
	str_format(question->text, question->size, "%s: %s", name, what);
	return false;
}

static void decode(char *field, size_t size, const char *from, size_t length, bool plus)
{
	size_t n = 0;
	for (size_t i = 0; i < length && n + 1 < size; i++) {
		char hex[3] = {0};
		field[n] = plus && from[i] == '+' ? ' ' : from[i];
		if (from[i] == '%' && i + 2 < length) {
			memcpy(hex, from + i + 1, 2);
			field[n] = (char)strtol(hex, NULL, 16);
			i += 2;
		}
		n++;
	}
	field[n] = '\0';
}

static void add_form(struct question *question, const char *form)
{
	while (form != NULL && *form != '\0' && question->count < PARAMS_MAX) {
		size_t whole = strcspn(form, "&"), name = strcspn(form, "=&");
		struct param *param = &question->params[question->count++];
		decode(param->name, sizeof(param->name), form, name, true);
		param->value[0] = '\0';
		if (name < whole)
			decode(param->value, sizeof(param->value), form + name + 1, whole - name - 1, true);
		form += whole + (form[whole] == '&');
	}
}

/* "/nodes/{node}/qemu" and "/nodes/pve1/qemu"; placeholders become parameters when kept. */
static bool fits(struct question *question, const char *template, bool keep)
{
	const char *path = question->path;
	while (*template != '\0' && *path != '\0') {
		if (*template != '{') {
			if (*template ++ != *path++)
				return false;
			continue;
		}
		size_t name = strcspn(template, "}"), value = strcspn(path, "/");
		if (value == 0)
			return false;
		if (keep && question->count < PARAMS_MAX) {
			struct param *param = &question->params[question->count++];
			decode(param->name, sizeof(param->name), template + 1, name - 1, false);
			decode(param->value, sizeof(param->value), path, value, false);
		}
		template += name + 1;
		path += value;
	}
	return *template == '\0' && *path == '\0';
}

/* The call's description; a template without placeholders is the better of two. */
static json_t *find(struct question *question, const char *method)
{
	const char *template, *best = NULL;
	json_t *methods;
	json_object_foreach(json_object_get(schema, "paths"), template, methods)
	{
		if (json_object_get(methods, method) == NULL || !fits(question, template, false))
			continue;
		if (best == NULL || strchr(template, '{') == NULL)
			best = template;
	}
	if (best == NULL)
		return NULL;
	fits(question, best, true);
	return json_object_get(json_object_get(json_object_get(schema, "paths"), best), method);
}

static bool is_number(const char *value, bool whole)
{
	char *end = NULL;
	if (*value == '\0' ||
		strspn(value, whole ? "+-0123456789" : "+-.0123456789eE") != strlen(value))
		return false;
	if (whole)
		strtoll(value, &end, 10);
	else
		strtod(value, &end);
	return *end == '\0';
}

static bool is_one_of(const char *value, const char *const *words)
{
	while (*words != NULL && strcasecmp(value, *words) != 0)
		words++;
	return *words != NULL;
}

/* Perl's own as POSIX has them: groups are printed as (?^:…) and (?:…); within brackets \s is a
 * class, a backslash before another character is nothing, and a dash that is meant goes last. */
static void to_posix(const char *pattern, char *posix, size_t size)
{
	bool in_brackets = false, has_dash = false;
	size_t n = (size_t)snprintf(posix, size, "^(");
	while (*pattern != '\0' && n + 16 < size) {
		if (str_starts(pattern, "(?^:") || str_starts(pattern, "(?:")) {
			posix[n++] = '(';
			pattern += strcspn(pattern, ":") + 1;
		} else if (in_brackets && str_starts(pattern, "\\s")) {
			n += (size_t)snprintf(posix + n, size - n, "[:space:]");
			pattern += 2;
		} else if (in_brackets && str_starts(pattern, "\\-")) {
			has_dash = true;
			pattern += 2;
		} else {
			if (*pattern == ']' && has_dash)
				posix[n++] = '-';
			has_dash = has_dash && *pattern != ']';
			pattern += in_brackets && *pattern == '\\';
			in_brackets = *pattern == '[' || (in_brackets && *pattern != ']');
			posix[n++] = *pattern++;
		}
	}
	snprintf(posix + n, size - n, ")$");
}

static bool matches(const char *pattern, const char *value)
{
	char posix[2048];
	regex_t regex;
	to_posix(pattern, posix, sizeof(posix));
	if (regcomp(&regex, posix, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	bool ok = regexec(&regex, value, 0, NULL, 0) == 0;
	regfree(&regex);
	return ok;
}

/* The formats of what we send; one that is not known here is not judged. */
static bool is_of_format(const char *format, const char *value)
{
	static const struct {
		const char *name, *pattern;
	} formats[] = {
		{"pve-node", "[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?"},
		{"pve-vmid", "[1-9][0-9]{2,8}"},
		{"pve-configid", "[a-zA-Z][a-zA-Z0-9_-]+"},
		{"pve-storage-id", "[a-zA-Z][a-zA-Z0-9_.-]*[a-zA-Z0-9]"},
		{"pve-userid", "[^:/ \t]+@[A-Za-z][A-Za-z0-9._-]+"},
	};
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, format) == 0)
			return matches(formats[i].pattern, value);
	return true;
}

static bool in_limits(json_t *rule, double number, const char *least, const char *most)
{
	json_t *min = json_object_get(rule, least), *max = json_object_get(rule, most);
	return (min == NULL || number >= json_number_value(min)) &&
		(max == NULL || number <= json_number_value(max));
}

static bool in_enum(json_t *words, const char *value)
{
	size_t i;
	json_t *word;
	if (words == NULL)
		return true;
	json_array_foreach(words, i, word) if (strcmp(json_string_value(word), value) == 0) return true;
	return false;
}

static bool judge_value(struct question *question, json_t *rule, const struct param *param)
{
	static const char *const booleans[] = {
		"0", "1", "yes", "no", "on", "off", "true", "false", NULL};
	const char *type = json_string_value(json_object_get(rule, "type"));
	const char *pattern = json_string_value(json_object_get(rule, "pattern"));
	const char *format = json_string_value(json_object_get(rule, "format"));
	const char *value = param->value;
	bool whole = str_equal(type, "integer"), number = whole || str_equal(type, "number");
	if (number && !is_number(value, whole))
		return wrong(question, param->name, "is no number");
	if (str_equal(type, "boolean") && !is_one_of(value, booleans))
		return wrong(question, param->name, "is no boolean");
	if (number && !in_limits(rule, strtod(value, NULL), "minimum", "maximum"))
		return wrong(question, param->name, "is too small or too large");
	if (!number && !in_limits(rule, (double)strlen(value), "minLength", "maxLength"))
		return wrong(question, param->name, "is too short or too long");
	if (!in_enum(json_object_get(rule, "enum"), value))
		return wrong(question, param->name, "is not in the enumeration");
	if (pattern != NULL && !matches(pattern, value))
		return wrong(question, param->name, "does not match the pattern");
	if (format != NULL && !is_of_format(format, value))
		return wrong(question, param->name, "is not of its format");
	return true;
}

static bool is_given(const struct question *question, const char *name)
{
	for (int i = 0; i < question->count; i++)
		if (strcmp(question->params[i].name, name) == 0)
			return true;
	return false;
}

static bool judge(struct question *question, json_t *call)
{
	json_t *parameters = json_object_get(call, "parameters"), *rule;
	json_t *properties = json_object_get(parameters, "properties");
	const char *name;
	for (int i = 0; i < question->count; i++) {
		const struct param *param = &question->params[i];
		rule = json_object_get(properties, param->name);
		if (rule == NULL)
			return wrong(question, param->name, "is no parameter of this call");
		bool many = str_equal(json_string_value(json_object_get(rule, "type")), "array");
		if (!judge_value(question, many ? json_object_get(rule, "items") : rule, param))
			return false;
		for (int n = 0; n < i && !many; n++)
			if (strcmp(question->params[n].name, param->name) == 0)
				return wrong(question, param->name, "is given twice");
	}
	json_object_foreach(properties, name, rule)
	{
		if (!json_is_true(json_object_get(rule, "optional")) &&
			json_integer_value(json_object_get(rule, "optional")) != 1 && !is_given(question, name))
			return wrong(question, name, "is missing and not optional");
	}
	return true;
}

bool pve_schema_allows(const struct sim_pve_request *request, char *text, size_t size)
{
	static struct question question;
	const char *path = request->url;
	if (!pve_schema_is_there())
		return true;
	if (schema == NULL && (schema = json_load_file(FILE_NAME, 0, NULL)) == NULL)
		abort();
	judged++;
	question.text = text;
	question.size = size;
	question.count = 0;
	if (str_starts(path, "/api2/json"))
		path += strlen("/api2/json");
	str_format(question.path, sizeof(question.path), "%.*s", (int)strcspn(path, "?"), path);
	const char *query = strchr(path, '?');
	add_form(&question, query != NULL ? query + 1 : NULL);
	if (request->body != NULL &&
		str_equal(request->content_type, "application/x-www-form-urlencoded"))
		add_form(&question, request->body);
	else if (request->body != NULL)
		return wrong(&question, "Content-Type", "is not that of a form");
	json_t *call = find(&question, request->method);
	return call != NULL ? judge(&question, call) : wrong(&question, path, "no such call");
}
