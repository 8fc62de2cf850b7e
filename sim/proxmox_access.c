/* Logins, permissions as the API tells them, and the configuration of guests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/proxmox_world.h"

static void domains(struct pve_call *call)
{
	pve_raw(call,
		"[{\"realm\":\"pam\",\"type\":\"pam\",\"comment\":\"Linux PAM standard authentication\"},"
		"{\"realm\":\"pve\",\"type\":\"pve\",\"comment\":\"Proxmox VE authentication server\"}]");
}

static void login_page(struct pve_call *call)
{
	pve_raw(call, "null");
}

static void login(struct pve_call *call)
{
	struct sim_proxmox *sim = call->sim;
	char user[80], text[128];
	const char *name = pve_arg(call, "username"), *realm = pve_arg(call, "realm");
	const char *password = pve_arg(call, "password");
	STR_FORMAT(user, "%s%s%s", name, realm != NULL ? "@" : "", realm != NULL ? realm : "");
	const struct pve_account *account = pve_account_find(sim, user);
	/* A ticket renews itself as a password. */
	STR_FORMAT(text, "PVE:%s:", user);
	bool renews = str_starts(password, text) && str_ends(password, "::sim") &&
		sim->now_ms / 1000 - strtoll(password + strlen(text), NULL, 16) <= 7200;
	if (account == NULL || account->is_token || account->disabled ||
		(!renews && strcmp(account->secret, password) != 0)) {
		pve_bare(call, 401, "authentication failure", 3000);
		return;
	}
	unsigned now_s = (unsigned)(sim->now_ms / 1000);
	struct json_out *out = pve_begin(call, '{');
	STR_FORMAT(text, "PVE:%s:%08X::sim", user, now_s);
	json_put_str(out, "username", user);
	json_put_str(out, "ticket", text);
	STR_FORMAT(text, "%08X:sim", now_s);
	json_put_str(out, "CSRFPreventionToken", text);
	json_put_str(out, "clustername", sim->cluster);
	json_put_raw(out, "cap", "{}");
	pve_end(call, '}');
}

static void put_rights(
	struct pve_call *call, struct json_out *out, const char *who, const char *path)
{
	struct pve_rights rights = pve_rights(call->sim, who, path);
	json_open(out, path, '{');
	for (int i = 0; pve_privilege_name(call->sim, i) != NULL; i++) {
		uint64_t bit = pve_privilege(pve_privilege_name(call->sim, i));
		if ((rights.all & bit) != 0)
			json_put_int(out, pve_privilege_name(call->sim, i), (rights.below & bit) != 0);
	}
	json_close(out, '}');
}

/* The usual paths, those of the ACL and those of pools' guests; without rights there: left out. */
static void put_all_rights(struct pve_call *call, struct json_out *out, const char *who)
{
	static const char *const usual[] = {
		"/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"};
	const struct sim_proxmox *sim = call->sim;
	int most = 8 + sim->acl_count + sim->guest_count, count = 0;
	const char **paths = arena_alloc(call->arena, (size_t)most * sizeof(*paths));
	for (int i = 0; i < most; i++) {
		const struct pve_guest *guest = i >= 8 + sim->acl_count
			? &sim->guests[i - 8 - sim->acl_count]
			: NULL;
		const char *path = guest != NULL ? arena_printf(call->arena, "/vms/%d", guest->vmid)
			: i < 8                      ? usual[i]
										 : sim->acls[i - 8].path;
		bool again = guest != NULL && guest->pool[0] == '\0';
		for (int n = 0; n < count && !again; n++)
			again = strcmp(paths[n], path) == 0;
		if (again)
			continue;
		paths[count++] = path;
		if (pve_rights(sim, who, path).all != 0)
			put_rights(call, out, who, path);
	}
}

static void permissions(struct pve_call *call)
{
	const char *path = pve_arg(call, "path"), *who = pve_arg(call, "userid");
	size_t length = strlen(call->who.id);
	bool is_own = who == NULL || strcmp(who, call->who.id) == 0 ||
		(strncmp(who, call->who.id, length) == 0 && who[length] == '!');
	if (!is_own && !pve_demand(call, "/access", "Sys.Audit"))
		return;
	who = who != NULL ? who : call->who.id;
	struct json_out *out = pve_begin(call, '{');
	if (path != NULL)
		put_rights(call, out, who, path);
	else
		put_all_rights(call, out, who);
	pve_end(call, '}');
}

static void put_config(struct json_out *out, const struct pve_guest *guest)
{
	char text[96];
	json_put_str(out, "digest", "ab0635d784619c32c5b7877b6e0cbc6256f092ab");
	json_put_int(out, "cores", guest->cores);
	if (guest->tags[0] != '\0')
		json_put_str(out, "tags", guest->tags);
	if (guest->lock[0] != '\0')
		json_put_str(out, "lock", guest->lock);
	if (guest->onboot)
		json_put_int(out, "onboot", 1);
	if (guest->template)
		json_put_int(out, "template", 1);
	if (guest->description[0] != '\0')
		json_put_str(out, "description", guest->description);
	if (guest->is_ct) {
		json_put_str(out, "hostname", guest->name);
		json_put_int(out, "memory", guest->mem >> 20);
		json_put_int(out, "swap", 0);
		json_put_str(out, "arch", "amd64");
		json_put_str(out, "ostype", "debian");
		STR_FORMAT(text, "local:%d/subvol-%d-disk-0.subvol,size=4G", guest->vmid, guest->vmid);
		json_put_str(out, "rootfs", text);
	} else {
		json_put_str(out, "name", guest->name);
		STR_FORMAT(text, "%lld", (long long)(guest->mem >> 20));
		json_put_str(out, "memory", text);
		json_put_str(out, "ostype", "l26");
		json_put_str(out, "boot", "order=scsi0");
		json_put_str(out, "scsihw", "virtio-scsi-pci");
		STR_FORMAT(text, "local:%d/vm-%d-disk-0.qcow2,size=1G", guest->vmid, guest->vmid);
		json_put_str(out, "scsi0", text);
		if (guest->agent != PVE_AGENT_NONE)
			json_put_str(out, "agent", "1");
	}
}

static void config(struct pve_call *call)
{
	const struct pve_guest *guest = pve_guest_here(call);
	if (guest == NULL)
		return;
	put_config(pve_begin(call, '{'), guest);
	pve_end(call, '}');
}

static void set_config(struct pve_call *call)
{
	struct pve_guest *guest = pve_guest_here(call);
	if (guest == NULL)
		return;
	if (guest->lock[0] != '\0') {
		pve_fail(call, 500, "%s is locked (%s)", guest->is_ct ? "CT" : "VM", guest->lock);
		return;
	}
	if (!pve_quorate(call->sim, call->node)) {
		pve_fail(call, 500,
			"unable to open file '/etc/pve/nodes/%s/%s/%d.conf.tmp.101' - Permission denied",
			call->sim->nodes[call->node].name, guest->is_ct ? "lxc" : "qemu-server", guest->vmid);
		return;
	}
	if (pve_arg(call, "tags") != NULL)
		STR_SET(guest->tags, pve_arg(call, "tags"));
	if (pve_arg(call, "description") != NULL)
		STR_SET(guest->description, pve_arg(call, "description"));
	if (pve_arg(call, "onboot") != NULL)
		guest->onboot = pve_flag(call, "onboot");
	pve_raw(call, "null");
}

#define END \
	{ \
		NULL, 0, false, NULL, 0, 0 \
	}
static const struct pve_rule login_rules[] = {{"username", 's', true, NULL, 0, 64},
	{"password", 's', true, NULL, 0, 0}, {"realm", 's', false, NULL, 0, 32},
	{"otp", 's', false, NULL, 0, 0}, {"new-format", 'b', false, NULL, 0, 0},
	{"tfa-challenge", 's', false, NULL, 0, 0}, END};
static const struct pve_rule permission_rules[] = {
	{"path", 's', false, NULL, 0, 0}, {"userid", 's', false, NULL, 0, 0}, END};
static const struct pve_rule config_rules[] = {
	{"current", 'b', false, NULL, 0, 0}, {"snapshot", 's', false, "configid", 0, 40}, END};
static const struct pve_rule set_rules[] = {{"description", 's', false, NULL, 0, 8192},
	{"tags", 's', false, NULL, 0, 0}, {"onboot", 'b', false, NULL, 0, 0},
	{"digest", 's', false, NULL, 0, 40}, {"protection", 'b', false, NULL, 0, 0}, END};

const struct pve_route pve_routes_access[] = {
	{"GET", "/access/domains", NULL, false, false, NULL, domains},
	{"GET", "/access/ticket", NULL, false, false, NULL, login_page},
	{"POST", "/access/ticket", NULL, true, false, login_rules, login},
	{"GET", "/access/permissions", NULL, false, false, permission_rules, permissions},
	{NULL, NULL, NULL, false, false, NULL, NULL},
};

#define C "/vms/{vmid} VM.Config.Options|VM.Config.Disk|VM.Config.CPU|VM.Config.Memory"
const struct pve_route pve_routes_config[] = {
	{"GET", "/nodes/{node}/qemu/{vmid}/config", "/vms/{vmid} VM.Audit", false, true, config_rules,
		config},
	{"GET", "/nodes/{node}/lxc/{vmid}/config", "/vms/{vmid} VM.Audit", false, true, config_rules,
		config},
	{"PUT", "/nodes/{node}/qemu/{vmid}/config", C, true, true, set_rules, set_config},
	{"PUT", "/nodes/{node}/lxc/{vmid}/config", C, true, true, set_rules, set_config},
	{NULL, NULL, NULL, false, false, NULL, NULL},
};
