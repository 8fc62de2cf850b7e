/*
 * Mail before a small server that takes every word of SMTP seriously, and may be told to answer
 * otherwise; and what a letter looks like. Against a server of others: tests/real/notify.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/http.h"
#include "base/smtp.h"
#include "base/str.h"
#include "report/notify/channel.h"

#define CREDENTIALS "AG1lAGdlaGVpbS03" /* NUL me NUL geheim-7 */

/* What the server says to a word instead of yes; reply NULL: it says nothing any more. */
struct answer_to {
	const char *word, *reply;
};

struct server {
	int fd, port;
	pthread_t thread;
	struct answer_to odd;
	char log[4096], letter[8192];
	size_t letter_length;
};

static void say(int fd, const char *text)
{
	char line[300];
	STR_FORMAT(line, "%s\r\n", text);
	if (write(fd, line, strlen(line)) < 0)
		return;
}

/* A line that ends in CRLF; false: the connection has ended. */
static bool hear(int fd, char *line, size_t size)
{
	size_t length = 0;
	while (length + 1 < size && read(fd, line + length, 1) == 1) {
		length++;
		if (length >= 2 && line[length - 2] == '\r' && line[length - 1] == '\n') {
			line[length - 2] = '\0';
			return true;
		}
	}
	return false;
}

static void take_letter(struct server *server, int fd)
{
	char line[1024];
	while (hear(fd, line, sizeof(line)) && !str_equal(line, ".")) {
		size_t length = strlen(line);
		if (server->letter_length + length + 2 >= sizeof(server->letter))
			return;
		memcpy(server->letter + server->letter_length, line, length);
		server->letter_length += length;
		server->letter[server->letter_length++] = '\n';
	}
}

/* False: it has been told to hang up or be silent. */
static bool answer(struct server *server, int fd, const char *line)
{
	if (server->odd.word != NULL && str_starts(line, server->odd.word)) {
		if (server->odd.reply != NULL)
			say(fd, server->odd.reply);
		return server->odd.reply != NULL;
	}
	if (str_starts(line, "EHLO "))
		say(fd, "250-mail.test\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 100000");
	else if (str_equal(line, "AUTH PLAIN"))
		say(fd, "334 ");
	else if (str_equal(line, CREDENTIALS))
		say(fd, "235 2.7.0 yes");
	else if (str_starts(line, "MAIL FROM:<") || str_starts(line, "RCPT TO:<"))
		say(fd, "250 2.1.0 yes");
	else if (str_equal(line, "DATA")) {
		say(fd, "354 go on");
		take_letter(server, fd);
		say(fd, "250 2.0.0 queued");
	} else if (str_equal(line, "QUIT"))
		say(fd, "221 bye");
	else
		say(fd, "500 5.5.2 what?");
	return true;
}

static void *server_main(void *arg)
{
	struct server *server = arg;
	char line[600];
	int fd = accept(server->fd, NULL, NULL);
	if (fd < 0)
		return NULL;
	say(fd, "220 mail.test ESMTP");
	while (hear(fd, line, sizeof(line))) {
		size_t used = strlen(server->log);
		str_format(server->log + used, sizeof(server->log) - used, "%s\n", line);
		if (!answer(server, fd, line))
			break;
	}
	while (server->odd.word != NULL && server->odd.reply == NULL &&
		recv(fd, line, sizeof(line), 0) > 0)
		continue;
	close(fd);
	return NULL;
}

static void server_start_at(struct server *server, struct answer_to odd)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	*server = (struct server){.odd = odd};
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(server->fd, 1), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, server_main, server), 0);
}

static void server_end(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	close(server->fd);
	pthread_join(server->thread, NULL);
}

static const char *const to[] = {"a@example.org", "b@example.org", NULL};
static const char text[] = "Subject: x\r\n\r\n.dot\r\nline\r\n";

static bool send_to(struct server *server, const char *user, int64_t timeout_ms, struct err *err)
{
	char url[64];
	STR_FORMAT(url, "smtp://127.0.0.1:%d", server->port);
	struct smtp_server at = {.url = url,
		.user = user,
		.password = user != NULL ? "geheim-7" : NULL,
		.may_be_plain = true,
		.timeout_ms = timeout_ms,
		.stop_fd = -1,
		.name = "smtp:home"};
	struct smtp_letter letter = {
		.from = "h@example.org", .to = to, .text = text, .length = strlen(text)};
	*err = (struct err){0};
	return smtp_send(&at, &letter, err);
}

static void a_letter_arrives_whole_at_everybody(void **state)
{
	struct server server;
	struct err err;
	server_start_at(&server, (struct answer_to){NULL, NULL});
	if (!send_to(&server, "me", 5000, &err))
		fail_msg("%s", err.text);
	server_end(&server);
	assert_non_null(strstr(server.log, CREDENTIALS));
	assert_non_null(strstr(server.log, "MAIL FROM:<h@example.org>"));
	assert_non_null(strstr(server.log, "RCPT TO:<a@example.org>"));
	assert_non_null(strstr(server.log, "RCPT TO:<b@example.org>"));
	assert_string_equal(server.letter, "Subject: x\n\n..dot\nline\n");
}

static void a_refusal_says_whether_it_is_for_good(void **state)
{
	static const struct {
		struct answer_to odd;
		enum err_kind kind;
		const char *says;
	} rows[] = {
		{{"MAIL", "451 4.3.0 not now"}, ERR_RETRY, "451"},
		{{"MAIL", "550 5.7.1 not you"}, ERR_INPUT, "550"},
		{{"RCPT", "550 5.1.1 nobody"}, ERR_INPUT, "550"},
		{{"RCPT TO:<b", "550 5.1.1 nobody"}, ERR_NONE, ""},
		{{"RCPT", "452 4.2.2 full"}, ERR_RETRY, "452"},
		{{"DATA", "554 5.6.0 no"}, ERR_INPUT, "554"},
		{{CREDENTIALS, "535 5.7.8 wrong"}, ERR_DENIED, "user and token right"},
		{{"EHLO", "421 4.3.2 closing"}, ERR_RETRY, ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct server server;
		struct err err;
		server_start_at(&server, rows[i].odd);
		bool sent = send_to(&server, "me", 5000, &err);
		server_end(&server);
		assert_int_equal(sent, rows[i].kind == ERR_NONE);
		if (sent)
			continue;
		if (err.kind != rows[i].kind || strstr(err.text, rows[i].says) == NULL ||
			!str_starts(err.text, "smtp:home: "))
			fail_msg("%s: kind %d: %s", rows[i].odd.reply, (int)err.kind, err.text);
		assert_null(strstr(err.text, "geheim"));
	}
}

static void silence_ends_by_the_deadline(void **state)
{
	struct server server;
	struct err err;
	struct timespec before, after;
	server_start_at(&server, (struct answer_to){"MAIL", NULL});
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_false(send_to(&server, NULL, 300, &err));
	clock_gettime(CLOCK_MONOTONIC, &after);
	server_end(&server);
	assert_int_equal(err.kind, ERR_TIMEOUT);
	assert_true(after.tv_sec - before.tv_sec < 5);
}

static void a_stop_ends_it(void **state)
{
	struct server server;
	struct err err = {0};
	char url[64];
	uint64_t one = 1;
	int stop_fd = eventfd(0, EFD_CLOEXEC);
	server_start_at(&server, (struct answer_to){"EHLO", NULL});
	STR_FORMAT(url, "smtp://127.0.0.1:%d", server.port);
	struct smtp_server at = {.url = url,
		.may_be_plain = true,
		.timeout_ms = 60000,
		.stop_fd = stop_fd,
		.name = "smtp:home"};
	struct smtp_letter letter = {
		.from = "h@example.org", .to = to, .text = text, .length = strlen(text)};
	assert_int_equal(write(stop_fd, &one, sizeof(one)), sizeof(one));
	assert_false(smtp_send(&at, &letter, &err));
	assert_int_equal(err.kind, ERR_CANCELLED);
	close(stop_fd);
	server_end(&server);
}

static void without_tls_nothing_is_sent_elsewhere(void **state)
{
	struct server server;
	struct err err = {0};
	char url[64];
	server_start_at(&server, (struct answer_to){NULL, NULL});
	STR_FORMAT(url, "smtp://127.0.0.1:%d", server.port);
	struct smtp_server at = {
		.url = url, .user = "me", .password = "geheim-7", .stop_fd = -1, .name = "smtp:home"};
	struct smtp_letter letter = {
		.from = "h@example.org", .to = to, .text = text, .length = strlen(text)};
	assert_false(smtp_send(&at, &letter, &err));
	server_end(&server);
	assert_int_equal(err.kind, ERR_DENIED);
	assert_non_null(strstr(err.text, "STARTTLS"));
	assert_null(strstr(server.log, "AUTH"));
	assert_null(strstr(server.log, "MAIL"));
}

static void a_letter_is_well_formed(void **state)
{
	auto_arena arena = arena_new(1 << 20);
	struct clock *clock = clock_new_wound(1761307200000);
	struct config_notify settings = {.name = "home", .from = "h@example.org", .to = to};
	struct channel channel = {.settings = &settings, .clock = clock};
	struct told told = {
		.title = "[nas] ⚠️ Genehmigung für einen sehr langen Namen, damit es mehr als "
				 "eine Zeile wird",
		.text = "Erste Zeile\n.\nBcc: x@example.org",
		.id = "7-1761307200000",
		.severity = SEVERITY_CRITICAL};
	struct outgoing out = {.method = "POST"};
	mail_channel.compose(&channel, &told, &out, arena);
	assert_non_null(strstr(out.body, "From: homeostat <h@example.org>\r\n"));
	assert_non_null(strstr(out.body, "To: <a@example.org>,\r\n <b@example.org>\r\n"));
	assert_non_null(strstr(out.body, "Date: Fri, 24 Oct 2025 12:00:00 +0000\r\n"));
	assert_non_null(strstr(out.body, "Message-ID: <7-1761307200000.home@example.org>\r\n"));
	assert_null(strstr(out.body, "Bcc"));
	/* no line is too long, and all but the last end in CRLF */
	for (const char *line = out.body; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		assert_true(length <= 77);
		assert_true(length > 0 && line[length - 1] == '\r');
		line += length + 1;
	}
	clock_free(clock);
}

int main(void)
{
	http_global_init();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_letter_arrives_whole_at_everybody),
		cmocka_unit_test(a_refusal_says_whether_it_is_for_good),
		cmocka_unit_test(silence_ends_by_the_deadline),
		cmocka_unit_test(a_stop_ends_it),
		cmocka_unit_test(without_tls_nothing_is_sent_elsewhere),
		cmocka_unit_test(a_letter_is_well_formed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
