/*
 * The simulated engine's world, shared by the files of sim/.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/docker.h"

#define EVENTS_KEPT 256 /* as the real engine's buffer */

enum sim_state { SIM_CREATED, SIM_RUNNING, SIM_EXITED, SIM_RESTARTING, SIM_PAUSED };

#define SIM_LOG_LINES 16
struct sim_log_line {
	int64_t at_ms;
	bool is_error; /* of stderr */
	char text[200];
};

struct sim_container {
	char id[65], name[128];
	char labels[512];        /* a JSON object's inside */
	char policy[20];
	int max_retries;
	enum sim_state state;
	bool rotten;             /* it can't be inspected */
	bool has_health, sick, unmendable, stopped_by_hand, oom;
	char health[12];
	int stop_signal;         /* 0: SIGTERM */
	char broken[160];        /* start fails with this */
	char error[160];
	int exit_code, restart_count, pid;
	int64_t loop_ms;         /* ends so long after a start; 0: never */
	int loop_code;
	int64_t started_ms, finished_ms, created_ms; /* wall */
	int64_t due_ms;          /* wall: when it ends, or its policy starts it again; 0 never */
	int64_t check_ms;        /* wall: next health check */
	int failures;
	int64_t backoff_ms;      /* of its own restart policy */
	char image[96], check[160]; /* check: what its health check says */
	struct sim_log_line *log; /* the last SIM_LOG_LINES; NULL: none */
	int logged;
};

struct sim_event {
	uint64_t seq;
	int64_t at_ns;
	char action[40], id[65], name[128], attributes[640];
};

struct sim_docker {
	const struct clock *clock;
	struct sim_container *containers;
	int count, capacity;
	struct sim_event events[EVENTS_KEPT];
	uint64_t seq, generation, forgotten;
	int64_t last_ns;
	enum sim_fault fault;
	char **journal;
	int journal_count;
	unsigned random;
	bool shut_down;
};

struct sim_container *world_find(struct sim_docker *sim, const char *id_or_name);
void world_event(struct sim_docker *sim, const struct sim_container *container, const char *action,
	const char *attributes);
bool world_start(struct sim_docker *sim, struct sim_container *container);
void world_die(struct sim_docker *sim, struct sim_container *container, int code);
void world_stop(struct sim_docker *sim, struct sim_container *container);
void world_kill(struct sim_docker *sim, struct sim_container *container, int signal);
void world_log(struct sim_docker *sim, struct sim_container *container, bool is_error,
	const char *text);
void world_remove(struct sim_docker *sim, struct sim_container *container);
void world_cut_streams(struct sim_docker *sim);
int64_t world_now(const struct sim_docker *sim);
const char *world_state_name(enum sim_state state);

#endif
