/*
 * What a person sends to Telegram: commands, names, buttons, and who is a person at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "report/telegram/command.h"
#include "report/telegram/html.h"
#include "report/telegram/menu.h"
#include "telegram_strict.h"

#define NOW 1761323415000
#define GUESTS 37
#define CONTAINERS 120

static struct core_status core = {.now = NOW, .sources = 2, .started_at = NOW - 86400000};

struct world {
	struct fact_guest guests[GUESTS];
	struct fact_container containers[CONTAINERS];
	struct fact_backup backups[GUESTS];
	struct fact_node nodes[3];
	struct audit_entry audit[20];
	char names[GUESTS + CONTAINERS][2][64];
};

/* A homelab in every state, some of it with hostile names. */
static struct facts furnish(struct world *world)
{
	static const char *const hostile[] = {
		"nginx-proxy", "<b>&amp;", "🔥/stop_vm", "x\xFF\n\xE2\x80\xAEy"};
	*world = (struct world){0};
	for (int i = 0; i < GUESTS; i++) {
		char(*name)[64] = world->names[i];
		STR_FORMAT(name[0], "%s_%d", i % 2 == 0 ? "lxc" : "qemu", 100 + i);
		STR_FORMAT(name[1], "guest-%d", i);
		world->guests[i] = (struct fact_guest){.vmid = 100 + i,
			.is_lxc = i % 2 == 0,
			.component = name[0],
			.name = name[1],
			.node = "pve",
			.tags = "a;b",
			.state = (enum guest_state)(i % 4),
			.lock = i == 9 ? "backup" : "",
			.cpu = i,
			.memory = 50,
			.critical = i % 5 == 0,
			.is_template = i == 13};
		world->backups[i] = (struct fact_backup){.vmid = 100 + i,
			.component = name[0],
			.name = name[1],
			.good_at = NOW - 3600000,
			.bytes = 5LL << 30,
			.storage = "pbs",
			.schedule = "daily",
			.verdict = (enum backup_verdict)(i % 4),
			.why = "it is old"};
	}
	for (int i = 0; i < CONTAINERS; i++) {
		char(*name)[64] = world->names[GUESTS + i];
		STR_FORMAT(name[0], "docker_container_%d", i);
		STR_FORMAT(name[1], "%s%d", hostile[i % 4], i);
		world->containers[i] = (struct fact_container){.component = name[0],
			.name = name[1],
			.engine = "local",
			.state = (enum obs_state)(i % 8),
			.health = (enum obs_health)(i % 4),
			.status = "Up 3 hours",
			.image = "nginx:1",
			.critical = i % 7 == 0};
	}
	for (int i = 0; i < 3; i++)
		world->nodes[i] = (struct fact_node){.component = "proxmox_node",
			.name = "pve",
			.online = i != 1,
			.cpu = 12.3,
			.memory = 95.2,
			.disk = -1,
			.memory_bytes = 64LL << 30,
			.memory_max_bytes = 67LL << 30,
			.uptime_s = 900000};
	for (int i = 0; i < 20; i++) {
		STR_SET(world->audit[i].what, "approval.yes");
		STR_SET(world->audit[i].text, "Restart container '<b>'");
	}
	STR_SET(core.source[0].name, "docker:local");
	core.source[0].reached = true;
	STR_SET(core.source[1].name, "proxmox:pve");
	STR_SET(core.source[1].text, "no answer in 5 s");
	return (struct facts){.core = &core,
		.interval_ms = 60000,
		.health = "🏥 System Health Report",
		.nodes = world->nodes,
		.guests = world->guests,
		.containers = world->containers,
		.backups = world->backups,
		.audit = world->audit,
		.node_count = 3,
		.guest_count = GUESTS,
		.container_count = CONTAINERS,
		.backup_count = GUESTS,
		.audit_count = 20};
}

static void assert_parses(const struct message *message)
{
	struct strict strict = strict_parse(message->html);
	if (strict.wrong != NULL)
		fail_msg("%s: %s", strict.wrong, message->html);
	assert_in_range(strict.units, 1, HTML_UNITS_MAX);
	free(strict.text);
	for (int i = 0; i < message->buttons; i++) {
		struct strict label = strict_parse("");
		assert_true(message->button[i].text[0] != '\0');
		for (const char *c = message->button[i].text; *c != '\0';) {
			size_t n = strict_character((const unsigned char *)c);
			assert_true(n > 0 && *c != '\n');
			c += n;
		}
		free(label.text);
	}
}

#define PLACES_MAX 2000
struct walk {
	char path[PLACES_MAX][PATH_MAX_BYTES];
	int number[PLACES_MAX], count;
};

static void discover(struct walk *walk, const char *path, int number)
{
	for (int i = 0; i < walk->count; i++)
		if (strcmp(walk->path[i], path) == 0 && walk->number[i] == number)
			return;
	assert_true(walk->count < PLACES_MAX);
	STR_SET(walk->path[walk->count], path);
	walk->number[walk->count++] = number;
}

static const struct button *labelled(const struct message *message, const char *label)
{
	for (int i = 0; i < message->buttons; i++)
		if (strcmp(message->button[i].text, label) == 0)
			return &message->button[i];
	return NULL;
}

static bool knows(const struct facts *facts, const char *component)
{
	for (int i = 0; i < facts->guest_count; i++)
		if (strcmp(facts->guests[i].component, component) == 0)
			return true;
	for (int i = 0; i < facts->container_count; i++)
		if (strcmp(facts->containers[i].component, component) == 0)
			return true;
	return false;
}

static void every_button_leads_to_a_page_and_back_always_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct facts facts = furnish(world);
	struct walk *walk = calloc(1, sizeof(*walk));
	int orders = 0, questions = 0;
	discover(walk, "", 1);
	for (int at = 0; at < walk->count; at++) {
		auto_arena arena = arena_new(4 << 20);
		struct message *message = menu_show(&facts, walk->path[at], walk->number[at], arena);
		char parent[PATH_MAX_BYTES];
		assert_parses(message);
		assert_null(strstr(message->html, "no longer there"));
		assert_null(strstr(message->html, "cannot be"));
		for (int i = 0; i < message->buttons; i++) {
			const struct intent *intent = &message->button[i].intent;
			orders += intent->kind == INTENT_ORDER;
			if (intent->kind == INTENT_ORDER)
				assert_true(knows(&facts, intent->component));
			else
				assert_int_equal(intent->kind, INTENT_PAGE);
			if (intent->kind == INTENT_PAGE)
				discover(walk, intent->path, intent->number);
		}
		const struct button *back = labelled(message, "⬅️ Back");
		questions += strstr(walk->path[at], "/stop") != NULL;
		if (walk->path[at][0] == '\0') {
			assert_null(back);
			continue;
		}
		menu_parent(walk->path[at], parent);
		assert_non_null(back);
		assert_string_equal(back->intent.path, parent);
		assert_true(strlen(parent) < strlen(walk->path[at]));
	}
	/* All of them were seen, each guest and container with a page of its own. */
	assert_true(walk->count > GUESTS * 2 + CONTAINERS);
	assert_true(orders > 40 && questions > 5);
	free(walk);
	free(world);
}

static void the_menu_is_the_documents(void **state)
{
	static const char *const labels[] = {
		"📊 Status", "🖥️ Node Info", "📦 VMs", "🐳 Docker", "🏥 Health", "💾 Backups"};
	auto_arena arena = arena_new(1 << 20);
	struct facts facts = {.core = &core};
	struct message *message = menu_show(&facts, "", 1, arena);
	assert_int_equal(message->buttons, 6);
	for (int i = 0; i < 6; i++) {
		assert_string_equal(message->button[i].text, labels[i]);
		assert_int_equal(message->button[i].row, i / 2);
		assert_parses(menu_show(&facts, message->button[i].intent.path, 1, arena)); /* of nothing */
	}
}

/* Which deeds a page offers, as bits; of critical ones, by the question first. */
static int offered(const struct message *message, bool critical)
{
	static const char *const labels[] = {"▶️ Start", "⏹️ Stop", "🔄 Restart"};
	int bits = 0;
	for (int deed = 0; deed < DEEDS; deed++) {
		const struct button *button = labelled(message, labels[deed]);
		if (button == NULL)
			continue;
		bits |= 1 << deed;
		bool asks = critical && deed != DEED_START;
		assert_int_equal(button->intent.kind, asks ? INTENT_PAGE : INTENT_ORDER);
	}
	return bits;
}

static void a_page_offers_only_what_makes_sense(void **state)
{
	static const int by_state[] = {
		0, 1 << DEED_STOP | 1 << DEED_RESTART, 1 << DEED_START, 1 << DEED_STOP};
	for (int i = 0; i < 32; i++) {
		auto_arena arena = arena_new(1 << 20);
		struct fact_guest guest = {.vmid = 104,
			.component = "lxc_104",
			.name = "agents",
			.state = (enum guest_state)(i % 4),
			.critical = (i & 4) != 0,
			.is_template = (i & 8) != 0,
			.lock = (i & 16) != 0 ? "backup" : ""};
		struct facts facts = {.core = &core, .guests = &guest, .guest_count = 1};
		struct message *message = menu_show(&facts, "vms/lxc_104", 1, arena);
		int want = (i & 24) != 0 ? 0 : by_state[i % 4];
		assert_int_equal(offered(message, guest.critical), want);
		/* And the question of what makes no sense is none. */
		message = menu_show(&facts, "vms/lxc_104/stop", 1, arena);
		assert_true(
			(labelled(message, "⏹️ Yes, stop") != NULL) == ((want & 1 << DEED_STOP) != 0));
	}
}

static void what_is_gone_or_nonsense_says_so_and_leads_back(void **state)
{
	static const char *const paths[] = {"vms/lxc_999", "docker/x/restart", "nonsense",
		"vms/lxc_104/eat", "/", "//", "status/x", "backup/lxc_1/stop", "vms/", "<b>"};
	struct facts facts = {.core = &core};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		auto_arena arena = arena_new(1 << 20);
		struct message *message = menu_show(&facts, paths[i], 3, arena);
		assert_parses(message);
		assert_non_null(labelled(message, "⬅️ Back"));
	}
}

static void assert_parsed(const char *text, enum command_result want, const char *target)
{
	struct command command;
	struct command_error error;
	enum command_result got = command_parse(text, "HomelabBot", &command, &error);
	if (got != want)
		fail_msg("'%s' gives %d instead of %d (%s)", text, got, want, error.why);
	if (target != NULL)
		assert_string_equal(command.target, target);
}

static void every_command_is_understood_in_all_spellings(void **state)
{
	for (int i = 0; i < COMMANDS; i++) {
		const struct command_info *info = &telegram_commands[i];
		struct command command;
		struct command_error error;
		char text[200], upper[200];
		STR_FORMAT(text, "/%s %s", info->name, info->example);
		assert_int_equal(command_parse(text, "b", &command, &error), COMMAND_UNDERSTOOD);
		assert_int_equal(command.kind, i);
		STR_FORMAT(upper, " \t/%s@HomelabBOT\xC2\xA0 %s\n", info->name, info->example);
		for (char *c = upper; *c != '@'; c++)
			*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
		assert_int_equal(command_parse(upper, "homelabbot", &command, &error), COMMAND_UNDERSTOOD);
		assert_int_equal(command.kind, i);
		STR_FORMAT(text, "/%s@OtherBot %s", info->name, info->example);
		assert_int_equal(command_parse(text, "homelabbot", &command, &error), COMMAND_NOT_OURS);
		/* What setMyCommands takes. */
		assert_in_range(strlen(info->name), 1, 32);
		assert_int_equal(
			strspn(info->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(info->name));
		assert_in_range(strlen(info->summary), 1, 256);
	}
}

static void arguments_are_read_as_people_type_them(void **state)
{
	assert_parsed("/restart_container nginx-proxy", COMMAND_UNDERSTOOD, "nginx-proxy");
	assert_parsed("/restart_container   \"my container\" ", COMMAND_UNDERSTOOD, "my container");
	assert_parsed("/restart_container “nginx”", COMMAND_UNDERSTOOD, "nginx");
	assert_parsed("/restart_container o'brien", COMMAND_UNDERSTOOD, "o'brien");
	assert_parsed("/restart_container 'half", COMMAND_UNDERSTOOD, "'half");
	assert_parsed("/start_vm\t104", COMMAND_UNDERSTOOD, "104");
	assert_parsed("/start_vm #104", COMMAND_UNDERSTOOD, "#104");
	assert_parsed("/start_vm homelab-agents", COMMAND_UNDERSTOOD, "homelab-agents");
	assert_parsed("/backup", COMMAND_UNDERSTOOD, "");
	assert_parsed("/backup 102", COMMAND_UNDERSTOOD, "102");
	assert_parsed("/start deep-link", COMMAND_UNDERSTOOD, NULL);
	assert_parsed("/start_vm", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("/start_vm ''", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("/start_vm 7", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("/start_vm 99999999999", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("/start_vm 104 105", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("/health now", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("/backup ''", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("/why", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("/why nginx", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("/why -1", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("/mute a b", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("/mute 90d", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("/mute 0", COMMAND_BAD_ARGUMENTS, NULL);
	assert_parsed("hello", COMMAND_NONE, NULL);
	assert_parsed("", COMMAND_NONE, NULL);
	assert_parsed("/", COMMAND_NONE, NULL);
	assert_parsed("well, /health", COMMAND_NONE, NULL);
	assert_parsed("/healthy@Other", COMMAND_NOT_OURS, NULL);
	struct command command;
	struct command_error error;
	command_parse("/why #12", "b", &command, &error);
	assert_int_equal(command.incident_id, 12);
	command_parse("/start_vm #104", "b", &command, &error);
	assert_int_equal(command.vmid, 104);
	command_parse("/mute 2h docker_container_a", "b", &command, &error);
	assert_int_equal(command.duration_ms, 7200000);
	assert_string_equal(command.target, "docker_container_a");
	command_parse("/mute", "b", &command, &error);
	assert_int_equal(command.duration_ms, MUTE_DEFAULT_MS);
}

static void hostile_commands_end_in_an_answer_that_parses(void **state)
{
	for (uint32_t seed = 1; seed <= 2000; seed++) {
		auto_arena arena = arena_new(8 << 20);
		struct command command;
		struct command_error error;
		char *tail = strict_hostile(seed);
		const char *text = arena_printf(
			arena, "/%s %s", seed % 3 == 0 ? "" : telegram_commands[seed % COMMANDS].name, tail);
		enum command_result result = command_parse(text, "b", &command, &error);
		struct message *message = command_complaint(result, &command, &error, arena);
		if (message != NULL)
			assert_parses(message);
		else
			assert_true(result != COMMAND_BAD_ARGUMENTS && result != COMMAND_UNKNOWN);
		free(tail);
	}
}

static const char *complaint(struct arena *arena, const char *text)
{
	struct command command;
	struct command_error error;
	enum command_result result = command_parse(text, "b", &command, &error);
	struct message *message = command_complaint(result, &command, &error, arena);
	assert_non_null(message);
	assert_parses(message);
	return html_plain(message->html, arena);
}

static void what_is_wrong_is_said_with_the_cure(void **state)
{
	auto_arena arena = arena_new(1 << 20);
	assert_string_equal(complaint(arena, "/start_vm"),
		"❌ Which one?\n\nUsage: /start_vm <id>\nExample: /start_vm 104");
	assert_string_equal(complaint(arena, "/start-vm 104"),
		"❓ Unknown command: /start-vm\nDid you mean /start_vm <id>?\n/help shows all commands");
	assert_string_equal(complaint(arena, "/heatlh"),
		"❓ Unknown command: /heatlh\nDid you mean /health?\n/help shows all commands");
	assert_string_equal(
		complaint(arena, "/zzzzzz"), "❓ Unknown command: /zzzzzz\n/help shows all commands");
	assert_string_equal(complaint(arena, "/health x"), "❌ It takes nothing.\n\nUsage: /health");
	struct message *help = command_help(arena);
	assert_parses(help);
	for (int i = 0; i < COMMANDS; i++)
		assert_non_null(
			strstr(help->html, arena_printf(arena, "\n/%s", telegram_commands[i].name)));
	assert_parses(command_welcome("Ada <3", arena));
	assert_parses(command_welcome(NULL, arena));
}

static enum target_result aim(const char *text, struct arena *arena, struct target *target)
{
	static struct fact_guest guests[] = {
		{.vmid = 104, .component = "lxc_104", .name = "homelab-agents", .critical = true},
		{.vmid = 102, .component = "qemu_102", .name = "web"},
		{.vmid = 105, .component = "lxc_105@a", .name = "twin"},
		{.vmid = 105, .component = "lxc_105@b", .name = "twin"},
	};
	static struct fact_container containers[] = {
		{.component = "docker_container_nginx-proxy", .name = "nginx-proxy"},
		{.component = "docker_container_104", .name = "104"},
	};
	struct facts facts = {.core = &core,
		.guests = guests,
		.guest_count = 4,
		.containers = containers,
		.container_count = 2};
	struct command command;
	struct command_error error;
	assert_int_equal(command_parse(text, "b", &command, &error), COMMAND_UNDERSTOOD);
	enum target_result result = command_target(&command, &facts, arena, target);
	if (result != TARGET_FOUND)
		assert_parses(target->message);
	return result;
}

static void a_name_is_found_asked_back_or_suggested(void **state)
{
	auto_arena arena = arena_new(8 << 20);
	struct target target;
	assert_int_equal(aim("/stop_vm 104", arena, &target), TARGET_FOUND);
	assert_string_equal(target.component, "lxc_104");
	assert_string_equal(target.words, "VM/Container 104");
	assert_string_equal(target.confirm, "vms/lxc_104/stop");
	assert_true(target.critical && target.deed == DEED_STOP);
	assert_int_equal(aim("/start_vm Homelab-Agents", arena, &target), TARGET_FOUND);
	assert_int_equal(aim("/start_vm LXC_104", arena, &target), TARGET_FOUND);
	assert_int_equal(aim("/restart_container 104", arena, &target), TARGET_FOUND);
	assert_string_equal(target.words, "container '104'");
	assert_true(target.deed == DEED_RESTART && !target.critical);
	/* The guess is never done, only offered, and by a page that asks. */
	assert_int_equal(aim("/restart_container ngix-proxy", arena, &target), TARGET_UNCLEAR);
	assert_string_equal(target.message->button[0].text, "nginx-proxy");
	assert_int_equal(target.message->button[0].intent.kind, INTENT_PAGE);
	assert_string_equal(
		target.message->button[0].intent.path, "docker/docker_container_nginx-proxy/restart");
	/* A number is no misspelling of another. */
	assert_int_equal(aim("/stop_vm 103", arena, &target), TARGET_UNCLEAR);
	assert_int_equal(target.message->buttons, 1);
	/* The other kind of the same number is another thing. */
	assert_int_equal(aim("/stop_vm qemu_104", arena, &target), TARGET_UNCLEAR);
	assert_int_equal(aim("/stop_vm 105", arena, &target), TARGET_UNCLEAR);
	assert_int_equal(target.message->buttons, 2);
	assert_int_equal(aim("/stop_vm lxc_105@b", arena, &target), TARGET_FOUND);
	assert_int_equal(aim("/backup web", arena, &target), TARGET_FOUND);
	assert_string_equal(target.confirm, "backup/qemu_102");
}

static void only_an_allowed_person_is_anybody(void **state)
{
	static const int64_t allowed[] = {123456789, 5};
	for (int bits = 0; bits < 64; bits++) {
		struct sender sender = {.from_id = (bits & 32) != 0 ? 12345678 : 123456789,
			.is_bot = bits & 1,
			.is_channel_post = bits & 2,
			.is_forwarded = bits & 4,
			.has_sender_chat = bits & 8,
			.is_edited = bits & 16};
		enum access access = sender_access(&sender, allowed, 2);
		assert_true((access == ACCESS_ALLOWED) == (bits == 0));
		assert_true(strlen(access_reason(access)) > 5);
		assert_int_equal(sender_access(&sender, allowed, 0) == ACCESS_ALLOWED, false);
	}
	/* Neither by a part of the number nor by its absence. */
	static const int64_t near[] = {0, -5, 50, 15, 1234567890, 123456788, INT64_MIN, INT64_MAX};
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
		assert_int_not_equal(
			sender_access(&(struct sender){.from_id = near[i]}, allowed, 2), ACCESS_ALLOWED);
	static const int64_t zero[] = {0};
	assert_int_equal(sender_access(&(struct sender){.from_id = 0}, zero, 1), ACCESS_NO_SENDER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_button_leads_to_a_page_and_back_always_up),
		cmocka_unit_test(the_menu_is_the_documents),
		cmocka_unit_test(a_page_offers_only_what_makes_sense),
		cmocka_unit_test(what_is_gone_or_nonsense_says_so_and_leads_back),
		cmocka_unit_test(every_command_is_understood_in_all_spellings),
		cmocka_unit_test(arguments_are_read_as_people_type_them),
		cmocka_unit_test(hostile_commands_end_in_an_answer_that_parses),
		cmocka_unit_test(what_is_wrong_is_said_with_the_cure),
		cmocka_unit_test(a_name_is_found_asked_back_or_suggested),
		cmocka_unit_test(only_an_allowed_person_is_anybody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
