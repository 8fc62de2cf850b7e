/* Who we are: an API token in a header, or a ticket that is renewed in time. */
#include "client/proxmox_internal.h"

#include <string.h>

#include "base/str.h"

/* A ticket is good for 2 hours; half of it leaves time for a server that does not answer. */
#define TICKET_RENEW_MS ((int64_t)60 * 60 * 1000)
#define TICKET_GOOD_MS ((int64_t)2 * 60 * 60 * 1000 - 60 * 1000)
#define TICKET_PATH "/api2/json/access/ticket"

char *proxmox_form(const struct proxmox_param *params, struct arena *arena)
{
	struct str form;
	str_init(&form, arena);
	for (; params != NULL && params->name != NULL; params++) {
		char *value = http_encode(arena, params->value);
		if (value == NULL)
			return NULL;
		str_addf(&form, "%s%s=%s", form.len > 0 ? "&" : "", params->name, value);
	}
	return form.full ? NULL : arena_strndup(arena, form.s != NULL ? form.s : "", form.len);
}

static bool take_ticket(
	struct proxmox *proxmox, const struct http_reply *reply, struct arena *arena, struct err *err)
{
	struct json data;
	if (!proxmox_data(reply->body, reply->body_bytes, arena, &data, err))
		return err_prefix(err, "%s: POST /access/ticket", proxmox->name);
	if (json_is(json_get(data, "NeedTFA")) && json_bool(json_get(data, "NeedTFA"), true))
		return err_set(err, ERR_DENIED,
			"%s: user %s has a second factor, which nobody could type here: use an API token "
			"(token_id: and token_secret:)",
			proxmox->name, proxmox->config.user);
	json_copy(json_get(data, "ticket"), proxmox->ticket, sizeof(proxmox->ticket));
	json_copy(json_get(data, "CSRFPreventionToken"), proxmox->csrf, sizeof(proxmox->csrf));
	bool whole = strpbrk(proxmox->ticket, "\r\n;") == NULL &&
		strpbrk(proxmox->csrf, "\r\n") == NULL && proxmox->ticket[0] != '\0';
	if (!whole) {
		proxmox->ticket[0] = '\0';
		return err_set(
			err, ERR_INPUT, "%s: POST /access/ticket: the answer holds no ticket", proxmox->name);
	}
	proxmox->ticket_at = clock_mono_ms(proxmox->clock);
	return true;
}

static bool ask_ticket(
	struct proxmox *proxmox, const char *password, struct arena *arena, struct err *err)
{
	static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
	const struct proxmox_param params[] = {
		{"username", proxmox->config.user}, {"password", password}, {NULL, NULL}};
	char *form = proxmox_form(params, arena);
	if (form == NULL)
		return err_set(err, ERR_INPUT, "%s: password: too long", proxmox->name);
	struct http_request request = {.method = "POST",
		.path = TICKET_PATH,
		.body = form,
		.body_bytes = strlen(form),
		.headers = headers,
		.timeout_ms = PROXMOX_TIMEOUT_MS,
		.limit_bytes = (size_t)256 * 1024};
	const struct proxmox_question question = {.method = "POST", .path = "/access/ticket"};
	struct http_reply reply;
	if (!proxmox_exchange(proxmox, &request, arena, &reply, err))
		return false;
	if (reply.status < 200 || reply.status > 299)
		return proxmox_refused(proxmox, &question, &reply, arena, err);
	return take_ticket(proxmox, &reply, arena, err);
}

/* A ticket that is still good stands in for the password; what is left of it is used when even that
 * cannot be asked now. */
static bool renew(struct proxmox *proxmox, struct arena *arena, struct err *err)
{
	int64_t age = clock_mono_ms(proxmox->clock) - proxmox->ticket_at;
	bool good = proxmox->ticket[0] != '\0' && age < TICKET_GOOD_MS;
	if (good && age < TICKET_RENEW_MS)
		return true;
	if (good) {
		struct err why = {0};
		const char *old = arena_strdup(arena, proxmox->ticket);
		if (ask_ticket(proxmox, old, arena, &why))
			return true;
		if (why.kind != ERR_DENIED)
			return str_copy(proxmox->ticket, sizeof(proxmox->ticket), old);
	}
	proxmox->ticket[0] = '\0';
	return ask_ticket(proxmox, proxmox->config.password, arena, err);
}

bool proxmox_login(struct proxmox *proxmox, bool changes, struct arena *arena,
	const char *headers[PROXMOX_HEADERS_MAX], struct err *err)
{
	int n = 0;
	if (proxmox->token != NULL) {
		headers[n++] = proxmox->token;
	} else {
		if (!renew(proxmox, arena, err))
			return false;
		headers[n++] = arena_printf(arena, "Cookie: PVEAuthCookie=%s", proxmox->ticket);
		if (changes)
			headers[n++] = arena_printf(arena, "CSRFPreventionToken: %s", proxmox->csrf);
	}
	if (changes)
		headers[n++] = "Content-Type: application/x-www-form-urlencoded";
	headers[n] = NULL;
	return true;
}

bool proxmox_login_again(struct proxmox *proxmox)
{
	if (proxmox->token != NULL || proxmox->ticket[0] == '\0')
		return false;
	proxmox->ticket[0] = '\0';
	return true;
}
