/* Who asks: tokens and tickets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_world.h"

#define TICKET_LIFE_S 7200

struct pve_account *pve_account_find(struct sim_proxmox *sim, const char *id)
{
	for (int i = 0; i < sim->account_count; i++)
		if (strcmp(sim->accounts[i].id, id) == 0)
			return &sim->accounts[i];
	return NULL;
}

/* "PVEAuthCookie=PVE:root@pam:6B04A881::sim", percent-encoded or not. False: there is none. */
static bool cookie_ticket(const char *cookie, char *ticket, size_t size)
{
	const char *at = cookie != NULL ? strstr(cookie, "PVEAuthCookie=") : NULL;
	size_t n = 0;
	if (at == NULL)
		return false;
	for (at += strlen("PVEAuthCookie="); *at != '\0' && *at != ';' && n + 1 < size; at++) {
		unsigned code;
		if (*at == '%' && sscanf(at + 1, "%2x", &code) == 1) {
			ticket[n++] = (char)code;
			at += 2;
		} else {
			ticket[n++] = *at;
		}
	}
	ticket[n] = '\0';
	return true;
}

static const char *by_ticket(struct sim_proxmox *sim, const struct sim_pve_request *request,
	const char *ticket, struct pve_who *who)
{
	unsigned at = 0;
	char user[80] = "", csrf[24];
	if (sscanf(ticket, "PVE:%79[^:]:%8X::sim", user, &at) != 2 || !str_ends(ticket, "::sim"))
		return "permission denied - invalid PVE ticket";
	const struct pve_account *account = pve_account_find(sim, user);
	int64_t age_s = sim->now_ms / 1000 - (int64_t)at;
	if (account == NULL || account->disabled || age_s > TICKET_LIFE_S || age_s < -300)
		return "permission denied - invalid PVE ticket";
	STR_FORMAT(csrf, "%08X:sim", at);
	if (strcmp(request->method, "GET") != 0 &&
		(request->csrf == NULL || strcmp(request->csrf, csrf) != 0))
		return "Permission denied - invalid csrf token";
	STR_SET(who->id, user);
	who->account = account;
	who->by_ticket = true;
	return NULL;
}

static const char *by_token(struct sim_proxmox *sim, const char *value, struct pve_who *who)
{
	char id[80], user[80];
	const char *equals = strchr(value, '=');
	const char *bang = strchr(value, '!');
	if (equals == NULL || bang == NULL || bang > equals)
		return "Authentication failed!";
	str_copy(id,
		(size_t)(equals - value) + 1 < sizeof(id) ? (size_t)(equals - value) + 1 : sizeof(id),
		value);
	str_copy(user,
		(size_t)(bang - value) + 1 < sizeof(user) ? (size_t)(bang - value) + 1 : sizeof(user),
		value);
	const struct pve_account *token = pve_account_find(sim, id);
	const struct pve_account *owner = pve_account_find(sim, user);
	if (token == NULL || owner == NULL || strcmp(token->secret, equals + 1) != 0 ||
		token->disabled || token->expired || owner->disabled || owner->expired)
		return "Authentication failed!";
	STR_SET(who->id, id);
	who->account = token;
	return NULL;
}

const char *pve_authenticate(
	struct sim_proxmox *sim, const struct sim_pve_request *request, struct pve_who *who)
{
	char ticket[256];
	const char *value = request->authorization;
	if (cookie_ticket(request->cookie, ticket, sizeof(ticket)) ||
		cookie_ticket(value, ticket, sizeof(ticket)))
		return by_ticket(sim, request, ticket, who);
	if (value == NULL || !str_starts(value, "PVEAPIToken"))
		return "No ticket";
	value += strlen("PVEAPIToken");
	if (*value != '=' && *value != ' ')
		return "No ticket";
	return by_token(sim, value + 1, who);
}
