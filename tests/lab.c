#include "tests/lab_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/log.h"
#include "base/redact.h"
#include "base/secret.h"
#include "base/str.h"
#include "heal/heal.h"
#include "report/notify/notify.h"
#include "report/report.h"
#include "report/telegram/chat.h"
#include "sim/docker.h"
#include "sim/proxmox.h"
#include "sim/telegram.h"
#include "store/store.h"
#include "watch/watch.h"

#define NOON 1761307200000LL /* 2025-10-24 12:00:00 UTC */
#define WORDS_MAX (1 << 20)
#define POLL_EVERY_MS 5000

struct lab *lab_current;

bool __real_store_commit(struct store *store, struct err *err);
bool __wrap_store_commit(struct store *store, struct err *err);

static void die_here(void)
{
	lab_current->kill_at = 0;
	lab_current->happened = true;
	longjmp(lab_current->killed, 1);
}

bool __wrap_store_commit(struct store *store, struct err *err)
{
	if (!lab_current->killable) /* making its tables, at the start */
		return __real_store_commit(store, err);
	lab_current->commits++;
	lab_current->burst = 0;
	bool is_it = lab_current->kill_at != 0 && lab_current->commits == lab_current->kill_at;
	if (is_it && lab_current->kill_when == FAULT_BEFORE)
		die_here();
	if (lab_current->disk_full) {
		store_rollback(store);
		return err_set(err, ERR_SYSTEM, "disk full");
	}
	bool ok = __real_store_commit(store, err);
	if (is_it)
		die_here();
	return ok;
}

static void take_words(struct lab *lab)
{
	struct mail *mail;
	while (lab->notices != NULL && (mail = mailbox_receive(lab->notices, 0)) != NULL) {
		char text[4096];
		notice_words(mail->body, text, sizeof(text));
		size_t left = WORDS_MAX - lab->words_length;
		str_format(lab->words + lab->words_length, left, "%s\n", text);
		lab->words_length += strlen(lab->words + lab->words_length);
		mail_free(mail);
	}
}

struct lab *lab_new(const char *extra)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	secret_init();
	log_init(getenv("LAB_DEBUG") != NULL ? LOG_DEBUG : LOG_ERROR);
	STR_SET(lab->folder, "/tmp/homeostat-lab-XXXXXX");
	assert_non_null(mkdtemp(lab->folder));
	STR_SET(lab->extra, extra);
	lab->words = calloc(1, WORDS_MAX);
	lab->clock = clock_new_wound(NOON);
	for (int i = 0; lab_worlds[i] != NULL; i++)
		lab->worlds[i] = lab_worlds[i]->make(lab->clock);
	lab_current = lab;
	return lab;
}

void lab_config(struct lab *lab, const char *extra)
{
	size_t used = strlen(lab->extra);
	str_format(lab->extra + used, sizeof(lab->extra) - used, "%s\n", extra);
}

static struct config *make_config(struct lab *lab)
{
	char text[8192];
	struct err err = {0};
	STR_FORMAT(text, "%sstate: %s\n%s%s%s",
		strstr(lab->extra, "autohealing:") != NULL ? "" : "autohealing: true\n", lab->folder,
		strstr(lab->extra, "listen:") != NULL ? "" : "listen: none\n",
		strstr(lab->extra, "docker:") != NULL ? ""
											  : "docker:\n  - { name: local, url: unix:///sim }\n",
		lab->extra);
	struct config *config = config_parse("lab", text, strlen(text), true, &err);
	if (config == NULL)
		fail_msg("%s", err.text);
	return config;
}

/* Every source of the configuration, as the daemon does it. */
static void open_watchers(struct lab *lab)
{
	struct err err = {0};
	for (int s = 0; sources[s] != NULL; s++) {
		int count = sources[s]->count(lab->config);
		for (int i = 0; i < count && lab->watcher_count < LAB_WATCHERS; i++) {
			struct source_context context = {.config = lab->config,
				.index = i,
				.clock = lab->clock,
				.stop_fd = jobs_stop_fd(lab->jobs)};
			source_title(sources[s], &context);
			heal_add_source(lab->heal, context.name, context.suffix, &context.root, context.cursor);
			struct watcher *watcher = watcher_new(sources[s], &context, lab->inbox, &err);
			if (watcher == NULL)
				fail_msg("%s", err.text);
			lab->watchers[lab->watcher_count++] = watcher;
		}
	}
}

/* The core answers while who asked it waits. */
static struct answer *ask_inline(
	void *ctx, const struct request *request, int64_t timeout_ms, struct arena *arena)
{
	struct lab *lab = ctx;
	struct mailbox *box = mailbox_new(1);
	struct arena *mail_arena = arena_new(4 << 20);
	struct request *copy = ARENA_NEW(mail_arena, struct request);
	struct answer *answer = NULL;
	struct mail *mail = NULL;
	bool reload;
	(void)timeout_ms;
	*copy = *request;
	copy->answer = box;
	mailbox_send(lab->inbox, MAIL_REQUEST, &mail_arena, copy);
	while (mail == NULL) {
		assert_true(heal_step(lab->heal, 0, &reload));
		mail = mailbox_receive(box, 0);
	}
	answer = ARENA_NEW(arena, struct answer);
	*answer = *(struct answer *)mail->body;
	answer->json = arena_strdup(arena, answer->json);
	mail_free(mail);
	mailbox_free(box);
	return answer;
}

static void open_chat(struct lab *lab, const unsigned char key[32])
{
	struct err err = {0};
	struct chat_config config = {.config = lab->config,
		.clock = lab->clock,
		.stop_fd = jobs_stop_fd(lab->jobs),
		.ask = ask_inline,
		.ask_ctx = lab};
	if (lab->config->telegram.token == NULL)
		return;
	memcpy(config.audit_key, key, sizeof(config.audit_key));
	lab->chat = chat_open(&config, &err);
	if (lab->chat == NULL)
		fail_msg("%s", err.text);
}

static void open_notifier(struct lab *lab, const unsigned char key[32])
{
	struct err err = {0};
	struct notify_config config = {.config = lab->config,
		.clock = lab->clock,
		.stop_fd = jobs_stop_fd(lab->jobs),
		.ask = ask_inline,
		.ask_ctx = lab};
	if (lab->config->notify_count == 0)
		return;
	memcpy(config.audit_key, key, sizeof(config.audit_key));
	lab->notifier = notifier_open(&config, &err);
	if (lab->notifier == NULL)
		fail_msg("%s", err.text);
}

void lab_start(struct lab *lab)
{
	struct err err = {0};
	unsigned char key[32];
	lab->config = make_config(lab);
	for (int i = 0; lab->config->redact.hosts != NULL && lab->config->redact.hosts[i] != NULL; i++)
		redact_add_host(lab->config->redact.hosts[i]);
	lab->jobs = jobs_new(JOBS_INLINE);
	lab->inbox = mailbox_new(100000);
	lab->notices = mailbox_new(100000);
	assert_true(secret_derive(lab->folder, "audit", key, &err));
	lab->store = store_open(lab->folder, key, &err);
	if (lab->store == NULL)
		fail_msg("%s", err.text);
	open_chat(lab, key);
	open_notifier(lab, key);
	struct heal_options options = {
		.keeps_notices = lab->chat != NULL || lab->notifier != NULL,
		.config = lab->config,
		.clock = lab->clock,
		.jobs = lab->jobs,
		.store = lab->store,
		.inbox = lab->inbox,
		.reporters = {lab->notices},
	};
	if (lab->notifier != NULL)
		options.reporters[1] = notifier_mailbox(lab->notifier);
	lab->heal = heal_new(&options, &err);
	if (lab->heal == NULL)
		fail_msg("%s", err.text);
	open_watchers(lab);
	lab->killable = true;
	if (setjmp(lab->killed) == 0) {
		heal_resume(lab->heal);
		lab_settle(lab);
	} else {
		lab_stop(lab);
	}
}

void lab_stop(struct lab *lab)
{
	lab->killable = false;
	if (lab->heal == NULL)
		return;
	take_words(lab);
	for (int i = 0; i < lab->watcher_count; i++)
		watcher_free(lab->watchers[i]);
	chat_close(lab->chat);
	notifier_close(lab->notifier);
	heal_free(lab->heal);
	store_close(lab->store);
	mailbox_free(lab->inbox);
	mailbox_free(lab->notices);
	jobs_free(lab->jobs);
	config_free(lab->config);
	lab->watcher_count = 0;
	lab->chat = NULL;
	lab->notifier = NULL;
	lab->heal = NULL;
	lab->store = NULL;
	lab->inbox = lab->notices = NULL;
	lab->jobs = NULL;
	lab->config = NULL;
}

bool lab_is_up(const struct lab *lab)
{
	return lab->heal != NULL;
}

void lab_free(struct lab *lab)
{
	char command[128];
	lab_stop(lab);
	for (int i = 0; lab_worlds[i] != NULL; i++)
		lab_worlds[i]->end(lab->worlds[i]);
	clock_free(lab->clock);
	free(lab->words);
	static const char *const files[] = {"homeostat.db", "homeostat.db-wal", "homeostat.db-shm",
		"homeostat.lock", "proxmox-pve.nodes", "secret.key", "secrets"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		STR_FORMAT(command, "%s/%s", lab->folder, files[i]);
		remove(command);
	}
	assert_int_equal(remove(lab->folder), 0);
	free(lab);
	lab_current = NULL;
}

/* "pve: down pve1" is for the world of that name, what names none for Docker. */
static int addressee(const char **line)
{
	for (int i = 0; lab_worlds[i] != NULL; i++) {
		size_t length = strlen(lab_worlds[i]->name);
		if (strncmp(*line, lab_worlds[i]->name, length) != 0 || (*line)[length] != ':')
			continue;
		*line += length + 1;
		*line += strspn(*line, " \t");
		return i;
	}
	return 0;
}

void lab_cluster(struct lab *lab, const char *node, const char *critical)
{
	char line[500];
	const char *fingerprint = sim_proxmox_fingerprint(lab_world(lab, &lab_pve), node);
	if (fingerprint == NULL)
		fail_msg("cluster: there is no node %s yet", node);
	STR_FORMAT(line,
		"proxmox: [{ name: pve, url: \"https://%s:8006\", token_id: root@pam!full, "
		"token_secret: %s, fingerprint: \"%s\", critical: [%s] }]",
		node, strrchr(SIM_PVE_TOKEN, '=') + 1, fingerprint, critical);
	lab_config(lab, line);
}

void lab_script(struct lab *lab, const char *line)
{
	char text[256];
	int i = addressee(&line);
	lab_worlds[i]->tick(lab->worlds[i]);
	if (!lab_worlds[i]->script(lab->worlds[i], line, text, sizeof(text)))
		fail_msg("%s: %s", line, text);
}

static void tick(struct lab *lab)
{
	for (int i = 0; lab_worlds[i] != NULL; i++)
		lab_worlds[i]->tick(lab->worlds[i]);
}

/* A poll is held while there is nothing: so it is asked when there is something, or after a while.
 */
static bool polls_now(struct lab *lab)
{
	int64_t now = clock_mono_ms(lab->clock);
	if (now - lab->polled_at < POLL_EVERY_MS && sim_telegram_waiting(lab_phone(lab)) == 0)
		return false;
	lab->polled_at = now;
	return true;
}

/* Until neither the watchers nor the core have anything to do. A watcher has no news when its box
 * stays empty. */
static void settle(struct lab *lab)
{
	bool reload;
	/* the core's first step comes before its watchers', as in the daemon */
	assert_true(heal_step(lab->heal, 0, &reload));
	for (int quiet = 0, n = 0; quiet < 3; quiet++, n++) {
		assert_true(n < 20000);
		tick(lab);
		for (int i = 0; i < lab->watcher_count; i++)
			watcher_step(lab->watchers[i], 0);
		if (lab->chat != NULL && chat_step(lab->chat, polls_now(lab)))
			quiet = 0;
		int64_t notify_wait_ms;
		if (lab->notifier != NULL && notifier_step(lab->notifier, &notify_wait_ms))
			quiet = 0;
		int commits = lab->commits, calls = lab->calls;
		for (int i = 0; i < 50; i++)
			assert_true(heal_step(lab->heal, 0, &reload));
		take_words(lab);
		if (lab->commits != commits || lab->calls != calls)
			quiet = 0;
		if (lab->disk_full && n > 20)
			break;
	}
}

void lab_settle(struct lab *lab)
{
	if (lab->heal == NULL)
		return;
	/* A kill unwinds to here; what it leaves in memory is lost as it would be. */
	if (setjmp(lab->killed) == 0)
		settle(lab);
	else
		lab_stop(lab);
}

void lab_skip(struct lab *lab, int64_t ms)
{
	clock_advance(lab->clock, ms);
	lab_settle(lab);
}

void lab_set_clock(struct lab *lab, int64_t by_ms)
{
	clock_set(lab->clock, by_ms);
}

void lab_advance(struct lab *lab, int64_t ms)
{
	int64_t end = clock_mono_ms(lab->clock) + ms;
	lab_settle(lab);
	while (clock_mono_ms(lab->clock) < end) {
		int64_t step = end - clock_mono_ms(lab->clock);
		int64_t left = lab->heal != NULL ? heal_until_timer(lab->heal) : INT64_MAX;
		if (step > 500)
			step = 500;
		if (left > 0 && left < step)
			step = left;
		clock_advance(lab->clock, step);
		lab_settle(lab);
	}
}

struct answer lab_ask(struct lab *lab, struct request request)
{
	struct answer answer = {0};
	struct mailbox *box = mailbox_new(1);
	struct arena *arena = arena_new(sizeof(request) + 4096);
	struct request *copy = ARENA_NEW(arena, struct request);
	*copy = request;
	copy->answer = box;
	if (copy->actor[0] == '\0')
		STR_SET(copy->actor, "uid:0");
	mailbox_send(lab->inbox, MAIL_REQUEST, &arena, copy);
	lab_settle(lab);
	struct mail *mail = mailbox_receive(box, 0);
	if (mail != NULL) {
		answer = *(struct answer *)mail->body;
		answer.json = NULL;
	}
	mail_free(mail);
	mailbox_free(box);
	return answer;
}

struct search {
	const char *component;
	enum life_state state;
	struct incident found;
	int count;
};

static void take_newest(void *ctx, const struct incident *incident)
{
	struct search *search = ctx;
	if (strcmp(incident->component.name, search->component) == 0 && incident->id > search->found.id)
		search->found = *incident;
}

static void take_count(void *ctx, const struct incident *incident)
{
	struct search *search = ctx;
	search->count += incident->state == search->state;
}

static void search_store(struct lab *lab, struct search *search, store_incident_fn *fn)
{
	struct err err = {0};
	unsigned char key[32];
	assert_true(secret_derive(lab->folder, "audit", key, &err));
	struct store *reader = store_open_reader(lab->folder, key, &err);
	if (reader == NULL)
		fail_msg("%s", err.text);
	assert_true(
		store_incidents(reader, (struct incident_query){INCIDENTS_ALL, 0, 0}, fn, search, &err));
	store_close(reader);
}

bool lab_incident(struct lab *lab, const char *component, struct incident *incident)
{
	struct search search = {.component = component};
	search_store(lab, &search, take_newest);
	*incident = search.found;
	return search.found.id != 0;
}

int lab_count(struct lab *lab, enum life_state state)
{
	struct search search = {.state = state};
	search_store(lab, &search, take_count);
	return search.count;
}

int lab_posts(struct lab *lab, const char *pattern)
{
	return lab_docker.posts(lab_world(lab, &lab_docker), pattern);
}

int lab_pve_posts(struct lab *lab, const char *pattern)
{
	return lab_pve.posts(lab_world(lab, &lab_pve), pattern);
}

int lab_claude_posts(struct lab *lab)
{
	return lab_claude.posts(lab_world(lab, &lab_claude), NULL);
}

static void take_evidence(void *ctx, int attempt, const struct evidence *row)
{
	struct lab *lab = ctx;
	size_t used = strlen(lab->evidence);
	(void)attempt;
	str_format(lab->evidence + used, sizeof(lab->evidence) - used, "%s%s %s: %s\n",
		row->proves ? "*" : "", evidence_kind_name(row->kind), row->source, row->text);
}

const char *lab_evidence(struct lab *lab, int64_t incident_id)
{
	struct err err = {0};
	unsigned char key[32];
	lab->evidence[0] = '\0';
	assert_true(secret_derive(lab->folder, "audit", key, &err));
	struct store *reader = store_open_reader(lab->folder, key, &err);
	if (reader == NULL || !store_evidence(reader, incident_id, take_evidence, lab, &err))
		fail_msg("%s", err.text);
	store_close(reader);
	return lab->evidence;
}

int lab_host_posts(struct lab *lab, const char *pattern)
{
	return lab_host.posts(lab_world(lab, &lab_host), pattern);
}

int lab_most_at_once(const struct lab *lab)
{
	return lab->most;
}

const char *lab_container(struct lab *lab, const char *name)
{
	return sim_docker_state(lab_world(lab, &lab_docker), name);
}

const char *lab_guest(struct lab *lab, int vmid)
{
	return sim_proxmox_guest(lab_world(lab, &lab_pve), vmid);
}

struct sim_telegram *lab_phone(struct lab *lab)
{
	return lab_world(lab, &lab_telegram);
}

const char *lab_words(struct lab *lab)
{
	return lab->words;
}

const char *lab_state_folder(const struct lab *lab)
{
	return lab->folder;
}

static char *one_value(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	char *value = NULL;
	if (sqlite3_step(statement) == SQLITE_ROW)
		value = strdup((const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return value;
}

void lab_check_store(struct lab *lab)
{
	char path[96];
	sqlite3 *db;
	struct err err = {0};
	unsigned char key[32];
	int64_t count;
	STR_FORMAT(path, "%s/homeostat.db", lab->folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	char *integrity = one_value(db, "PRAGMA integrity_check");
	assert_string_equal(integrity, "ok");
	free(integrity);
	char *twice = one_value(
		db, "SELECT incident_id FROM action GROUP BY incident_id, attempt HAVING count(*) > 1");
	assert_null(twice);
	sqlite3_close(db);
	assert_true(secret_derive(lab->folder, "audit", key, &err));
	struct store *reader = store_open_reader(lab->folder, key, &err);
	assert_non_null(reader);
	if (!store_audit_verify(reader, &count, &err))
		fail_msg("%s", err.text);
	store_close(reader);
}

void lab_fail_http(struct lab *lab, int n, enum lab_fault when)
{
	lab->http_at = n == 0 ? 0 : lab->calls + n;
	lab->http_when = when;
	lab->happened = false;
}

void lab_kill_at_commit(struct lab *lab, int n, enum lab_fault when)
{
	lab->kill_at = n == 0 ? 0 : lab->commits + n;
	lab->kill_when = when;
	lab->happened = false;
}

void lab_disk_full(struct lab *lab, bool full)
{
	lab->disk_full = full;
}

bool lab_fault_happened(const struct lab *lab)
{
	return lab->happened;
}

int lab_calls(const struct lab *lab)
{
	return lab->calls;
}

int lab_commits(const struct lab *lab)
{
	return lab->commits;
}
