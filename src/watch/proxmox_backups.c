/*
 * Backups: of each guest that a job covers, or that is critical, whether the last one worked and
 * is as new as its schedule promises. What cannot be seen is not missing.
 */
#include <string.h>

#include "base/str.h"
#include "client/proxmox_backup.h"
#include "watch/proxmox_see.h"

static void word_late(const struct proxmox_backed *backed, struct observation *what)
{
	char when[24];
	what->fault = FAULT_WARNING;
	if (backed->taken_s > 0) {
		str_utc(when, backed->taken_s * 1000);
		if (backed->job != NULL)
			STR_FORMAT(what->detail, "the last is of %s, and job %.40s is to run %.60s", when,
				backed->job->id, backed->job->schedule);
		else
			STR_FORMAT(what->detail, "the last is of %s, and no job covers it", when);
	} else if (backed->job != NULL) {
		STR_FORMAT(what->detail, "there is none, and job %.40s is to run %.60s", backed->job->id,
			backed->job->schedule);
	} else {
		STR_SET(what->detail, "there is none, and no job covers it");
	}
}

static void judge(struct prox_seen *seen, const struct proxmox_survey *survey,
	const struct proxmox_backed *backed, struct observation *what)
{
	bool blind = survey->blind[0] != '\0';
	what->state = OBS_RUNNING;
	if (backed->lost || !seen->quorate) {
		what->state = OBS_UNKNOWN;
	} else if (proxmox_backup_failed(backed)) {
		char when[24];
		str_utc(when, backed->tried_s * 1000);
		what->fault = FAULT_FAILED;
		STR_FORMAT(what->detail, "the last one, of %s, failed: %.160s", when, backed->tried_text);
	} else if (backed->verify_failed) {
		what->fault = FAULT_WARNING;
		STR_SET(what->detail, "the newest one failed its verification");
	} else if (proxmox_backup_late(backed, seen->wall_ms / 1000)) {
		if (blind)
			what->state = OBS_UNKNOWN;
		else
			word_late(backed, what);
	}
}

static void name_backup(
	const struct prox_seen *seen, const struct proxmox_backed *backed, struct component *component)
{
	char label[NAME_MAX_BYTES];
	const char *kind = backed->kind == PROXMOX_LXC ? "lxc" : "qemu";
	STR_FORMAT(label, "%s '%s' (ID: %d)", kind, backed->name, backed->vmid);
	*component = prox_component(seen, COMPONENT_BACKUP, label);
	STR_FORMAT(component->name, "backup_%d%s", backed->vmid, seen->source->context.suffix);
	STR_FORMAT(component->native, "backup/%d", backed->vmid);
}

/* A name that is not known while its node is lost: as it was. */
static void keep_label(const struct prox_seen *seen, struct component *component, bool lost)
{
	const struct prox_memo *memo = prox_memory_find(&seen->source->memory, component->name);
	if (lost && memo != NULL && memo->label != NULL)
		STR_SET(component->label, memo->label);
}

static void see_backup(struct prox_seen *seen, const struct proxmox_survey *survey,
	const struct proxmox_backed *backed)
{
	struct component component;
	bool critical = prox_is_critical(seen, backed->vmid);
	const struct proxmox_guest *guest = proxmox_guest_find(&seen->look, backed->vmid);
	name_backup(seen, backed, &component);
	bool known = prox_memory_find(&seen->source->memory, component.name) != NULL;
	bool unsure = !survey->jobs_known && known;
	if (backed->template || (backed->job_count == 0 && !critical && !unsure))
		return;
	keep_label(seen, &component, backed->lost);
	component.critical = critical;
	component.ignored = guest != NULL && proxmox_list_has(guest->tags, "homeostat-ignore");
	struct prox_memo *memo = prox_remember(seen, &component);
	struct observation what = observation_of(&component, ASPECT_STATE);
	STR_SET(what.held, prox_held(seen));
	if (unsure && backed->job_count == 0)
		what.state = OBS_UNKNOWN;
	else
		judge(seen, survey, backed, &what);
	prox_tell(seen, memo, &what);
}

static void tell_remembered(struct prox_seen *seen, struct prox_memo *memo, enum obs_state state)
{
	struct component component = prox_component(seen, COMPONENT_BACKUP, memo->label);
	STR_SET(component.name, memo->name);
	STR_SET(component.native, memo->native);
	struct observation what = observation_of(&component, ASPECT_STATE);
	what.state = state;
	prox_tell(seen, memo, &what);
}

/* Those that no job covers any more. */
static void forget_uncovered(struct prox_seen *seen)
{
	struct prox_memory *memory = &seen->source->memory;
	for (int i = 0; i < memory->count; i++) {
		struct prox_memo *memo = &memory->memos[i];
		if (memo->kind != COMPONENT_BACKUP || memo->seen == seen->source->looks)
			continue;
		memo->gone = !prox_is_hidden(seen, memo);
		tell_remembered(seen, memo, memo->gone ? OBS_ABSENT : OBS_UNKNOWN);
	}
}

static void tell_unknown(struct prox_seen *seen)
{
	struct prox_memory *memory = &seen->source->memory;
	for (int i = 0; i < memory->count; i++)
		if (memory->memos[i].kind == COMPONENT_BACKUP)
			tell_remembered(seen, &memory->memos[i], OBS_UNKNOWN);
}

void prox_see_backups(struct prox_seen *seen)
{
	struct proxmox_survey survey;
	struct err why = {0};
	const struct proxmox_source *source = seen->source;
	if (!proxmox_survey(source->client, &seen->look,
			source->context.config->thresholds.backup_grace_ms, seen->scratch, &survey, &why)) {
		prox_note(seen, &why);
		tell_unknown(seen);
		return;
	}
	for (int i = 0; i < survey.guest_count; i++)
		see_backup(seen, &survey, &survey.guests[i]);
	forget_uncovered(seen);
}
