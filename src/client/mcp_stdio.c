/*
 * A server that is our child: a message a line on one socket that is its stdin and stdout, its log
 * on a pipe. Whatever we wait for, all of them are read, so that neither side stops the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/spawn.h"
#include "client/mcp_internal.h"

#define GRACE_MS 2000
#define FAREWELL_MS 1000
/* A process that has closed its stdout is about to end: with which code? */
#define LAST_MS 300

static bool set_ended(struct mcp *mcp, enum err_kind kind, const char *why, struct err *err)
{
	mcp->stdio.ended = true;
	return err_set(err, kind, "%s: %s", mcp->name, why);
}

bool mcp_stdio_start(struct mcp *mcp, struct err *err)
{
	struct mcp_stdio *stdio = &mcp->stdio;
	mcp->noise[0] = mcp->last[0] = '\0';
	stdio->fd = spawn_socket_piped(mcp->config.command, &stdio->pid, &stdio->complaints, err);
	if (stdio->fd < 0)
		return err_prefix(err, "%s", mcp->name);
	fcntl(stdio->fd, F_SETFL, O_NONBLOCK);
	stdio->ended = false;
	return true;
}

/* Keeps the end of what it says, from the beginning of a line where there is one. */
static void hear(struct mcp *mcp)
{
	char bytes[1024];
	/* what comes faster than this waits for the next time */
	for (int i = 0; i < 256; i++) {
		ssize_t n = mcp->stdio.complaints >= 0 ? read(mcp->stdio.complaints, bytes, sizeof(bytes))
											   : -1;
		if (n == 0) {
			close(mcp->stdio.complaints);
			mcp->stdio.complaints = -1;
		}
		if (n <= 0)
			return;
		size_t had = strlen(mcp->last), room = sizeof(mcp->last) - 1, add = (size_t)n;
		if (had + add > room) {
			size_t drop = had + add - room;
			memmove(mcp->last, mcp->last + drop, had - drop);
			had -= drop;
		}
		for (size_t k = 0; k < add; k++)
			mcp->last[had + k] = bytes[k] == '\0' ? ' ' : bytes[k];
		mcp->last[had + add] = '\0';
	}
}

void mcp_complaint(struct mcp *mcp, char *text, size_t size)
{
	hear(mcp);
	const char *from = mcp->last;
	size_t length = strlen(from);
	while (length > 0 && (unsigned char)from[length - 1] <= ' ')
		length--;
	size_t most = size > 1 ? size - 1 : 0, skip = length > most ? length - most : 0;
	while (skip > 0 && skip < length && ((unsigned char)from[skip] & 0xC0) == 0x80)
		skip++;
	str_format(text, size, "%.*s", (int)(length - skip), from + skip);
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = ' ';
}

/* Its last line, for an error. */
static void last_words(struct mcp *mcp, char *text, size_t size)
{
	char all[sizeof(mcp->last)];
	hear(mcp);
	STR_SET(all, mcp->last);
	size_t length = strlen(all);
	while (length > 0 && (unsigned char)all[length - 1] <= ' ')
		all[--length] = '\0';
	const char *line = strrchr(all, '\n');
	str_copy(text, size, line != NULL ? line + 1 : all);
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = ' ';
}

/* Whether it ends within ms; it is not reaped. */
static bool ends_within(pid_t pid, int64_t ms)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return true;
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int64_t deadline = mcp_now_ms() + ms, left = ms;
	int ready;
	while ((ready = poll(&wait, 1, (int)left)) < 0 && errno == EINTR) {
		left = deadline - mcp_now_ms();
		left = left > 0 ? left : 0;
	}
	close(fd);
	return ready > 0;
}

static bool has_ended(struct mcp *mcp, struct err *err)
{
	char how[80] = "its process closed its stdout", words[200];
	siginfo_t info = {0};
	if (mcp->stdio.pid > 0 && ends_within(mcp->stdio.pid, LAST_MS) &&
		waitid(P_PID, (id_t)mcp->stdio.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		info.si_pid != 0) {
		if (info.si_code == CLD_EXITED)
			STR_FORMAT(how, "its process ended with exit code %d", info.si_status);
		else
			STR_FORMAT(how, "its process was ended by signal %d", info.si_status);
	}
	last_words(mcp, words, sizeof(words));
	mcp->stdio.ended = true;
	return err_set(
		err, ERR_RETRY, "%s: %s%s%s", mcp->name, how, words[0] != '\0' ? ": " : "", words);
}

static bool read_some(struct mcp *mcp, struct err *err)
{
	struct mcp_stdio *stdio = &mcp->stdio;
	if (stdio->cap - stdio->used < 4096) {
		stdio->cap = stdio->cap == 0 ? 16384 : stdio->cap * 2;
		char *grown = realloc(stdio->buffer, stdio->cap);
		if (grown == NULL)
			abort();
		stdio->buffer = grown;
	}
	ssize_t n = read(stdio->fd, stdio->buffer + stdio->used, stdio->cap - stdio->used);
	if (n > 0) {
		stdio->used += (size_t)n;
		if (stdio->used > MCP_MESSAGE_BYTES && memchr(stdio->buffer, '\n', stdio->used) == NULL) {
			stdio->ended = true;
			return err_set(err, ERR_INPUT, "%s: a line of its stdout is larger than %zu bytes",
				mcp->name, MCP_MESSAGE_BYTES);
		}
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	return has_ended(mcp, err);
}

/* One wait, for reading or writing. False: it ended, or stop_fd; else *writable, when asked for. */
static bool step(struct mcp *mcp, int64_t deadline_ms, bool *writable, struct err *err)
{
	int64_t left = deadline_ms - mcp_now_ms();
	struct pollfd fds[3] = {
		{.fd = mcp->stdio.fd, .events = (short)(POLLIN | (writable != NULL ? POLLOUT : 0))},
		{.fd = mcp->stdio.complaints, .events = POLLIN},
		{.fd = mcp->config.stop_fd, .events = POLLIN},
	};
	int ready = poll(fds, 3, left < 0 ? 0 : left > 60000 ? 60000 : (int)left);
	if (writable != NULL)
		*writable = ready > 0 && (fds[0].revents & POLLOUT) != 0;
	if (ready <= 0)
		return true;
	if (fds[2].revents != 0)
		return err_set(err, ERR_CANCELLED, "%s: cancelled, since homeostat stops", mcp->name);
	if (fds[1].revents != 0)
		hear(mcp);
	return (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0 || read_some(mcp, err);
}

static bool timed_out(struct mcp *mcp, const struct mcp_ask *ask, struct err *err)
{
	return err_set(err, ERR_TIMEOUT, "%s: %s: no answer in %lld ms%s%s", mcp->name, ask->method,
		(long long)ask->timeout_ms,
		mcp->noise[0] != '\0' ? "; its stdout has what is no message: " : "", mcp->noise);
}

static bool send_line(struct mcp *mcp, const char *text, int64_t deadline_ms, struct err *err)
{
	size_t length = strlen(text), sent = 0;
	/* the line's end goes with its last byte, so that no reader sees half a message as whole */
	while (sent <= length) {
		const char *from = sent < length ? text + sent : "\n";
		size_t count = sent < length ? length - sent : 1;
		ssize_t n = send(mcp->stdio.fd, from, count, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return has_ended(mcp, err);
		bool writable;
		if (mcp_now_ms() >= deadline_ms)
			return set_ended(mcp, ERR_TIMEOUT, "it does not read its stdin", err);
		if (!step(mcp, deadline_ms, &writable, err))
			return false;
	}
	return true;
}

static void reply(struct mcp *mcp, const char *text)
{
	struct err err = {0};
	send_line(mcp, text, mcp_now_ms() + FAREWELL_MS, &err);
}

static void note_noise(struct mcp *mcp, const char *line, size_t length)
{
	str_format(mcp->noise, sizeof(mcp->noise), "%.*s", (int)(length > 150 ? 150 : length), line);
	for (char *c = mcp->noise; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = ' ';
}

/* Takes all whole lines out of the buffer, up to the answer. */
static bool take_lines(struct mcp *mcp, struct mcp_wait *wait, struct err *err)
{
	struct mcp_stdio *stdio = &mcp->stdio;
	char *end;
	while (!wait->answered && stdio->used > 0 &&
		(end = memchr(stdio->buffer, '\n', stdio->used)) != NULL) {
		size_t length = (size_t)(end - stdio->buffer), whole = length + 1;
		wait->bytes += whole;
		if (length > MCP_MESSAGE_BYTES || wait->bytes > MCP_EXCHANGE_BYTES) {
			stdio->ended = true;
			return err_set(err, ERR_INPUT, "%s: its answer is larger than %zu bytes", mcp->name,
				length > MCP_MESSAGE_BYTES ? MCP_MESSAGE_BYTES : MCP_EXCHANGE_BYTES);
		}
		/* the buffer may move when we answer what this line asks */
		char *line = strndup(stdio->buffer, length);
		if (line == NULL)
			abort();
		memmove(stdio->buffer, stdio->buffer + whole, stdio->used - whole);
		stdio->used -= whole;
		length = strlen(line);
		if (length > 0 && line[length - 1] == '\r')
			length--;
		if (length > 0 && !mcp_take(mcp, wait, line, length))
			note_noise(mcp, line, length);
		free(line);
	}
	return true;
}

/* So that it stops working for nobody; initialize must not be cancelled. */
static void cancel(struct mcp *mcp, const struct mcp_ask *ask, int64_t id)
{
	char text[160];
	if (strcmp(ask->method, "initialize") == 0 || strcmp(ask->method, "server/discover") == 0)
		return;
	STR_FORMAT(text,
		"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":"
		"%lld,\"reason\":\"no answer in time\"}}",
		(long long)id);
	reply(mcp, text);
}

bool mcp_stdio_exchange(
	struct mcp *mcp, const struct mcp_ask *ask, struct mcp_wait *wait, struct err *err)
{
	int64_t deadline = mcp_now_ms() + ask->timeout_ms;
	wait->reply = reply;
	const char *text = mcp_text(ask, wait->id, wait->arena);
	if (text == NULL)
		return err_set(err, ERR_INPUT, "%s: %s: the request is too large", mcp->name, ask->method);
	if (!send_line(mcp, text, deadline, err))
		return false;
	for (;;) {
		if (!take_lines(mcp, wait, err))
			return false;
		if (wait->answered)
			return true;
		if (mcp_now_ms() >= deadline) {
			cancel(mcp, ask, wait->id);
			return timed_out(mcp, ask, err);
		}
		if (!step(mcp, deadline, NULL, err)) {
			struct err none = {0};
			/* what it said before it ended still counts */
			return take_lines(mcp, wait, &none) && wait->answered;
		}
	}
}

bool mcp_stdio_notify(struct mcp *mcp, const char *text, struct err *err)
{
	return send_line(mcp, text, mcp_now_ms() + mcp->config.timeout_ms, err);
}

bool mcp_stdio_wait(struct mcp *mcp, int64_t ms, struct err *err)
{
	int64_t deadline = mcp_now_ms() + ms;
	struct mcp_answer answer = {0};
	auto_arena arena = arena_new(MCP_SCRATCH_BYTES);
	struct mcp_wait wait = {.id = -1, .arena = arena, .answer = &answer, .reply = reply};
	bool lives = mcp->stdio.pid > 0 && !mcp->stdio.ended;
	while (mcp_now_ms() < deadline) {
		/* an HTTP server, or no connection: only stop_fd is waited for */
		if (!step(mcp, deadline, NULL, err)) {
			if (lives)
				mcp_disconnect(mcp);
			return false;
		}
		wait.bytes = 0;
		wait.answered = false;
		if (lives && !take_lines(mcp, &wait, err)) {
			mcp_disconnect(mcp);
			return false;
		}
	}
	return true;
}

void mcp_stdio_end(struct mcp *mcp)
{
	struct mcp_stdio *stdio = &mcp->stdio;
	if (stdio->pid > 0) {
		shutdown(stdio->fd, SHUT_WR);
		/* what stays behind of a wrapper that has ended (npx, sh) goes with it */
		if (ends_within(stdio->pid, FAREWELL_MS))
			kill(-stdio->pid, SIGKILL);
		spawn_end(stdio->pid, GRACE_MS);
	}
	hear(mcp);
	if (stdio->fd >= 0)
		close(stdio->fd);
	if (stdio->complaints >= 0)
		close(stdio->complaints);
	free(stdio->buffer);
	*stdio = (struct mcp_stdio){.fd = -1, .complaints = -1};
}
