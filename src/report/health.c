/*
 * The health report, as the user's document shows it.
 */
#include <string.h>
#include <time.h>

#include "base/redact.h"
#include "base/str.h"
#include "report/internal.h"

#define ACTIVE_MAX 20
#define RECENT_MAX 3
#define DAY_MS 86400000

int64_t local_midnight(int64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm day;
	if (localtime_r(&now, &day) == NULL)
		return now_ms - now_ms % DAY_MS;
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_isdst = -1;
	return (int64_t)mktime(&day) * 1000;
}

/* A suspicion is none yet, and an operator's order on something healthy is none at all. */
bool incident_is_active(enum life_state state, enum severity severity)
{
	return life_is_open(state) && state != LIFE_SUSPECTED && severity != SEVERITY_HEALTHY;
}

struct page {
	struct str *out;
	int count, limit;
};

static void add_active(void *ctx, const struct incident *incident)
{
	struct page *page = ctx;
	char component[NAME_MAX_BYTES], issue[240];
	if (!incident_is_active(incident->state, incident->severity))
		return;
	if (page->count++ >= page->limit)
		return;
	words_clean(component, sizeof(component), incident->component.name);
	words_clean(issue, sizeof(issue), incident->issue);
	str_addf(page->out, "\n• %s: %s", component, issue);
}

static const char *adjective(const struct incident *incident)
{
	if (incident->finding == FINDING_EXITED || incident->finding == FINDING_EXITED_UNSEEN)
		return "crashed ";
	return incident->finding == FINDING_UNHEALTHY ? "unhealthy " : "";
}

/* "Restart container 'redis'" of one that had crashed → "Restarted crashed container". */
static void past_tense(const struct incident *incident, char *field, size_t size)
{
	static const char *const verbs[][2] = {
		{"Restart ", "Restarted "},
		{"Start ", "Started "},
		{"Stop ", "Stopped "},
		{"Clean ", "Cleaned "},
		{"Clear ", "Cleared "},
		{"Prune ", "Pruned "},
		{"Remove ", "Removed "},
		{"Reconnect ", "Reconnected "},
	};
	char title[200];
	words_clean(title, sizeof(title), incident->plan.title);
	char *label = strstr(title, " '");
	if (label != NULL)
		*label = '\0';
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!str_starts(title, verbs[i][0]))
			continue;
		const char *what = title + strlen(verbs[i][0]);
		str_format(field, size, "%s%s%s", verbs[i][1],
			str_equal(what, "container") ? adjective(incident) : "", what);
		return;
	}
	str_copy(field, size, title[0] != '\0' ? title : "healthy again");
}

static void add_recent(void *ctx, const struct incident *incident)
{
	struct page *page = ctx;
	char component[NAME_MAX_BYTES], what[240];
	if (incident->state != LIFE_RESOLVED || page->count >= page->limit)
		return;
	words_clean(component, sizeof(component), incident->component.name);
	past_tense(incident, what, sizeof(what));
	if (page->count++ == 0)
		str_add(page->out, "\n\n✅ Recent Resolutions:\n");
	str_addf(page->out, "\n• %s: %s", component, what);
}

static void add_head(struct str *out, const struct store_figures *figures, int64_t now)
{
	static const char *const names[] = {NULL, "Degraded", "Unhealthy", "Critical"};
	int64_t active = 0, by_severity[4] = {0};
	char at[24];
	for (int severity = 0; severity < 4; severity++)
		for (int state = 0; state < LIFE_STATES; state++)
			if (incident_is_active((enum life_state)state, (enum severity)severity))
				by_severity[severity] += figures->open[severity][state];
	for (int severity = 0; severity < 4; severity++)
		active += by_severity[severity];
	str_utc(at, now);
	str_addf(out,
		"🏥 System Health Report\n🕐 %s\n\nActive Issues: %lld\nResolved Today: %lld\n"
		"Pending Approvals: %lld\n\nIssues by Severity:",
		at, (long long)active, (long long)figures->ended_today[LIFE_RESOLVED],
		(long long)figures->pending_approvals);
	for (int severity = SEVERITY_CRITICAL; severity > SEVERITY_HEALTHY; severity--)
		str_addf(out, "\n%s %s: %lld", severity_icon((enum severity)severity), names[severity],
			(long long)by_severity[severity]);
}

/* What the document's report has no line for; silent while all is as it should be. */
static void add_foot(struct str *out, const struct core_status *core)
{
	char text[480];
	if (core->trouble[0] != '\0') {
		words_clean(text, sizeof(text), core->trouble);
		str_addf(out, "\n\n⚠️ homeostat itself: %s", text);
	}
	for (int i = 0; i < core->sources; i++) {
		if (core->source[i].reached || core->source[i].text[0] == '\0')
			continue;
		words_clean(text, sizeof(text), core->source[i].text);
		str_addf(out, "\n\n🔌 %s is not reached: %s", core->source[i].name, text);
	}
	if (core->healing == HEALING_OFF)
		str_add(out, "\n\n⏸️ Auto-healing is off: nothing is done without your order");
	else if (core->healing == HEALING_SHADOW)
		str_add(out, "\n\n⏸️ Auto-healing is in shadow mode: it decides, but does nothing");
}

bool health_text(
	struct store *store, const struct core_status *core, char *text, size_t size, struct err *err)
{
	auto_arena arena = arena_new(512 << 10);
	struct store_figures figures;
	struct str out, active;
	str_init(&out, arena);
	str_init(&active, arena);
	struct page issues = {&active, 0, ACTIVE_MAX}, recent = {&out, 0, RECENT_MAX};
	if (!store_figures(store, local_midnight(core->now), &figures, err) ||
		!store_incidents(
			store, (struct incident_query){INCIDENTS_OPEN, 0, 0}, add_active, &issues, err))
		return false;
	add_head(&out, &figures, core->now);
	if (issues.count > 0)
		str_addf(&out, "\n\n📋 Active Issues:\n%s", active.s);
	if (issues.count > ACTIVE_MAX)
		str_addf(&out, "\n• … and %d more", issues.count - ACTIVE_MAX);
	if (!store_incidents(store, (struct incident_query){INCIDENTS_ENDED, core->now - DAY_MS, 0},
			add_recent, &recent, err))
		return false;
	add_foot(&out, core);
	str_copy(text, size, out.s);
	redact(text, size);
	return true;
}
