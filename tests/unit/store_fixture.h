/*
 * What the tests of the store share: a store in a folder of its own, and an incident to put in it.
 */
#ifndef UNIT_STORE_FIXTURE_H
#define UNIT_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "store/internal.h"

static const unsigned char key[32] = "an audit key, 32 bytes long, yes";

struct fixture {
	char dir[64], path[96];
	struct store *store;
};

static inline void must(bool ok, const struct err *err)
{
	if (!ok)
		fail_msg("%s", err->text);
}

static inline int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	STR_SET(f->dir, "/tmp/test_store.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	STR_FORMAT(f->path, "%s/homeostat.db", f->dir);
	f->store = store_open(f->dir, key, &err);
	must(f->store != NULL, &err);
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	static const char *const names[] = {"homeostat.db", "homeostat.db-wal", "homeostat.db-shm",
		"homeostat.lock", "homeostat.db.v1", "homeostat.db.v2",
		"homeostat.db.v3", "homeostat.db.v4"};
	struct fixture *f = *state;
	store_close(f->store);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];
		STR_FORMAT(path, "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static inline void reopen(struct fixture *f)
{
	struct err err = {0};
	store_close(f->store);
	f->store = store_open(f->dir, key, &err);
	must(f->store != NULL, &err);
}

/* Through another connection, as a stranger would. */
static inline void meddle(const struct fixture *f, const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static inline struct incident sample(const char *component)
{
	struct incident incident = {.attempt = 2,
		.finding = FINDING_EXITED,
		.severity = SEVERITY_UNHEALTHY,
		.state = LIFE_SUSPECTED,
		.ordered = true,
		.parent_id = 7,
		.failed_at = 900,
		.opened_at = 1000,
		.changed_at = 1001,
		.acted_at = 1002,
		.healthy_since = 1003,
		.wake_at = 1004};
	STR_SET(incident.component.name, component);
	STR_SET(incident.component.label, "redis");
	STR_SET(incident.component.source, "docker:local");
	STR_SET(incident.component.native, "0123abcd");
	STR_SET(incident.component.parent, "docker_daemon");
	STR_SET(incident.component.depends_on, "a,b");
	STR_SET(incident.component.action, "restart");
	incident.component.kind = COMPONENT_CONTAINER;
	incident.component.has_risk = true;
	incident.component.risk = RISK_MEDIUM;
	STR_SET(incident.issue, "Docker container 'redis' exited; it's \"bad\" — \xc3\xbc");
	STR_SET(incident.metrics, "{\"a\": 1}");
	STR_SET(incident.reason, "just seen");
	STR_SET(incident.diagnosis.cause, "the application failed");
	STR_SET(incident.diagnosis.by, "rules");
	STR_SET(incident.diagnosis.action, "docker.container.restart");
	STR_SET(incident.diagnosis.evidence, "panic: at line 3");
	incident.diagnosis.confidence = 0.75;
	STR_SET(incident.plan.action, "docker.container.restart");
	STR_SET(incident.plan.component, component);
	STR_SET(incident.plan.title, "Restart container 'redis'");
	STR_SET(incident.plan.label, "redis");
	STR_SET(incident.plan.source, "docker:local");
	STR_SET(incident.plan.native, "0123abcd");
	incident.plan.risk = RISK_MEDIUM;
	plan_seal(&incident.plan);
	STR_SET(incident.actor, "uid:0");
	return incident;
}

static inline int64_t insert(struct store *store, struct incident *incident)
{
	struct err err = {0};
	must(store_incident_insert(store, incident, &err), &err);
	return incident->id;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
