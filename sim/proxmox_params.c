/* Parameters, as strict as the real server: by the schema's rules, before anything is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_world.h"

static const struct pve_rule path_rules[] = {
	{"node", 's', true, "node", 0, 0},
	{"userid", 's', true, NULL, 0, 64},
	{"vmid", 'i', true, "vmid", 100, 999999999},
	{"storage", 's', true, "storage", 0, 0},
	{"service", 's', true,
		"enum chrony, corosync, cron, ksmtuned, lxcfs, postfix, proxmox-firewall, pve-cluster, "
		"pve-firewall, pve-ha-crm, pve-ha-lrm, pve-lxc-syscalld, pvedaemon, pvefw-logger, "
		"pveproxy, pvescheduler, pvestatd, qmeventd, spiceproxy, sshd, syslog, systemd-journald, "
		"systemd-timesyncd",
		0, 0},
	{"upid", 's', true, "upid", 0, 0},
	{"snapname", 's', true, "configid", 0, 40},
	{NULL, 0, false, NULL, 0, 0},
};

struct errors {
	struct pve_call *call;
	struct str str;
	struct json_out out;
	int count;
};

static void add_error(struct errors *errors, const char *name, const char *text)
{
	if (errors->count++ == 0) {
		str_init(&errors->str, errors->call->arena);
		json_begin(&errors->out, &errors->str);
		json_open(&errors->out, NULL, '{');
	}
	json_put_str(&errors->out, name, text);
}

static bool is_integer(const char *text)
{
	const char *at = text + (*text == '-' || *text == '+');
	return *at != '\0' && strspn(at, "0123456789") == strlen(at);
}

static bool is_boolean(const char *text)
{
	static const char *const known[] = {"0", "1", "true", "false", "yes", "no", "on", "off"};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(text, known[i]) == 0)
			return true;
	return false;
}

/* A letter, then at least one of letters, digits, '_' and '-' (and more, for storages). */
static bool is_id(const char *text, const char *more)
{
	size_t length = strlen(text);
	if (length < 2 || strchr("abcdefghijklmnopqrstuvwxyz", text[0] | 32) == NULL)
		return false;
	for (const char *c = text; *c != '\0'; c++)
		if (strchr("abcdefghijklmnopqrstuvwxyz", *c | 32) == NULL &&
			strchr("0123456789_-", *c) == NULL && strchr(more, *c) == NULL)
			return false;
	return true;
}

static bool in_enum(const char *list, const char *value)
{
	size_t length = strlen(value);
	for (const char *at = list; at != NULL && *at != '\0';) {
		size_t size = strcspn(at, ",");
		if (size == length && strncmp(at, value, length) == 0)
			return true;
		at = at[size] == ',' ? at + size + 1 + (at[size + 1] == ' ') : NULL;
	}
	return false;
}

static bool is_upid(const char *text)
{
	char node[64], type[64];
	unsigned pid, pstart, start;
	int used = 0;
	return sscanf(text, "UPID:%63[a-zA-Z0-9-]:%8x:%9x:%8x:%63[^:]:%n", node, &pid, &pstart, &start,
			   type, &used) == 5 &&
		used > 0 && text[used] != '\0' && str_ends(text, ":");
}

/* A list of guests: each an id, or "all" is not one. */
static bool is_vmids(const char *text)
{
	return *text != '\0' && strspn(text, "0123456789,; ") == strlen(text);
}

/* NULL, or what is wrong with a value of this format. */
static const char *check_format(
	struct pve_call *call, const struct pve_rule *rule, const char *value)
{
	const char *check = rule->check;
	if (check == NULL)
		return NULL;
	if (str_starts(check, "enum "))
		return in_enum(check + 5, value)
			? NULL
			: arena_printf(call->arena, "value '%s' does not have a value in the enumeration '%s'",
				  value, check + 5);
	if (strcmp(check, "configid") == 0 && !is_id(value, ""))
		return arena_printf(call->arena, "invalid format - invalid configuration ID '%s'\n", value);
	if (strcmp(check, "storage") == 0 && !is_id(value, "."))
		return arena_printf(
			call->arena, "invalid format - storage ID '%s' contains illegal characters\n", value);
	if (strcmp(check, "upid") == 0 && !is_upid(value))
		return "unable to parse worker upid";
	if (strcmp(check, "vmids") == 0 && !is_vmids(value))
		return arena_printf(
			call->arena, "invalid format - type check ('integer') failed - got '%s'\n", value);
	if (strcmp(check, "dev") == 0 && !str_starts(value, "/dev/"))
		return "value does not match the regex pattern";
	return NULL;
}

static const char *check_value(
	struct pve_call *call, const struct pve_rule *rule, const char *value)
{
	if (rule->type == 'i' && !is_integer(value))
		return arena_printf(call->arena, "type check ('integer') failed - got '%s'", value);
	if (rule->type == 'b' && !is_boolean(value))
		return arena_printf(call->arena, "type check ('boolean') failed - got '%s'", value);
	if (rule->type == 'i') {
		long long number = strtoll(value, NULL, 10);
		if (number < rule->min && rule->max >= 0)
			return arena_printf(
				call->arena, "value must have a minimum value of %lld", (long long)rule->min);
		if (rule->max > 0 && number > rule->max)
			return arena_printf(
				call->arena, "value must have a maximum value of %lld", (long long)rule->max);
	}
	const char *wrong = check_format(call, rule, value);
	if (wrong == NULL && rule->type == 's' && rule->max > 0 && (int64_t)strlen(value) > rule->max)
		return arena_printf(
			call->arena, "value may only be %lld characters long", (long long)rule->max);
	return wrong;
}

static const struct pve_rule *find_rule(const struct pve_rule *rules, const char *name)
{
	for (; rules != NULL && rules->name != NULL; rules++)
		if (strcmp(rules->name, name) == 0)
			return rules;
	return NULL;
}

static void check_given(struct errors *errors, const struct pve_rule *rules)
{
	struct pve_call *call = errors->call;
	for (int i = 0; i < call->param_count; i++) {
		const struct pve_param *param = &call->params[i];
		const struct pve_rule *rule = find_rule(param->is_path ? path_rules : rules, param->name);
		const char *wrong = rule == NULL
			? "property is not defined in schema and the schema does not allow additional "
			  "properties"
			: check_value(call, rule, param->value);
		if (wrong != NULL)
			add_error(errors, param->name, wrong);
	}
}

static void answer(struct errors *errors)
{
	struct pve_call *call = errors->call;
	struct str str;
	struct json_out out;
	json_close(&errors->out, '}');
	str_init(&str, call->arena);
	json_begin(&out, &str);
	json_open(&out, NULL, '{');
	json_put_raw(&out, "data", "null");
	json_put_str(&out, "message", "Parameter verification failed.\n");
	json_put_raw(&out, "errors", errors->str.s);
	json_close(&out, '}');
	call->reply->status = 400;
	STR_SET(call->reply->reason, "Parameter verification failed.");
	call->reply->body = str.s;
	call->answered = true;
}

bool pve_check_params(struct pve_call *call)
{
	struct errors errors = {.call = call};
	const struct pve_rule *rules = call->route->rules;
	check_given(&errors, rules);
	for (const struct pve_rule *rule = rules; rule != NULL && rule->name != NULL; rule++)
		if (rule->required && pve_arg(call, rule->name) == NULL)
			add_error(&errors, rule->name, "property is missing and it is not optional");
	if (errors.count == 0)
		return true;
	answer(&errors);
	return false;
}

void pve_bad_param(struct pve_call *call, const char *name, const char *text)
{
	struct errors errors = {.call = call};
	add_error(&errors, name, text);
	answer(&errors);
}
