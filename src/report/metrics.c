/*
 * /metrics, in the text format 0.0.4 of Prometheus. No label has a value from outside: sources are
 * the configuration's, actions the table's.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "report/internal.h"

static void head(struct str *out, const char *name, const char *type, const char *help)
{
	str_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(struct str *out, const char *name, const char *help, double value)
{
	head(out, name, "gauge", help);
	str_addf(out, "%s %.10g\n", name, value);
}

static void add_label(struct str *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\\' || *value == '"')
			str_addc(out, '\\');
		str_addc(out, *value == '\n' ? ' ' : *value);
	}
}

static void histogram(struct str *out, const char *name, const char *help,
	const int64_t buckets[STORE_BOUNDS + 1], double sum)
{
	int64_t count = 0;
	head(out, name, "histogram", help);
	for (int i = 0; i < STORE_BOUNDS; i++) {
		count += buckets[i];
		str_addf(out, "%s_bucket{le=\"%g\"} %lld\n", name, store_bounds[i], (long long)count);
	}
	count += buckets[STORE_BOUNDS];
	str_addf(out, "%s_bucket{le=\"+Inf\"} %lld\n%s_sum %.10g\n%s_count %lld\n", name,
		(long long)count, name, sum, name, (long long)count);
}

static void lower(char field[16], const char *name)
{
	size_t i = 0;
	for (; name[i] != '\0' && i < 15; i++)
		field[i] = (char)tolower((unsigned char)name[i]);
	field[i] = '\0';
}

static void add_incidents(struct str *out, const struct store_figures *figures)
{
	head(out, "homeostat_incidents", "gauge", "Open incidents by severity and state.");
	for (int severity = 0; severity < 4; severity++) {
		for (int state = 0; state < LIFE_STATES; state++) {
			char severity_label[16], state_label[16];
			if (!life_is_open((enum life_state)state))
				continue;
			lower(severity_label, severity_name((enum severity)severity));
			lower(state_label, life_state_name((enum life_state)state));
			str_addf(out, "homeostat_incidents{severity=\"%s\",state=\"%s\"} %lld\n",
				severity_label, state_label, (long long)figures->open[severity][state]);
		}
	}
}

/* The user's own names. */
static void add_users(struct str *out, const struct store_figures *figures)
{
	int64_t active = 0;
	int worst = 0;
	for (int severity = 0; severity < 4; severity++)
		for (int state = 0; state < LIFE_STATES; state++)
			if (incident_is_active((enum life_state)state, (enum severity)severity) &&
				figures->open[severity][state] > 0) {
				active += figures->open[severity][state];
				worst = severity;
			}
	head(out, "agent_health_status", "gauge",
		"The worst open issue: 0 healthy (none), 1 degraded, 2 unhealthy, 3 critical.");
	str_addf(out, "agent_health_status{agent=\"autonomous_health_agent\"} %d\n", worst);
	gauge(out, "health_active_issues_total", "Issues that are open now.", (double)active);
	gauge(out, "health_autofix_success_rate",
		"Share (0 to 1) of the actions that homeostat took by itself after which the component was "
		"seen healthy; 1 before the first.",
		figures->fixes_tried > 0 ? (double)figures->fixes_healed / (double)figures->fixes_tried
								 : 1);
	gauge(out, "health_approval_response_seconds",
		"How long the newest decision on an approval took to come; 0 before the first. "
		"homeostat_approval_response_seconds has them all.",
		figures->approval_seconds_last);
}

static void add_actions(struct str *out, const struct store_figures *figures)
{
	head(out, "homeostat_actions_total", "counter", "Actions that ended, by their final outcome.");
	for (int i = 0; i < figures->action_rows; i++) {
		str_add(out, "homeostat_actions_total{action=\"");
		add_label(out, figures->actions[i].action);
		str_add(out, "\",outcome=\"");
		add_label(out, figures->actions[i].outcome);
		str_addf(out, "\"} %lld\n", (long long)figures->actions[i].n);
	}
}

static void add_source(
	struct str *out, const char *name, const struct source_status *source, double value)
{
	str_addf(out, "%s{source=\"", name);
	add_label(out, source->name);
	str_addf(out, "\"} %.10g\n", value);
}

static void add_channels(struct str *out, const struct core_status *core)
{
	if (core->channels == 0)
		return;
	head(out, "homeostat_notifications_total", "counter",
		"Messages to people since the start; delayed: it had to be tried again.");
	for (int i = 0; i < core->channels; i++) {
		const struct channel_status *channel = &core->channel[i];
		const struct {
			const char *name;
			int64_t n;
		} outcomes[] = {{"delivered", channel->delivered}, {"edited", channel->edited},
			{"delayed", channel->delayed}, {"lost", channel->lost}};
		for (size_t k = 0; k < sizeof(outcomes) / sizeof(outcomes[0]); k++) {
			str_add(out, "homeostat_notifications_total{channel=\"");
			add_label(out, channel->name);
			str_addf(out, "\",outcome=\"%s\"} %lld\n", outcomes[k].name, (long long)outcomes[k].n);
		}
	}
}

static void add_core(struct str *out, const struct core_status *core)
{
	head(out, "homeostat_source_up", "gauge", "1 when the source answered its last look.");
	for (int i = 0; i < core->sources; i++)
		add_source(out, "homeostat_source_up", &core->source[i], core->source[i].reached);
	head(
		out, "homeostat_source_duration_seconds", "gauge", "How long the source's last look took.");
	for (int i = 0; i < core->sources; i++)
		add_source(out, "homeostat_source_duration_seconds", &core->source[i],
			(double)core->source[i].took_ms / 1000);
	add_channels(out, core);
}

/* What the core keeps of the model's answers; nothing before the first question. */
static bool add_model(struct str *out, struct store *store, struct err *err)
{
	char total[96];
	long long answered = 0, failed = 0;
	double usd = 0;
	if (!store_fact_get(store, "model:total", total, sizeof(total), err))
		return false;
	if (sscanf(total, "%20lld %20lld %30lf", &answered, &failed, &usd) != 3)
		return true;
	head(
		out, "homeostat_diagnosis_total", "counter", "Questions to the model, by what came of it.");
	str_addf(out, "homeostat_diagnosis_total{by=\"model\",outcome=\"answered\"} %lld\n", answered);
	str_addf(out, "homeostat_diagnosis_total{by=\"model\",outcome=\"failed\"} %lld\n", failed);
	head(out, "homeostat_diagnosis_cost_usd_total", "counter",
		"What the model's answers have cost, as far as prices are known.");
	str_addf(out, "homeostat_diagnosis_cost_usd_total %.6f\n", usd);
	return true;
}

bool metrics_text(struct str *out, struct store *store, const struct core_status *core,
	int64_t today_ms, struct err *err)
{
	struct store_figures figures;
	if (!store_figures(store, today_ms, &figures, err))
		return false;
	add_users(out, &figures);
	histogram(out, "homeostat_approval_response_seconds",
		"How long approvals waited for a person's decision.", figures.approval_buckets,
		figures.approval_seconds_sum);
	histogram(out, "homeostat_detection_seconds",
		"From a component's failure, as its own system dates it, to its incident.",
		figures.detection_buckets, figures.detection_seconds_sum);
	histogram(out, "homeostat_resolution_seconds",
		"From an incident's opening to its component seen healthy, settle time included.",
		figures.resolution_buckets, figures.resolution_seconds_sum);
	add_incidents(out, &figures);
	add_actions(out, &figures);
	if (!add_model(out, store, err))
		return false;
	if (core != NULL)
		add_core(out, core);
	head(out, "homeostat_build_info", "gauge", "Always 1; the label is the version that runs.");
	str_add(out, "homeostat_build_info{version=\"" HOMEOSTAT_VERSION "\"} 1\n");
	return true;
}
