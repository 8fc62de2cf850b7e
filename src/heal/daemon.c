/*
 * The daemon as a whole: what is started, in which order, and ended in reverse.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/notify.h"
#include "base/redact.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/trim.h"
#include "heal/internal.h"
#include "report/notify/notify.h"
#include "report/report.h"
#include "report/telegram/chat.h"
#include "watch/watch.h"

#define INBOX_LIMIT 1024
#define LONGEST_WAIT_MS 30000

struct daemon {
	const struct daemon_options *options;
	const struct config *config;
	struct clock *clock;
	struct jobs *jobs;
	struct mailbox *inbox;
	struct store *store;
	struct heal *heal;
	struct terminal *terminal;
	struct api *api;
	struct heartbeat *heartbeat;
	struct chat *chat;         /* NULL: none is configured */
	struct notifier *notifier; /* the same */
	struct watcher *watchers[SOURCES_MAX];
	int watcher_count;
	int signal_fd;
	unsigned char audit_key[32];
	bool reload;
};

/* Signals become mail: the core knows nothing of them. */
static void *signals_main(void *arg)
{
	struct daemon *daemon = arg;
	struct pollfd fds[] = {
		{.fd = daemon->signal_fd, .events = POLLIN},
		{.fd = jobs_stop_fd(daemon->jobs), .events = POLLIN},
	};
	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		struct signalfd_siginfo info;
		if (fds[1].revents != 0)
			break;
		if (read(daemon->signal_fd, &info, sizeof(info)) != sizeof(info))
			continue;
		struct arena *arena = arena_new(1024);
		mailbox_send(
			daemon->inbox, info.ssi_signo == SIGHUP ? MAIL_RELOAD : MAIL_STOP, &arena, NULL);
	}
	return NULL;
}

static bool make_state(const char *state, struct err *err)
{
	if (mkdir(state, 0700) == 0 || errno == EEXIST)
		return true;
	return err_set(err, ERR_SYSTEM, "state folder %s: %s: make it, or set `state:` to another",
		state, strerror(errno));
}

static bool open_state(struct daemon *daemon, struct err *err)
{
	const char *state = daemon->config->state;
	if (!make_state(state, err) || !secret_derive(state, "audit", daemon->audit_key, err))
		return false;
	daemon->store = store_open(state, daemon->audit_key, err);
	return daemon->store != NULL;
}

static bool open_chat(struct daemon *daemon, struct err *err)
{
	struct chat_config config = {.config = daemon->config,
		.clock = daemon->clock,
		.core = daemon->inbox,
		.stop_fd = jobs_stop_fd(daemon->jobs)};
	if (daemon->config->telegram.token == NULL)
		return true;
	memcpy(config.audit_key, daemon->audit_key, sizeof(config.audit_key));
	daemon->chat = chat_open(&config, err);
	return daemon->chat != NULL;
}

static bool open_notifier(struct daemon *daemon, struct err *err)
{
	struct notify_config config = {.config = daemon->config,
		.clock = daemon->clock,
		.core = daemon->inbox,
		.stop_fd = jobs_stop_fd(daemon->jobs)};
	if (daemon->config->notify_count == 0)
		return true;
	memcpy(config.audit_key, daemon->audit_key, sizeof(config.audit_key));
	daemon->notifier = notifier_open(&config, err);
	return daemon->notifier != NULL;
}

static bool open_core(struct daemon *daemon, struct err *err)
{
	int reporters = 0;
	daemon->clock = clock_new_real();
	daemon->jobs = jobs_new(JOBS_THREADS);
	daemon->inbox = mailbox_new(INBOX_LIMIT);
	if (!jobs_thread(daemon->jobs, "signals", signals_main, daemon))
		return err_set(err, ERR_SYSTEM, "no thread could be made: %s", strerror(errno));
	struct heal_options options = {
		.config = daemon->config,
		.clock = daemon->clock,
		.jobs = daemon->jobs,
		.store = daemon->store,
		.inbox = daemon->inbox,
	};
	if (!daemon->options->quiet) {
		daemon->terminal = terminal_start(daemon->clock, err);
		if (daemon->terminal == NULL)
			return false;
		options.reporters[reporters++] = terminal_mailbox(daemon->terminal);
	}
	if (!open_chat(daemon, err) || !open_notifier(daemon, err))
		return false;
	if (daemon->chat != NULL)
		options.reporters[reporters++] = chat_mailbox(daemon->chat);
	if (daemon->notifier != NULL)
		options.reporters[reporters++] = notifier_mailbox(daemon->notifier);
	options.keeps_notices = daemon->chat != NULL || daemon->notifier != NULL;
	daemon->heal = heal_new(&options, err);
	return daemon->heal != NULL;
}

static bool start_watchers(struct daemon *daemon, struct err *err)
{
	for (int i = 0; i < daemon->watcher_count; i++)
		if (!watcher_start(daemon->watchers[i], daemon->jobs, err))
			return false;
	return true;
}

static bool open_watchers(struct daemon *daemon, struct err *err)
{
	for (int s = 0; sources[s] != NULL; s++) {
		int count = sources[s]->count(daemon->config);
		for (int i = 0; i < count && daemon->watcher_count < SOURCES_MAX; i++) {
			struct source_context context = {
				.config = daemon->config,
				.index = i,
				.clock = daemon->clock,
				.stop_fd = jobs_stop_fd(daemon->jobs),
			};
			source_title(sources[s], &context);
			heal_add_source(
				daemon->heal, context.name, context.suffix, &context.root, context.cursor);
			struct watcher *watcher = watcher_new(sources[s], &context, daemon->inbox, err);
			if (watcher == NULL)
				return false;
			daemon->watchers[daemon->watcher_count++] = watcher;
		}
	}
	return true;
}

/* The API's token; without one nothing can be changed over TCP. */
static const char *api_token(const struct daemon *daemon)
{
	struct err err = {0};
	const char *token = secret_resolve(daemon->config->state, "secret:api", &err);
	if (token == NULL)
		log_debug("no API token: %s", err.text);
	return token;
}

static bool open_api(struct daemon *daemon, struct err *err)
{
	const char *control = daemon->config->control;
	if (control == NULL)
		control = config_control_default(daemon->config->arena);
	const char *listen = daemon->config->listen;
	struct api_config config = {
		.config = daemon->config,
		.clock = daemon->clock,
		.core = daemon->inbox,
		.control = control,
		.stop_fd = jobs_stop_fd(daemon->jobs),
		.listen = strcmp(listen, "none") == 0 ? NULL : listen,
		.token = api_token(daemon),
	};
	memcpy(config.audit_key, daemon->audit_key, sizeof(config.audit_key));
	daemon->api = api_start(&config, err);
	return daemon->api != NULL;
}

static bool open_heartbeat(struct daemon *daemon, struct err *err)
{
	if (daemon->config->heartbeat.url == NULL)
		return true;
	daemon->heartbeat = heartbeat_new(
		daemon->config, daemon->clock, daemon->inbox, jobs_stop_fd(daemon->jobs), err);
	return daemon->heartbeat != NULL;
}

static bool start_heartbeat(struct daemon *daemon, struct err *err)
{
	return daemon->heartbeat == NULL ||
		jobs_thread(daemon->jobs, "heartbeat", heartbeat_main, daemon->heartbeat) ||
		err_set(err, ERR_SYSTEM, "no thread could be made: %s", strerror(errno));
}

static bool open_all(struct daemon *daemon, struct err *err)
{
	return open_state(daemon, err) && open_core(daemon, err) && open_api(daemon, err) &&
		open_watchers(daemon, err) && open_heartbeat(daemon, err);
}

static void close_all(struct daemon *daemon)
{
	if (daemon->jobs != NULL)
		jobs_ask_stop(daemon->jobs);
	if (daemon->inbox != NULL)
		mailbox_close(daemon->inbox); /* who waits to send is let go */
	chat_stop(daemon->chat);
	notifier_stop(daemon->notifier);
	api_stop(daemon->api);
	heartbeat_close(daemon->heartbeat);
	jobs_free(daemon->jobs);
	heartbeat_free(daemon->heartbeat);
	for (int i = 0; i < daemon->watcher_count; i++)
		watcher_free(daemon->watchers[i]);
	heal_free(daemon->heal);
	chat_close(daemon->chat);
	notifier_close(daemon->notifier);
	terminal_stop(daemon->terminal);
	mailbox_free(daemon->inbox);
	store_close(daemon->store);
	clock_free(daemon->clock);
}

static void work(struct daemon *daemon)
{
	int64_t began = clock_mono_ms(daemon->clock), limit = daemon->options->limit_ms;
	int64_t watchdog = notify_watchdog_ms();
	int64_t longest = watchdog > 0 && watchdog < LONGEST_WAIT_MS ? watchdog : LONGEST_WAIT_MS;
	for (;;) {
		int64_t left = limit > 0 ? began + limit - clock_mono_ms(daemon->clock) : longest;
		if (left <= 0)
			return;
		if (!heal_step(daemon->heal, left < longest ? left : longest, &daemon->reload))
			return;
		if (watchdog > 0)
			notify_systemd("WATCHDOG=1");
	}
}

/* From start to stop or reload, with one configuration. Returns the exit code. */
static void hide(const struct config_redact *redact)
{
	for (int i = 0; redact->patterns != NULL && redact->patterns[i] != NULL; i++)
		if (!redact_add_glob(redact->patterns[i]))
			log_warn(
				"redact.patterns: \"%s\" is one too many: it is not hidden", redact->patterns[i]);
	for (int i = 0; redact->hosts != NULL && redact->hosts[i] != NULL; i++)
		redact_add_host(redact->hosts[i]);
	redact_emails(redact->emails);
}

static int run_once(struct daemon *daemon)
{
	struct err err = {0};
	hide(&daemon->config->redact); /* before threads */
	for (const char **warning = daemon->config->warnings; warning && *warning; warning++)
		log_warn("%s", *warning);
	bool ok = open_all(daemon, &err);
	if (ok)
		heal_resume(daemon->heal); /* before anything is seen */
	ok = ok && (daemon->chat == NULL || chat_start(daemon->chat, daemon->jobs, &err)) &&
		(daemon->notifier == NULL || notifier_start(daemon->notifier, daemon->jobs, &err)) &&
		start_watchers(daemon, &err) && start_heartbeat(daemon, &err);
	if (ok) {
		notify_systemd("READY=1\nSTATUS=watching");
		trim_memory();
		work(daemon);
		notify_systemd(daemon->reload ? "RELOADING=1" : "STOPPING=1");
	} else {
		log_error("%s", err.text);
	}
	close_all(daemon);
	return ok ? 0 : 1;
}

/* A reload with a bad file keeps what runs, and says so. */
static struct config *load_config(const struct daemon_options *options, const struct config *old)
{
	struct err err = {0};
	struct config *config = config_load(options->config_file, &err);
	if (config == NULL)
		log_error("%s%s", err.text, old != NULL ? " (the old configuration is kept)" : "");
	return config;
}

static int block_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int daemon_run(const struct daemon_options *options)
{
	int signal_fd = block_signals();
	struct config *config = NULL;
	int code = 0;
	bool again = true;
	while (again) {
		struct config *given = options->config == NULL ? load_config(options, config) : NULL;
		if (given != NULL) {
			config_free(config);
			config = given;
		}
		struct daemon daemon = {
			.options = options,
			.config = options->config != NULL ? options->config : config,
			.signal_fd = signal_fd,
		};
		code = daemon.config != NULL ? run_once(&daemon) : 2;
		again = code == 0 && daemon.reload;
	}
	config_free(config);
	close(signal_fd);
	return code;
}
