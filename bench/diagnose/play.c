/*
 * bench_diagnose MODE [-v]: plays every row of faults.txt through the whole daemon on the lab's
 * simulated worlds and wound clock, and prints one row of the table. MODE: rules, right, wrong or
 * absent: what the model answers. Nobody approves anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"
#include "base/str.h"
#include "store/store.h"
#include "tests/lab.h"

#define MODEL \
	"claude: { api_key: sk-ant-sim01-0123456789abcdefABCDEF, model: claude-haiku-5-5, " \
	"api_url: \"https://claude.sim\" }\n"

struct row {
	char expected[8], name[80], cause[80], world[512], fault[512];
};

struct tally {
	int faults, healable, healed, known, causes, asked, wrong, controls, touched, missed;
	int64_t repair_ms;
	int questions;
	long long in, out;
	double usd;
};

static bool verbose;

static bool read_row(char *line, struct row *row)
{
	char *fields[] = {row->expected, row->name, row->cause, row->world, row->fault};
	size_t sizes[] = {sizeof(row->expected), sizeof(row->name), sizeof(row->cause),
		sizeof(row->world), sizeof(row->fault)};
	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < 5; i++) {
		char *end = strstr(line, " ; ");
		if (end != NULL)
			*end = '\0';
		else if (i < 4)
			return false;
		if (!str_copy(fields[i], sizes[i], line))
			return false;
		line = end != NULL ? end + 3 : line;
	}
	return true;
}

static void play_lines(struct lab *lab, const char *lines)
{
	char copy[512];
	STR_SET(copy, lines);
	for (char *line = copy; line != NULL;) {
		char *next = strstr(line, " & ");
		if (next != NULL)
			*next = '\0';
		lab_script(lab, line);
		if (lab_is_up(lab))
			lab_settle(lab);
		line = next != NULL ? next + 3 : NULL;
	}
}

/* What the model will say. */
static void teach(struct lab *lab, const struct row *row, const char *mode)
{
	char line[700], quote[200] = "";
	if (strcmp(mode, "absent") == 0)
		lab_script(lab, "claude: error 529");
	if (strcmp(mode, "wrong") == 0)
		lab_script(lab,
			"claude: json {\"cause\":\"the moon is in the wrong phase\",\"confidence\":0.95,"
			"\"evidence\":[],\"action\":\"docker.container.stop\",\"params\":\"\",\"risk\":\"low\","
			"\"alternatives\":\"\"}");
	if (strcmp(mode, "right") != 0)
		return;
	const char *log = strstr(row->world, "error svc ");
	if (log == NULL)
		log = strstr(row->fault, "error svc ");
	if (log != NULL) {
		const char *end = strstr(log + 10, " & ");
		STR_FORMAT(quote, "%.*s", end != NULL ? (int)(end - log - 10) : 150, log + 10);
		if (strpbrk(quote, "\"\\") != NULL)
			quote[0] = '\0';
	}
	STR_FORMAT(line,
		"claude: json {\"cause\":\"%s\",\"confidence\":0.9,\"evidence\":[\"%s\"],\"action\":\"%s\","
		"\"params\":\"\",\"risk\":\"low\",\"alternatives\":\"\"}",
		row->cause[0] != '\0' ? row->cause : "it was ended from outside", quote,
		strcmp(row->expected, "HEAL") == 0 ? "docker.container.restart" : "none");
	lab_script(lab, line);
}

static void take_cost(void *ctx, const struct audit_entry *entry)
{
	struct tally *tally = ctx;
	long long in = 0, out = 0;
	if (strcmp(entry->what, "model.answer") != 0)
		return;
	const char *at = strstr(entry->text, ", ");
	if (at != NULL && sscanf(at, ", %lld tokens in, %lld out", &in, &out) == 2) {
		tally->in += in;
		tally->out += out;
	}
	const char *dollar = strchr(entry->text, '$');
	tally->usd += dollar != NULL ? strtod(dollar + 1, NULL) : 0;
}

static void count_cost(struct lab *lab, struct tally *tally)
{
	struct err err = {0};
	unsigned char key[32];
	assert_true(secret_derive(lab_state_folder(lab), "audit", key, &err));
	struct store *reader = store_open_reader(lab_state_folder(lab), key, &err);
	assert_non_null(reader);
	assert_true(store_audit(reader, 0, take_cost, tally, &err));
	store_close(reader);
	tally->questions += lab_claude_posts(lab);
}

/* The subject's incident: the container's, the guest's, or the node's. */
static bool find_incident(struct lab *lab, struct incident *incident)
{
	static const char *const names[] = {
		"docker_container_svc", "lxc_104", "qemu_104", "qemu_105", "proxmox_node"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (lab_incident(lab, names[i], incident))
			return true;
	return false;
}

/* What the world was told to do that neither the fault nor its rules call for. */
static int wrong_actions(struct lab *lab, const struct row *row)
{
	int all = lab_posts(lab, "*"), pve = lab_pve_posts(lab, "*");
	int own = lab_posts(lab, "*/svc/start") + lab_posts(lab, "*/svc/restart");
	if (strcmp(row->expected, "NONE") == 0)
		return all + pve;
	if (strstr(row->fault, "crash other") != NULL)
		own += lab_posts(lab, "*/other/start");
	return all - own + pve;
}

static void judge(struct lab *lab, const struct row *row, struct tally *tally)
{
	struct incident incident = {0};
	bool any = find_incident(lab, &incident), healed = any && incident.state == LIFE_RESOLVED;
	bool is_healable = strcmp(row->expected, "HEAL") == 0;
	bool knows = strstr(incident.diagnosis.cause, row->cause) != NULL;
	int wrong = wrong_actions(lab, row);
	tally->wrong += wrong;
	if (strcmp(row->expected, "NONE") == 0) {
		tally->controls++;
		tally->touched += wrong > 0;
	} else {
		tally->faults++;
		tally->healable += is_healable;
		tally->healed += is_healable && healed;
		tally->repair_ms += is_healable && healed ? incident.ended_at - incident.failed_at : 0;
		tally->causes += row->cause[0] != '\0';
		tally->known += row->cause[0] != '\0' && knows;
		bool told = incident.state == LIFE_ASKING || incident.state == LIFE_ESCALATED;
		tally->asked += !is_healable && told;
		tally->missed += is_healable ? !healed : !told;
	}
	if (verbose)
		fprintf(stderr, "%-4s %-34s %-10s by %-7s %3.0f %% %s%s\n", row->expected, row->name,
			any ? life_state_name(incident.state) : "-", incident.diagnosis.by,
			100 * incident.diagnosis.confidence, incident.diagnosis.cause,
			wrong > 0                                    ? "  WRONG ACTION"
				: row->cause[0] != '\0' && any && !knows ? "  (not what it was)"
														 : "");
}

static void play(const struct row *row, const char *mode, struct tally *tally)
{
	struct lab *lab = lab_new(strcmp(mode, "rules") == 0 ? "" : MODEL);
	bool is_pve = str_starts(row->world, "pve:");
	bool runs_first = strstr(row->world, "forget") == NULL && strstr(row->world, "loop=") == NULL;
	play_lines(lab, row->world);
	teach(lab, row, mode);
	if (is_pve)
		lab_cluster(lab, "pve1", "104");
	lab_start(lab);
	lab_advance(lab, is_pve ? 30000 : runs_first ? 1000 : 100);
	play_lines(lab, row->fault);
	lab_advance(lab, is_pve ? 300000 : 180000);
	judge(lab, row, tally);
	count_cost(lab, tally);
	lab_free(lab);
}

int main(int argc, char **argv)
{
	static struct tally tally;
	char line[1400];
	FILE *file = fopen(SOURCE_ROOT "/bench/diagnose/faults.txt", "r");
	const char *mode = argc > 1 ? argv[1] : "rules";
	verbose = argc > 2;
	if (file == NULL)
		return 1;
	while (fgets(line, sizeof(line), file) != NULL) {
		struct row row = {.expected = ""};
		if (line[0] == '#')
			continue;
		if (!read_row(line, &row)) {
			fprintf(stderr, "no such row: %s\n", line);
			return 1;
		}
		play(&row, mode, &tally);
	}
	fclose(file);
	printf("%-7s %6d %4d/%-3d %5d/%-3d %6d/%-3d %6d %8d/%-3d %8.1f %9d %8lld %7lld %9.4f\n", mode,
		tally.faults, tally.healed, tally.healable, tally.asked, tally.faults - tally.healable,
		tally.known, tally.causes, tally.wrong, tally.touched, tally.controls,
		tally.healed > 0 ? (double)tally.repair_ms / tally.healed / 1000 : 0, tally.questions,
		tally.in, tally.out, tally.usd);
	return tally.touched == 0 && tally.wrong == 0 ? 0 : 1;
}
