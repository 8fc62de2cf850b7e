#include "report/pve.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/str.h"

#define ARENA_BYTES ((size_t)64 << 20)

/* One source while it is asked, and what it said. */
struct pve_source {
	const struct pve_question *question;
	const struct config_proxmox *config;
	pthread_t thread;
	bool started, reached, surveyed;
	int stop_fd, done_fd;
	struct arena *arena;
	struct proxmox_look look;
	struct proxmox_survey survey;
	struct err err; /* of what failed */
};

static void ask_backups(struct pve_source *source, struct proxmox *proxmox)
{
	const struct pve_question *question = source->question;
	source->surveyed = proxmox_survey(proxmox, &source->look,
		question->config->thresholds.backup_grace_ms, source->arena, &source->survey, &source->err);
}

static void *source_main(void *arg)
{
	struct pve_source *source = arg;
	struct proxmox *proxmox = proxmox_open(
		source->config, source->question->clock, source->stop_fd, &source->err);
	if (proxmox != NULL) {
		source->reached = proxmox_look(
			proxmox, source->question->timeout_ms, source->arena, &source->look, &source->err);
		if (source->reached && source->question->about == PVE_BACKUPS)
			ask_backups(source, proxmox);
	}
	proxmox_close(proxmox);
	eventfd_write(source->done_fd, 1);
	return NULL;
}

/* Until all have answered, the time is over, or whoever asks is to end. */
static void wait_for_all(const struct pve_question *question, int done_fd, int count)
{
	int64_t end = clock_mono_ms(question->clock) + question->timeout_ms;
	struct pollfd fds[] = {
		{.fd = done_fd, .events = POLLIN}, {.fd = question->stop_fd, .events = POLLIN}};
	while (count > 0) {
		int64_t left = end - clock_mono_ms(question->clock);
		if (left <= 0 || (poll(fds, 2, (int)left) < 0 && errno != EINTR) || fds[1].revents != 0)
			return;
		eventfd_t done = 0;
		if (fds[0].revents != 0 && eventfd_read(done_fd, &done) == 0)
			count -= (int)done;
	}
}

static int make_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0) {
		perror("homeostat: eventfd");
		abort();
	}
	return fd;
}

static void ask_all(const struct pve_question *question, struct pve_source *sources, int count)
{
	int stop_fd = make_eventfd(), done_fd = make_eventfd(), started = 0;
	for (int i = 0; i < count; i++) {
		struct pve_source *source = &sources[i];
		*source = (struct pve_source){.question = question,
			.config = &question->config->proxmox[i],
			.stop_fd = stop_fd,
			.done_fd = done_fd,
			.arena = arena_new(ARENA_BYTES)};
		int error = pthread_create(&source->thread, NULL, source_main, source);
		source->started = error == 0;
		started += source->started ? 1 : 0;
		if (!source->started)
			err_set(&source->err, ERR_SYSTEM, "no thread could be made: %s", strerror(error));
	}
	wait_for_all(question, done_fd, started);
	eventfd_write(stop_fd, 1);
	for (int i = 0; i < count; i++)
		if (sources[i].started)
			pthread_join(sources[i].thread, NULL);
	close(stop_fd);
	close(done_fd);
}

enum pve_verdict pve_verdict(
	const struct proxmox_survey *survey, const struct proxmox_backed *backed, int64_t wall_s)
{
	if (backed->tried == PROXMOX_TRYING)
		return PVE_BACKUP_RUNNING;
	if (proxmox_backup_failed(backed) || backed->verify_failed)
		return PVE_BACKUP_FAILED;
	if (backed->taken_s == 0 && (survey->blind[0] != '\0' || backed->lost))
		return PVE_BACKUP_UNKNOWN;
	if (backed->job_count == 0 && survey->jobs_known)
		return backed->taken_s == 0 ? PVE_BACKUP_UNPROTECTED : PVE_BACKUP_UNSCHEDULED;
	if (!survey->jobs_known)
		return backed->taken_s == 0 ? PVE_BACKUP_UNKNOWN : PVE_BACKUP_GOOD;
	if (proxmox_backup_late(backed, wall_s))
		return backed->taken_s == 0 ? PVE_BACKUP_MISSING : PVE_BACKUP_LATE;
	return PVE_BACKUP_GOOD;
}

const char *pve_verdict_name(enum pve_verdict verdict)
{
	static const char *const names[] = {
		[PVE_BACKUP_GOOD] = "good",
		[PVE_BACKUP_RUNNING] = "running",
		[PVE_BACKUP_FAILED] = "failed",
		[PVE_BACKUP_LATE] = "late",
		[PVE_BACKUP_MISSING] = "missing",
		[PVE_BACKUP_UNPROTECTED] = "unprotected",
		[PVE_BACKUP_UNSCHEDULED] = "unscheduled",
		[PVE_BACKUP_UNKNOWN] = "unknown",
	};
	return names[verdict];
}

static void add_node(
	struct pve_answer *answer, const struct pve_source *source, const struct proxmox_node *node)
{
	struct pve_node *row = &answer->nodes[answer->node_count++];
	*row = (struct pve_node){.source = source->config->name, .node = node};
	for (int i = 0; i < source->look.guest_count; i++) {
		const struct proxmox_guest *guest = &source->look.guests[i];
		if (guest->template || !str_equal(guest->node, node->name))
			continue;
		row->total++;
		row->running += guest->state == PROXMOX_RUNNING && !guest->lost ? 1 : 0;
	}
}

static void add_guest(
	struct pve_answer *answer, const struct pve_source *source, const struct proxmox_guest *guest)
{
	struct pve_guest *row = &answer->guests[answer->guest_count++];
	*row = (struct pve_guest){.source = source->config->name, .guest = guest};
	for (int i = 0; i < source->config->critical_count; i++)
		row->critical = row->critical || source->config->critical[i] == guest->vmid;
}

static int by_name(const void *a, const void *b)
{
	const struct pve_node *first = a, *second = b;
	return strcmp(first->node->name, second->node->name);
}

static int by_number(const void *a, const void *b)
{
	const struct pve_guest *first = a, *second = b;
	return first->guest->vmid - second->guest->vmid;
}

static void add_trouble(
	struct pve_answer *answer, const struct pve_source *source, bool partial, const char *text)
{
	struct pve_trouble *trouble = &answer->troubles[answer->trouble_count++];
	*trouble = (struct pve_trouble){.source = source->config->name, .partial = partial};
	STR_SET(trouble->text, text);
}

/* Why a source has said nothing: the calls of one that was too slow were ended by us. */
static void explain(struct pve_answer *answer, const struct pve_source *source, bool partial)
{
	char text[100];
	STR_FORMAT(text, "proxmox %s: no whole answer within %lld s", source->config->name,
		(long long)(source->question->timeout_ms / 1000));
	add_trouble(
		answer, source, partial, source->err.kind == ERR_CANCELLED ? text : source->err.text);
}

static void add_resources(struct pve_answer *answer, const struct pve_source *source)
{
	int node = answer->node_count, guest = answer->guest_count;
	for (int i = 0; i < source->look.node_count; i++)
		add_node(answer, source, &source->look.nodes[i]);
	for (int i = 0; i < source->look.guest_count; i++)
		add_guest(answer, source, &source->look.guests[i]);
	qsort(
		answer->nodes + node, (size_t)(answer->node_count - node), sizeof(*answer->nodes), by_name);
	qsort(answer->guests + guest, (size_t)(answer->guest_count - guest), sizeof(*answer->guests),
		by_number);
	if (source->look.denied[0] != '\0') {
		char text[480];
		STR_FORMAT(text, "proxmox %s: shows nothing of it without these rights: %s",
			source->config->name, source->look.denied);
		add_trouble(answer, source, true, text);
	}
}

static void add_backups(struct pve_answer *answer, const struct pve_source *source)
{
	for (int i = 0; i < source->survey.guest_count; i++) {
		const struct proxmox_backed *backed = &source->survey.guests[i];
		if (backed->template)
			continue;
		answer->backups[answer->backup_count++] = (struct pve_backup){
			source->config->name, backed, pve_verdict(&source->survey, backed, answer->at / 1000)};
	}
	if (source->survey.blind[0] != '\0') {
		char text[480];
		STR_FORMAT(text, "proxmox %s: not all could be read: %s", source->config->name,
			source->survey.blind);
		add_trouble(answer, source, true, text);
	}
}

static void add_source(
	struct pve_answer *answer, const struct pve_source *source, enum pve_about about)
{
	if (!source->reached) {
		explain(answer, source, false);
		return;
	}
	add_resources(answer, source);
	if (about == PVE_BACKUPS && source->surveyed)
		add_backups(answer, source);
	else if (about == PVE_BACKUPS)
		explain(answer, source, true);
	answer->answered += about == PVE_RESOURCES || source->surveyed ? 1 : 0;
}

static void make_room(struct pve_answer *answer)
{
	size_t nodes = 1, guests = 1, backups = 1;
	for (int i = 0; i < answer->asked; i++) {
		nodes += (size_t)answer->sources[i].look.node_count;
		guests += (size_t)answer->sources[i].look.guest_count;
		backups += (size_t)answer->sources[i].survey.guest_count;
	}
	answer->nodes = ARENA_ARRAY(answer->arena, struct pve_node, nodes);
	answer->guests = ARENA_ARRAY(answer->arena, struct pve_guest, guests);
	answer->backups = ARENA_ARRAY(answer->arena, struct pve_backup, backups);
	answer->troubles = ARENA_ARRAY(
		answer->arena, struct pve_trouble, (size_t)answer->asked * 2 + 1);
}

struct pve_answer *pve_ask(const struct pve_question *question)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct pve_answer *answer = ARENA_NEW(arena, struct pve_answer);
	answer->arena = arena;
	answer->asked = question->config->proxmox_count;
	answer->sources = ARENA_ARRAY(arena, struct pve_source, (size_t)answer->asked + 1);
	ask_all(question, answer->sources, answer->asked);
	answer->at = clock_wall_ms(question->clock);
	make_room(answer);
	for (int i = 0; i < answer->asked; i++)
		add_source(answer, &answer->sources[i], question->about);
	return answer;
}

void pve_free(struct pve_answer *answer)
{
	if (answer == NULL)
		return;
	for (int i = 0; i < answer->asked; i++)
		arena_free(answer->sources[i].arena);
	arena_free(answer->arena);
}
