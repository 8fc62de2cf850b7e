/* Schedules of backup jobs, the survey of backups on the simulator, and rights that are missing. */
#include "client/proxmox_backup.h"
#include "watch_stage.h"

/* 2026-11-23 is a Monday; START_MS is 21:24 UTC of it. */
#define MIDNIGHT_S 1795392000

static int64_t last(const char *text, int64_t time_s)
{
	struct proxmox_schedule schedule;
	if (!proxmox_schedule_parse(text, &schedule))
		fail_msg("\"%s\" is not understood", text);
	return proxmox_schedule_last(&schedule, time_s, 0) - MIDNIGHT_S;
}

static void schedules_are_understood(void **state)
{
	int64_t noon = MIDNIGHT_S + 12 * 3600;
	assert_int_equal(last("daily", noon), 0);
	assert_int_equal(last("00:00", noon), 0);
	assert_int_equal(last("02:30", noon), 2 * 3600 + 1800);
	assert_int_equal(last("21:00", noon), -3 * 3600);
	assert_int_equal(last("2,14:00", noon), 2 * 3600);
	assert_int_equal(last("*:0/30", noon + 1799), 12 * 3600);
	assert_int_equal(last("*/2:00", noon + 3600), 12 * 3600);
	assert_int_equal(last("8..17:15", noon), 11 * 3600 + 900);
	assert_int_equal(last("mon 12:00", noon), 12 * 3600);
	assert_int_equal(last("mon..fri 13:00", noon), -3 * 86400 + 13 * 3600);
	assert_int_equal(last("sat,sun 01:00", noon), -86400 + 3600);
	assert_int_equal(last("sat..sun 01:00", noon), -86400 + 3600);
	assert_int_equal(last("sunday", noon), -86400);
	assert_int_equal(last("weekly", noon), 0);
	assert_int_equal(last("hourly", noon + 100), 12 * 3600);
	assert_int_equal(last("30", noon), 11 * 3600 + 1800);
	assert_int_equal(last("monthly", noon), -22 * 86400);
	assert_int_equal(last("*-*-15 06:00", noon), -8 * 86400 + 6 * 3600);
	assert_int_equal(last("12-24 18:00", noon), -(int64_t)(365 - 31) * 86400 + 18 * 3600);
	assert_int_equal(last("2026-11-20 06:00:00", noon), -3 * 86400 + 6 * 3600);
	assert_int_equal(last("mon,tue 2:30 UTC", noon), 2 * 3600 + 1800);
}

static void what_is_no_schedule_is_refused(void **state)
{
	static const char *const bad[] = {"", "often", "25:00", "12:60", "mon..", "1/0:00", "5..3:00",
		"12:00 never", "13-01", "*-*-32", "::", "12:00,", "0x10:00"};
	struct proxmox_schedule schedule;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (proxmox_schedule_parse(bad[i], &schedule))
			fail_msg("\"%s\" was accepted", bad[i]);
}

static void the_nodes_time_zone_is_found(void **state)
{
	struct proxmox_schedule schedule;
	assert_true(proxmox_schedule_parse("02:00", &schedule));
	/* Berlin in winter, New York, Kathmandu */
	assert_int_equal(proxmox_schedule_offset(&schedule, MIDNIGHT_S + 3600), 3600);
	assert_int_equal(proxmox_schedule_offset(&schedule, MIDNIGHT_S + 7 * 3600), -5 * 3600);
	assert_int_equal(
		proxmox_schedule_offset(&schedule, MIDNIGHT_S - 86400 + 72900), 5 * 3600 + 2700);
	assert_int_equal(proxmox_schedule_offset(&schedule, -1), 0);
	assert_int_equal(
		proxmox_schedule_last(&schedule, MIDNIGHT_S + 2 * 3600, 3600), MIDNIGHT_S + 3600);
}

static int open_world(void **state)
{
	struct watch *watch = watch_new();
	play_all(watch->stage, recorded_world);
	watch_open(watch);
	*state = watch;
	return 0;
}

static int done(void **state)
{
	watch_free(*state);
	return 0;
}

static struct proxmox_survey survey_of(struct watch *watch)
{
	struct proxmox *proxmox = proxmox_open(&watch->proxmox, watch->stage->clock, -1, NULL);
	struct proxmox_look *look = ARENA_NEW(watch->stage->arena, struct proxmox_look);
	struct proxmox_survey survey = {0};
	struct err err = {0};
	if (!proxmox_look(proxmox, 5000, watch->stage->arena, look, &err) ||
		!proxmox_survey(proxmox, look, 12 * 3600000, watch->stage->arena, &survey, &err))
		fail_msg("%s", err.text);
	proxmox_close(proxmox);
	return survey;
}

static const struct proxmox_backed *backed(const struct proxmox_survey *survey, int vmid)
{
	const struct proxmox_backed *found = proxmox_backed_find(survey, vmid);
	if (found == NULL)
		fail_msg("no %d", vmid);
	return found;
}

static void backups_are_surveyed(void **state)
{
	struct watch *watch = *state;
	play(watch->stage, "backup 100 local 3d");
	play(watch->stage, "backup 101 local 20d");
	struct proxmox_survey survey = survey_of(watch);
	int64_t now = clock_wall_ms(watch->stage->clock) / 1000;
	assert_string_equal(survey.blind, "");
	assert_int_equal(survey.guest_count, 8);
	assert_null(proxmox_backed_find(&survey, 4711));
	const struct proxmox_backed *of = backed(&survey, 200);
	assert_int_equal(of->taken_s, now - 3600);
	assert_string_equal(of->storage, "local");
	assert_int_equal(of->job_count, 1);
	assert_string_equal(of->job->id, "nightly");
	assert_true(of->next_s > now);
	assert_false(proxmox_backup_late(of, now));
	of = backed(&survey, 100);
	assert_int_equal(of->taken_s, now - 3 * 86400);
	assert_true(proxmox_backup_late(of, now));
	of = backed(&survey, 101);
	assert_int_equal(of->job_count, 0);
	assert_true(proxmox_backup_late(of, now));
	assert_int_equal(of->taken_s, now - 20 * 86400);
	assert_int_equal(backed(&survey, 102)->taken_s, 0);
}

static void backups_are_judged(void **state)
{
	struct watch *watch = *state;
	play(watch->stage, "backup 100 local 3d");
	watch->critical[0] = 101;
	watch->proxmox.critical_count = 1;
	look_after(watch, 0);
	expect_troubles(watch, 2);
	struct belief *of = expect(watch, "backup_100", ASPECT_STATE, FINDING_BACKUP);
	assert_int_equal(of->seen.fault, FAULT_WARNING);
	of = expect(watch, "backup_101", ASPECT_STATE, FINDING_BACKUP);
	assert_non_null(strstr(of->finding.issue, "no job covers it"));
	expect(watch, "backup_200", ASPECT_STATE, FINDING_NONE);
	assert_null(belief(watch, "backup_9000", ASPECT_STATE));
	play(watch->stage, "backup 100 local 0s");
	play(watch->stage, "backup 101 local 0s");
	look_after(watch, 960000);
	expect_troubles(watch, 0);
}

static void what_cannot_be_seen_is_not_missing(void **state)
{
	struct watch *watch = *state;
	play(watch->stage, "backup 100 local 3d");
	play(watch->stage, "down pve3");
	for (int i = 0; i < 4; i++)
		clock_advance(watch->stage->clock, 10000), sim_proxmox_tick(watch->stage->sim);
	struct proxmox_survey survey = survey_of(watch);
	assert_non_null(strstr(survey.blind, "storage local of pve3"));
	look_after(watch, 0);
	expect(watch, "backup_100", ASPECT_STATE, FINDING_UNSURE);
	expect_troubles(watch, 1); /* the node */
}

static void a_backup_that_failed(void **state)
{
	struct watch *watch = *state;
	play(watch->stage, "backup 100 local 1h");
	play(watch->stage, "task 100 fail 500 no-space-left");
	struct sim_pve_reply reply = ask_with(
		watch->stage, "POST", "/nodes/pve1/vzdump", "vmid=100&storage=local");
	assert_int_equal(reply.status, 200);
	for (int i = 0; i < 6; i++)
		clock_advance(watch->stage->clock, 10000), sim_proxmox_tick(watch->stage->sim);
	look_after(watch, 0);
	struct belief *of = expect(watch, "backup_100", ASPECT_STATE, FINDING_BACKUP);
	assert_int_equal(of->seen.fault, FAULT_FAILED);
	assert_non_null(strstr(of->finding.issue, "no-space-left"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedules_are_understood),
		cmocka_unit_test(what_is_no_schedule_is_refused),
		cmocka_unit_test(the_nodes_time_zone_is_found),
		cmocka_unit_test_setup_teardown(backups_are_surveyed, open_world, done),
		cmocka_unit_test_setup_teardown(backups_are_judged, open_world, done),
		cmocka_unit_test_setup_teardown(what_cannot_be_seen_is_not_missing, open_world, done),
		cmocka_unit_test_setup_teardown(a_backup_that_failed, open_world, done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
