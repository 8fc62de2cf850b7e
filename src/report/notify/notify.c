/* Opening channels, the thread, its rounds. */
#include "report/notify/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "report/ask.h"
#include "report/notify/channel.h"

#define BOX_LIMIT 256
/* Quiet hours end, and a notice's mail may have been dropped: looked at again by itself. */
#define LOOK_MS 15000

static struct answer *ask_by_mail(
	void *ctx, const struct request *request, int64_t timeout_ms, struct arena *arena)
{
	bool sent;
	return asks_core(ctx, request, timeout_ms, arena, &sent);
}

/* Where it stood; a channel that is new begins with what happens from now on. */
static bool find_position(struct notifier *notifier, struct channel *channel, struct err *err)
{
	char key[48], value[64];
	long long cursor = 0, held = 0;
	STR_FORMAT(key, "channel:%s:notice", channel->settings->channel);
	if (!store_fact_get(notifier->store, key, value, sizeof(value), err))
		return false;
	if (sscanf(value, "%lld %lld", &cursor, &held) == 2) {
		channel->cursor = channel->stored_cursor = cursor;
		channel->held = channel->stored_held = held;
		return true;
	}
	channel->stored_cursor = -1;
	return store_notice_last(notifier->store, &channel->cursor, err);
}

static bool open_channels(struct notifier *notifier, struct err *err)
{
	const struct config *config = notifier->config.config;
	for (int i = 0; i < config->notify_count; i++) {
		struct channel *channel = &notifier->channels[i];
		channel->clock = notifier->config.clock;
		channel->stop_fd = notifier->config.stop_fd;
		notifier->channel_count++;
		if (!channel_open(channel, config, &config->notify[i], err) ||
			!find_position(notifier, channel, err))
			return false;
	}
	return true;
}

static void take_host(char *host, size_t size)
{
	if (gethostname(host, size) != 0)
		host[0] = '\0';
	host[size - 1] = '\0';
	host[strcspn(host, ".")] = '\0';
	if (host[0] == '\0')
		str_copy(host, size, "homeostat");
}

static struct notifier *notifier_new(const struct notify_config *config)
{
	struct notifier *notifier = calloc(1, sizeof(*notifier));
	if (notifier == NULL)
		abort();
	notifier->config = *config;
	notifier->box = mailbox_new(BOX_LIMIT);
	asks_init(&notifier->asks, config->core);
	if (config->ask == NULL) {
		notifier->config.ask = ask_by_mail;
		notifier->config.ask_ctx = &notifier->asks;
	}
	take_host(notifier->host, sizeof(notifier->host));
	return notifier;
}

struct notifier *notifier_open(const struct notify_config *config, struct err *err)
{
	struct notifier *notifier = notifier_new(config);
	notifier->store = store_open_reader(config->config->state, config->audit_key, err);
	if (notifier->store != NULL && open_channels(notifier, err))
		return notifier;
	notifier_close(notifier);
	return NULL;
}

void notifier_close(struct notifier *notifier)
{
	if (notifier == NULL)
		return;
	for (int i = 0; i < notifier->channel_count; i++)
		channel_close(&notifier->channels[i]);
	store_close(notifier->store);
	mailbox_free(notifier->box);
	asks_free(&notifier->asks);
	free(notifier);
}

struct mailbox *notifier_mailbox(struct notifier *notifier)
{
	return notifier->box;
}

/* What the store could not keep is here alone. */
static void take_mail(struct notifier *notifier, struct mail *mail)
{
	const struct notice *notice = mail->body;
	if (mail->kind == MAIL_NOTICE && notice->id == 0 && notice->kind == NOTICE_TROUBLE)
		for (int i = 0; i < notifier->channel_count; i++)
			if (channel_wants(&notifier->channels[i], notice))
				notifier->channels[i].urgent = *notice;
	mail_free(mail);
}

bool notifier_step(struct notifier *notifier, int64_t *wait_ms)
{
	struct mail *mail;
	bool did = false;
	*wait_ms = LOOK_MS;
	while ((mail = mailbox_receive(notifier->box, 0)) != NULL)
		take_mail(notifier, mail);
	for (int i = 0; i < notifier->channel_count; i++)
		did = channel_step(notifier, &notifier->channels[i], wait_ms) || did;
	return did;
}

static void *notifier_main(void *arg)
{
	struct notifier *notifier = arg;
	const struct notify_config *config = &notifier->config;
	while (clock_wait(config->clock, 0, config->stop_fd)) {
		int64_t wait_ms;
		if (notifier_step(notifier, &wait_ms))
			continue;
		struct mail *mail = mailbox_receive(notifier->box, wait_ms);
		if (mail != NULL)
			take_mail(notifier, mail);
	}
	return NULL;
}

bool notifier_start(struct notifier *notifier, struct jobs *jobs, struct err *err)
{
	return jobs_thread(jobs, "notify", notifier_main, notifier) ||
		err_set(err, ERR_SYSTEM, "no thread could be made: %s", strerror(errno));
}

void notifier_stop(struct notifier *notifier)
{
	if (notifier == NULL)
		return;
	asks_close(&notifier->asks);
	mailbox_close(notifier->box);
}

bool notify_reach(const struct config *config, int index, int stop_fd, struct err *err)
{
	struct clock *clock = clock_new_real();
	struct channel channel = {.clock = clock, .stop_fd = stop_fd};
	bool ok = channel_open(&channel, config, &config->notify[index], err) &&
		channel_reach(&channel, err);
	channel_close(&channel);
	clock_free(clock);
	return ok;
}

bool notify_test(const struct config *config, int index, int stop_fd, struct err *err)
{
	char host[64];
	struct clock *clock = clock_new_real();
	struct channel channel = {.clock = clock, .stop_fd = stop_fd};
	auto_arena arena = arena_new((size_t)1 << 20);
	struct told told = {.host = host};
	take_host(host, sizeof(host));
	bool ok = channel_open(&channel, config, &config->notify[index], err);
	if (ok) {
		told_test(&told, clock_wall_ms(clock), arena);
		ok = channel_try(&channel, &told, arena, err);
	}
	channel_close(&channel);
	clock_free(clock);
	return ok;
}
