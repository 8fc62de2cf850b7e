/*
 * The texts of the menu's pages.
 */
#include <string.h>

#include "report/telegram/page.h"
#include "report/telegram/texts.h"

#define BAR_CELLS 10
#define NODES_MAX 8
#define SOURCES_MAX 12

static const char *or_dash(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : "–";
}

static void add_head(struct page *page, const char *title)
{
	char at[24];
	str_utc(at, page->facts->core->now);
	html_addf(&page->html, "<b>%s</b>\n🕐 %s\n", title, at);
}

static void add_bytes(struct html *html, int64_t bytes)
{
	double gib = (double)bytes / (1 << 30);
	if (bytes < 0)
		html_addf(html, "–");
	else if (gib >= 1024)
		html_addf(html, "%.1f TiB", gib / 1024);
	else if (gib >= 1)
		html_addf(html, "%.1f GiB", gib);
	else
		html_addf(html, "%.0f MiB", gib * 1024);
}

/* "CPU: ▰▰▱▱▱▱▱▱▱▱ 12.3%" */
static void add_gauge(struct html *html, const char *name, double percent)
{
	if (percent < 0) {
		html_addf(html, "\n%s: –", name);
		return;
	}
	html_addf(html, "\n%s: ", name);
	for (int i = 0; i < BAR_CELLS; i++)
		html_addf(html, percent >= (i + 0.5) * 100 / BAR_CELLS ? "▰" : "▱");
	html_addf(html, " %.1f%%", percent);
}

static void add_of(struct html *html, int64_t bytes, int64_t max_bytes)
{
	if (bytes < 0 || max_bytes <= 0)
		return;
	html_addf(html, " (");
	add_bytes(html, bytes);
	html_addf(html, " of ");
	add_bytes(html, max_bytes);
	html_addf(html, ")");
}

static void add_uptime(struct html *html, int64_t uptime_s)
{
	char span[32];
	if (uptime_s <= 0)
		return;
	str_duration(span, uptime_s * 1000);
	html_addf(html, "\nUptime: %s", span);
}

static void add_source(struct html *html, const struct source_status *source, int64_t now)
{
	char span[32];
	if (source->reached) {
		html_addf(html, "\n🟢 %.64s: %d components", source->name, source->components);
		str_duration(span, now - source->last_look_at);
		if (source->last_look_at > 0)
			html_addf(html, ", seen %s ago", span);
		return;
	}
	str_duration(span, now - source->changed_at);
	html_addf(html, "\n🔴 %.64s: not reached", source->name);
	if (source->changed_at > 0)
		html_addf(html, " for %s", span);
	html_addf(html, ": %.120s", or_dash(source->text));
}

void page_status(struct page *page)
{
	static const char *const modes[] = {
		[HEALING_OFF] = "🛑 off: nothing is done without your order",
		[HEALING_ON] = "✅ on",
		[HEALING_SHADOW] = "🌓 shadow: it decides, but does nothing",
	};
	char span[32];
	struct html *html = &page->html;
	const struct facts *facts = page->facts;
	const struct core_status *core = facts->core;
	add_head(page, "📊 Status");
	html_addf(html,
		"\nAuto-Healing: %s\nActive Issues: %d\nPending Approvals: %d\nWatched: %d components",
		modes[core->healing], facts->counts.active, facts->counts.pending, core->components);
	str_duration(span, core->now - core->started_at);
	html_addf(html, "\nRunning for: %s\n", span);
	for (int i = 0; i < core->sources && i < SOURCES_MAX; i++)
		add_source(html, &core->source[i], core->now);
	if (core->sources > SOURCES_MAX)
		html_addf(html, "\n… and %d more", core->sources - SOURCES_MAX);
	if (core->sources == 0)
		html_addf(html, "\nNothing is watched: no source is configured");
	if (core->trouble[0] != '\0')
		html_addf(html, "\n\n⚠️ homeostat itself: %s", core->trouble);
	message_page(page->message, "🏥 Health", "health", 1);
	message_page(page->message, "📜 Audit", "audit", 1);
}

/* Live pages say what they could not see. */
static void add_trouble(struct page *page)
{
	if (page->facts->trouble != NULL)
		html_addf(&page->html, "\n⚠️ %.300s\n", page->facts->trouble);
}

void page_node(struct page *page)
{
	struct html *html = &page->html;
	const struct facts *facts = page->facts;
	int first, last;
	add_head(page, "🖥️ Node Info");
	add_trouble(page);
	if (facts->node_count == 0 && facts->trouble == NULL)
		html_addf(html, "\nNo Proxmox node is watched");
	page_range(page, facts->node_count, &first, &last);
	for (int i = first; i < last; i++) {
		const struct fact_node *node = &facts->nodes[i];
		html_addf(html, "\n%s <b>%.64s</b>", node->online ? "🟢" : "🔴", node->name);
		if (!node->online) {
			html_addf(html, ": offline\n");
			continue;
		}
		add_gauge(html, "CPU", node->cpu);
		add_gauge(html, "Memory", node->memory);
		add_of(html, node->memory_bytes, node->memory_max_bytes);
		add_gauge(html, "Disk", node->disk);
		add_of(html, node->disk_bytes, node->disk_max_bytes);
		add_uptime(html, node->uptime_s);
		html_addf(html, "\n");
	}
}

const char *guest_icon(const struct fact_guest *guest)
{
	switch (guest->state) {
	case GUEST_RUNNING:
		return "🟢";
	case GUEST_PAUSED:
		return "⏸️";
	case GUEST_STOPPED:
		return guest->critical ? "🔴" : "⚪";
	case GUEST_UNKNOWN:
		break;
	}
	return "❔";
}

static const char *guest_state_words(enum guest_state state)
{
	static const char *const words[] = {"unknown", "running", "stopped", "paused"};
	return words[state];
}

static void add_guest_path(
	struct page *page, const char *base, const char *component, const char *icon, const char *name)
{
	char path[PATH_MAX_BYTES];
	STR_FORMAT(path, "%s/%s", base, component);
	const char *label = arena_printf(page->arena, "%s %s", icon, name);
	if (page->message->buttons % 2 == 0)
		message_row(page->message);
	message_page(page->message, label, path, 1);
}

void page_guests(struct page *page)
{
	struct html *html = &page->html;
	const struct facts *facts = page->facts;
	int first, last, running = 0;
	for (int i = 0; i < facts->guest_count; i++)
		running += facts->guests[i].state == GUEST_RUNNING;
	add_head(page, "📦 VMs");
	add_trouble(page);
	html_addf(html, "\n%d of %d running\n", running, facts->guest_count);
	page_range(page, facts->guest_count, &first, &last);
	for (int i = first; i < last; i++) {
		const struct fact_guest *guest = &facts->guests[i];
		html_addf(html, "\n%s %d %.48s (%s, %.32s)%s", guest_icon(guest), guest->vmid,
			or_dash(guest->name), guest->is_lxc ? "lxc" : "qemu", or_dash(guest->node),
			guest->critical ? " ⭐" : "");
		if (guest->state == GUEST_RUNNING && guest->cpu >= 0 && guest->memory >= 0)
			html_addf(html, ": CPU %.0f%%, memory %.0f%%", guest->cpu, guest->memory);
		add_guest_path(page, "vms", guest->component, guest_icon(guest),
			arena_printf(page->arena, "%d %s", guest->vmid, or_dash(guest->name)));
	}
}

void page_guest(struct page *page, const struct fact_guest *guest)
{
	struct html *html = &page->html;
	add_head(page, arena_printf(page->arena, "📦 %d %s", guest->vmid, or_dash(guest->name)));
	html_addf(html, "\n%s %s%s\nComponent: <code>%s</code>\nKind: %s\nNode: %s", guest_icon(guest),
		guest_state_words(guest->state), guest->critical ? ", critical: it must run" : "",
		guest->component, guest->is_lxc ? "LXC container" : "virtual machine",
		or_dash(guest->node));
	if (guest->state == GUEST_RUNNING) {
		add_gauge(html, "CPU", guest->cpu);
		add_gauge(html, "Memory", guest->memory);
		add_uptime(html, guest->uptime_s);
	}
	if (guest->tags != NULL && guest->tags[0] != '\0')
		html_addf(html, "\nTags: %.120s", guest->tags);
	if (guest->is_template)
		html_addf(html, "\n\nIt is a template: it does not run");
	else if (guest->lock != NULL && guest->lock[0] != '\0')
		html_addf(html, "\n\n🔒 Locked (%.32s): nothing can be done with it until that is over",
			guest->lock);
	else if (guest->state == GUEST_UNKNOWN)
		html_addf(html, "\n\nIts node does not answer: nothing is known of it now");
}

const char *container_icon(const struct fact_container *container)
{
	switch (container->state) {
	case OBS_RUNNING:
		return container->health == OBS_UNHEALTHY ? "🟠"
			: container->health == OBS_STARTING   ? "🟡"
												  : "🟢";
	case OBS_RESTARTING:
		return "🔄";
	case OBS_PAUSED:
		return "⏸️";
	case OBS_EXITED:
	case OBS_CREATED:
		return "⚪";
	case OBS_UNKNOWN:
	case OBS_ABSENT:
	case OBS_UNREACHABLE:
	case OBS_STATES:
		break;
	}
	return "❔";
}

void page_containers(struct page *page)
{
	struct html *html = &page->html;
	const struct facts *facts = page->facts;
	int first, last, running = 0;
	for (int i = 0; i < facts->container_count; i++)
		running += facts->containers[i].state == OBS_RUNNING;
	add_head(page, "🐳 Docker");
	html_addf(html, "\n%d of %d running\n", running, facts->container_count);
	page_range(page, facts->container_count, &first, &last);
	for (int i = first; i < last; i++) {
		const struct fact_container *container = &facts->containers[i];
		const char *status = container->status;
		html_addf(html, "\n%s %.64s: %.64s", container_icon(container), container->name,
			status != NULL && status[0] != '\0' ? status : obs_state_name(container->state));
		add_guest_path(page, "docker", container->component, container_icon(container),
			or_dash(container->name));
	}
}

void page_container(struct page *page, const struct fact_container *container)
{
	struct html *html = &page->html;
	add_head(page, arena_printf(page->arena, "🐳 %s", or_dash(container->name)));
	html_addf(html,
		"\n%s %s%s\nComponent: <code>%s</code>\nEngine: %s\nHealth check: %s\nStatus: %s\n"
		"Image: <code>%s</code>",
		container_icon(container), obs_state_name(container->state),
		container->critical ? ", critical" : "", container->component, or_dash(container->engine),
		obs_health_name(container->health), or_dash(container->status), or_dash(container->image));
	if (container->state == OBS_PAUSED)
		html_addf(html, "\n\nSomebody paused it: it is meant to stand still");
}

/* Headings of the document's report; what the lines below them say is from outside. */
static bool is_heading(const char *line, bool first)
{
	return first || str_starts(line, "📋 Active Issues:") ||
		str_starts(line, "✅ Recent Resolutions:") || str_starts(line, "Issues by Severity:");
}

void page_health(struct page *page)
{
	struct html *html = &page->html;
	const struct facts *facts = page->facts;
	const char *text = facts->health != NULL ? facts->health : "";
	bool first = true;
	if (text[0] == '\0')
		html_addf(html, "🏥 The health report cannot be read at the moment: try again");
	for (const char *line = text; *line != '\0'; first = false) {
		size_t length = strcspn(line, "\n");
		const char *copy = arena_strndup(page->arena, line, length);
		html_addf(html, is_heading(copy, first) ? "<b>%s</b>" : "%s", copy);
		line += length;
		if (*line == '\n') {
			html_addf(html, "\n");
			line++;
		}
	}
}

static const char *backup_icon(enum backup_verdict verdict)
{
	static const char *const icons[] = {"✅", "🟡", "🔴", "🔴"};
	return icons[verdict];
}

static void add_ago(struct html *html, int64_t at, int64_t now)
{
	char when[24], span[32];
	if (at <= 0) {
		html_addf(html, "never");
		return;
	}
	str_utc(when, at);
	str_duration(span, now > at ? now - at : 0);
	html_addf(html, "%s (%s ago)", when, span);
}

/* Those with trouble first. */
static const struct fact_backup **ordered(struct page *page)
{
	static const enum backup_verdict order[] = {
		BACKUP_FAILED, BACKUP_MISSING, BACKUP_OLD, BACKUP_GOOD};
	const struct facts *facts = page->facts;
	int count = 0;
	const struct fact_backup **rows = ARENA_ARRAY(
		page->arena, const struct fact_backup *, (size_t)facts->backup_count + 1);
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
		for (int i = 0; i < facts->backup_count; i++)
			if (facts->backups[i].verdict == order[k])
				rows[count++] = &facts->backups[i];
	return rows;
}

void page_backups(struct page *page)
{
	struct html *html = &page->html;
	const struct facts *facts = page->facts;
	const struct fact_backup **rows = ordered(page);
	int first, last, good = 0;
	for (int i = 0; i < facts->backup_count; i++)
		good += facts->backups[i].verdict == BACKUP_GOOD;
	add_head(page, "💾 Backups");
	add_trouble(page);
	html_addf(html, "\n%d of %d have a good and recent backup\n", good, facts->backup_count);
	page_range(page, facts->backup_count, &first, &last);
	for (int i = first; i < last; i++) {
		const struct fact_backup *backup = rows[i];
		html_addf(html, "\n%s %d %.48s: ", backup_icon(backup->verdict), backup->vmid,
			or_dash(backup->name));
		add_ago(html, backup->good_at, facts->core->now);
		if (backup->verdict != BACKUP_GOOD)
			html_addf(html, ", %.100s", or_dash(backup->why));
		add_guest_path(page, "backup", backup->component, backup_icon(backup->verdict),
			arena_printf(page->arena, "%d %s", backup->vmid, or_dash(backup->name)));
	}
}

void page_backup(struct page *page, const struct fact_backup *backup)
{
	static const char *const verdicts[] = {
		"good", "too old", "the last one failed", "there is none"};
	struct html *html = &page->html;
	add_head(page, arena_printf(page->arena, "💾 %d %s", backup->vmid, or_dash(backup->name)));
	html_addf(html, "\n%s %s", backup_icon(backup->verdict), verdicts[backup->verdict]);
	if (backup->why != NULL && backup->why[0] != '\0')
		html_addf(html, ": %s", backup->why);
	html_addf(html, "\nNewest good: ");
	add_ago(html, backup->good_at, page->facts->core->now);
	html_addf(html, "\nSize: ");
	add_bytes(html, backup->bytes);
	html_addf(
		html, "\nStorage: %s\nSchedule: %s", or_dash(backup->storage), or_dash(backup->schedule));
}

void page_audit(struct page *page)
{
	struct html *html = &page->html;
	const struct facts *facts = page->facts;
	int first, last;
	add_head(page, "📜 Audit");
	if (facts->audit_count == 0)
		html_addf(html, "\nNothing has been decided or done yet");
	page_range(page, facts->audit_count, &first, &last);
	for (int i = first; i < last; i++) {
		const struct audit_entry *entry = &facts->audit[i];
		char at[24];
		str_utc(at, entry->at);
		html_addf(html, "\n%s\n<b>%.32s</b> by %.64s", at, entry->what,
			text_actor(entry->actor, page->arena));
		if (entry->component[0] != '\0')
			html_addf(html, ": %.64s", entry->component);
		if (entry->text[0] != '\0')
			html_addf(html, ": %.120s", entry->text);
		html_addf(html, "\n");
	}
}

void page_questions(struct page *page)
{
	struct html *html = &page->html;
	const struct facts *facts = page->facts;
	int first, last;
	add_head(page, "⚠️ Questions");
	html_addf(html, "\n%d wait%s for an answer\n", facts->counts.pending,
		facts->counts.pending == 1 ? "s" : "");
	page_range(page, facts->question_count, &first, &last);
	for (int i = first; i < last; i++) {
		const struct incident *incident = &facts->questions[i];
		html_addf(html, "\n%s %.48s: %.100s", severity_icon(incident->severity),
			incident->component.name, incident->plan.title);
		message_row(page->message);
		message_button(page->message, BUTTON_PLAIN, INTENT_WHY, incident->component.name)
			->incident_id = incident->id;
	}
}
