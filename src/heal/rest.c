/*
 * What leaves a component alone for a time: a person who has muted it, or a maintenance window of
 * the configuration. Then nothing is done to it, asked or told about it that nobody has ordered.
 */
#include <string.h>

#include "base/str.h"
#include "heal/internal.h"

#define MINUTE_MS 60000

const struct mute *mute_of(const struct heal *heal, const char *component)
{
	for (int i = 0; i < heal->mute_count; i++)
		if (heal->mutes[i].until > now_ms(heal) && str_match(heal->mutes[i].pattern, component))
			return &heal->mutes[i];
	return NULL;
}

/* "pve" names the source proxmox:pve. */
static bool is_source(const char *host, const char *source)
{
	const char *colon = strchr(source, ':');
	return colon != NULL && str_match(host, colon + 1);
}

/* Whether a component is, or lives in, what is called so. */
static bool lives_on(struct heal *heal, const char *host, const struct component *component)
{
	if (is_source(host, component->source) || str_match(host, component->label) ||
		str_match(host, component->name))
		return true;
	int source = source_find(heal, component->source);
	const char *name = home_of(heal, component->parent, component->name, source);
	for (int depth = 0; depth < ANCESTORS_MAX && name[0] != '\0'; depth++) {
		const struct member *member = member_find(heal, name);
		if (str_match(host, name) || (member != NULL && str_match(host, member->label)))
			return true;
		if (member == NULL)
			return false;
		if (is_source(host, heal->sources[member->source].status.name))
			return true;
		name = home_of(heal, member->parent, member->name, member->source);
	}
	return false;
}

static bool is_about(
	struct heal *heal, const struct config_maintenance *window, const struct component *component)
{
	return (window->component == NULL || str_match(window->component, component->name)) &&
		(window->source == NULL || str_match(window->source, component->source)) &&
		(window->host == NULL || lives_on(heal, window->host, component));
}

/* The windows follow the wall clock, which may have been set since; once a minute is enough. */
static void look_at_windows(struct heal *heal)
{
	int64_t wall = clock_wall_ms(heal->clock);
	if (heal->windows_minute == wall / MINUTE_MS)
		return;
	heal->windows_minute = wall / MINUTE_MS;
	for (int i = 0; i < heal->config->maintenance_count; i++) {
		int64_t until = window_until(&heal->config->maintenance[i], wall);
		heal->window_until[i] = until != 0 ? now_ms(heal) + until - wall : 0;
	}
}

int64_t rests_until(struct heal *heal, const struct component *component, const char **why)
{
	const struct mute *mute = mute_of(heal, component->name);
	int64_t until = mute != NULL ? mute->until : 0;
	*why = mute != NULL ? "muted: a person wants it left alone" : "";
	look_at_windows(heal);
	for (int i = 0; i < heal->config->maintenance_count; i++) {
		if (heal->window_until[i] <= until || heal->window_until[i] <= now_ms(heal) ||
			!is_about(heal, &heal->config->maintenance[i], component))
			continue;
		until = heal->window_until[i];
		*why = "maintenance: left alone until the window ends";
	}
	return until;
}
