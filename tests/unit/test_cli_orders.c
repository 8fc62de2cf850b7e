/* start, stop and restart: which component a name means, what is posted, and that the exit code
 * tells how it ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/http.h"
#include "base/secret.h"
#include "base/server.h"
#include "base/str.h"
#include "cli/cli.h"
#include "model/target.h"

static char *said, *complained;
static char folder[64], config_file[96], control[96], posted[512];
static const char *const *story; /* what the incident is at each look; the last one stays */
static struct server *server;

static const char components[] =
	"{\"components\":["
	"{\"name\":\"lxc_104\",\"kind\":\"guest\",\"label\":\"vpn\",\"source\":\"proxmox:pve\","
	"\"state\":\"running\"},"
	"{\"name\":\"qemu_102\",\"kind\":\"guest\",\"label\":\"redis\",\"source\":\"proxmox:pve\","
	"\"state\":\"exited\"},"
	"{\"name\":\"docker_container_redis\",\"kind\":\"container\",\"label\":\"redis\","
	"\"source\":\"docker:local\",\"state\":\"running\"},"
	"{\"name\":\"docker_container_web\",\"kind\":\"container\",\"label\":\"web\","
	"\"source\":\"docker:local\",\"state\":\"exited\"},"
	"{\"name\":\"proxmox_node\",\"kind\":\"node\",\"label\":\"pve1\",\"source\":\"proxmox:pve\"}]}";

static void answer(void *ctx, const struct server_request *request, struct server_reply *reply)
{
	const char *body = components;
	if (strcmp(request->method, "POST") == 0) {
		snprintf(posted, sizeof(posted), "%s %s", request->path, request->body);
		body = "{\"ok\":true,\"text\":\"incident 7: as ordered\",\"incident_id\":7}";
	} else if (strcmp(request->path, "/api/v1/incidents/7") == 0) {
		body = *story;
		story += story[1] != NULL ? 1 : 0;
	}
	*reply = (struct server_reply){.status = 200,
		.content_type = "application/json",
		.body = body,
		.body_bytes = strlen(body)};
}

static int call_words(const char *const *words)
{
	size_t said_bytes, complained_bytes;
	int argc = 0;
	free(said);
	free(complained);
	posted[0] = '\0';
	while (words[argc] != NULL)
		argc++;
	FILE *out = open_memstream(&said, &said_bytes);
	FILE *complaints = open_memstream(&complained, &complained_bytes);
	FILE *in = fopen("/dev/null", "r");
	int code = cli_main(argc, words, in, out, complaints);
	fclose(in);
	fclose(out);
	fclose(complaints);
	return code;
}
#define CALL(...) \
	call_words((const char *const[]){"homeostat", "-c", config_file, __VA_ARGS__, NULL})
#define HAS(text, part) \
	do { \
		if (strstr((text), (part)) == NULL) \
			fail_msg("no \"%s\" in:\n%s", (part), (text)); \
	} while (0)

#define STEP(event, state, reason) \
	"{\"event\":\"" event "\",\"state\":\"" state "\",\"reason\":\"" reason "\"}"
static const char deciding[] = "{\"id\":7,\"state\":\"ACTING\",\"history\":[" STEP(
	"SUSPECT", "SUSPECTED", "an older story") "," STEP("ORDERED", "DECIDING",
	"by your order") "," STEP("ALLOWED", "ACTING", "begun") "],\"actions\":[]}";
static const char resolved[] = "{\"id\":7,\"state\":\"RESOLVED\",\"history\":[" STEP(
	"SUSPECT", "SUSPECTED", "an older story") "," STEP("ORDERED", "DECIDING",
	"by your order") "," STEP("ALLOWED", "ACTING", "begun") "," STEP("HEALTHY", "RESOLVED",
	"seen well") "],\"actions\":[{\"text\":\"Successfully did it\"}]}";
static const char escalated[] = "{\"id\":7,\"state\":\"ESCALATED\",\"history\":[" STEP(
	"ORDERED", "DECIDING", "by your order") "],\"actions\":[{\"text\":\"VM is locked (backup)\"}]}";

static const char *const well[] = {deciding, deciding, resolved, NULL};
static const char *const badly[] = {escalated, NULL};

static void a_name_means_one_component(void **state)
{
	static const struct {
		const char *verb, *name, *body;
	} orders[] = {
		{"start", "104", "{\"action\":\"proxmox.guest.start\",\"component\":\"lxc_104\"}"},
		{"restart", "vpn", "{\"action\":\"proxmox.guest.reboot\",\"component\":\"lxc_104\"}"},
		{"stop", "VPN", "{\"action\":\"proxmox.guest.shutdown\",\"component\":\"lxc_104\"}"},
		{"start", "qemu_102", "{\"action\":\"proxmox.guest.start\",\"component\":\"qemu_102\"}"},
		{"restart", "docker_container_redis",
			"{\"action\":\"docker.container.restart\",\"component\":\"docker_container_redis\"}"},
		{"stop", "/web",
			"{\"action\":\"docker.container.stop\",\"component\":\"docker_container_web\"}"},
		{"start", "web",
			"{\"action\":\"docker.container.restart\",\"component\":\"docker_container_web\"}"},
	};
	char want[200];
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		story = well;
		assert_int_equal(CALL(orders[i].verb, orders[i].name), CLI_DONE);
		STR_FORMAT(want, "/api/v1/orders %s", orders[i].body);
		assert_string_equal(posted, want);
	}
}

static void how_a_guest_is_stopped_is_said_with_the_order(void **state)
{
	story = well;
	assert_int_equal(CALL("stop", "--force", "104"), CLI_DONE);
	HAS(posted, "{\"action\":\"proxmox.guest.stop\",\"component\":\"lxc_104\"}");
	story = well;
	assert_int_equal(CALL("stop", "--wait", "2m", "104"), CLI_DONE);
	HAS(posted, "\"proxmox.guest.shutdown\",\"component\":\"lxc_104\",\"params\":\"wait=120\"}");
	assert_int_equal(CALL("stop", "--wait", "2m", "--force", "104"), CLI_USAGE);
	assert_int_equal(CALL("stop", "--wait", "forever", "104"), CLI_USAGE);
	assert_int_equal(CALL("stop", "--force", "web"), CLI_USAGE);
	HAS(complained, "are for guests");
	assert_string_equal(posted, "");
}

static void what_is_not_clear_is_not_done(void **state)
{
	assert_int_equal(CALL("stop", "redis"), CLI_FAILED);
	HAS(complained, "\"redis\" may be qemu_102 (redis), docker_container_redis: say which");
	assert_int_equal(CALL("stop", "vpm"), CLI_FAILED);
	HAS(complained, "did you mean \"vpn\"?");
	assert_int_equal(CALL("stop", "container_w"), CLI_FAILED);
	HAS(complained, "\"container_w\" may be docker_container_web");
	assert_int_equal(CALL("stop", "10"), CLI_FAILED);
	assert_int_equal(CALL("stop", "pve1"), CLI_FAILED);
	assert_int_equal(CALL("stop", "zzzzzz"), CLI_FAILED);
	HAS(complained, "`homeostat components`");
	assert_int_equal(CALL("start", "docker_container_redis"), CLI_FAILED);
	HAS(complained, "is running: nothing was done");
	assert_string_equal(posted, "");
}

static void what_happens_is_shown_until_its_end(void **state)
{
	story = well;
	assert_int_equal(CALL("start", "104"), CLI_DONE);
	assert_string_equal(said,
		"incident 7: as ordered\n"
		"  DECIDING    by your order\n"
		"  ACTING      begun\n"
		"  RESOLVED    seen well\n"
		"✓ Successfully did it\n");
	assert_string_equal(complained, "");
	story = badly;
	assert_int_equal(CALL("start", "104"), CLI_FAILED);
	assert_string_equal(
		complained, "homeostat: VM is locked (backup) (homeostat why 7 tells all)\n");
	story = badly;
	assert_int_equal(CALL("start", "--json", "104"), CLI_FAILED);
	assert_true(str_starts(said, "{\"id\":7,\"state\":\"ESCALATED\""));
	assert_string_equal(complained, "");
}

static void names_beyond_one_source_keep_it(void **state)
{
	static const struct target targets[] = {
		{"lxc_104@a", "vpn", "proxmox:a", COMPONENT_GUEST},
		{"lxc_104@b", "", "proxmox:b", COMPONENT_GUEST},
		{"lxc_1045@a", "104x", "proxmox:a", COMPONENT_GUEST},
	};
	char why[200];
	assert_int_equal(target_find(targets, 3, "104", why, sizeof(why)), -1);
	assert_string_equal(
		why, "\"104\" may be lxc_104@a (vpn), lxc_104@b: say which, by its component's name");
	assert_int_equal(target_find(targets, 3, "lxc_104@b", why, sizeof(why)), 1);
	assert_int_equal(target_find(targets, 3, "1045", why, sizeof(why)), 2);
	assert_int_equal(target_find(targets, 3, "", why, sizeof(why)), -1);
	assert_int_equal(target_find(targets, 0, "104", why, sizeof(why)), -1);
}

static int begin(void **state)
{
	struct err err = {0};
	char text[300];
	secret_init();
	http_global_init();
	snprintf(folder, sizeof(folder), "/tmp/homeostat-orders-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(config_file, sizeof(config_file), "%s/homeostat.yaml", folder);
	snprintf(control, sizeof(control), "%s/control.sock", folder);
	snprintf(text, sizeof(text), "control: %s\ndocker: [{name: local}]\n", control);
	server = server_start(
		&(struct server_config){.unix_socket = control, .socket_mode = 0600, .handler = answer},
		&err);
	return server == NULL || !file_write(config_file, text, strlen(text), &err);
}

static int end(void **state)
{
	server_stop(server);
	unlink(config_file);
	unlink(control);
	free(said);
	free(complained);
	secret_done();
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_means_one_component),
		cmocka_unit_test(how_a_guest_is_stopped_is_said_with_the_order),
		cmocka_unit_test(what_is_not_clear_is_not_done),
		cmocka_unit_test(what_happens_is_shown_until_its_end),
		cmocka_unit_test(names_beyond_one_source_keep_it),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
