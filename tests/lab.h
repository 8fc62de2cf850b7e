/*
 * The lab: the whole core, its store and the watchers of its configuration, on simulated worlds (a
 * Docker engine, a Proxmox VE cluster) and a wound clock, in one thread. http.c's functions are
 * replaced by ld --wrap with calls into the simulators (lab_http.c, which says what that means for
 * time), so that everything above them is the product's own code. Calls and commits can be made to
 * fail, or to kill the daemon, by number.
 */
#ifndef TESTS_LAB_H
#define TESTS_LAB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/incident.h"
#include "model/request.h"

struct lab;
struct sim_telegram;

/* Worlds with nothing in them, a state folder of its own, no daemon yet. extra: lines of YAML; the
 * engine unix:///sim is configured unless they have a docker: of their own. */
struct lab *lab_new(const char *extra);
void lab_free(struct lab *lab);

/* The configuration's further lines; before lab_start. */
void lab_config(struct lab *lab, const char *extra);
void lab_start(struct lab *lab);
/* A clean end. */
void lab_stop(struct lab *lab);
bool lab_is_up(const struct lab *lab);

/* The configuration of the simulated cluster, reached at a node and pinned by its certificate;
 * critical: "104, 101" or "". Before lab_start, once the node is there. */
void lab_cluster(struct lab *lab, const char *node, const char *critical);
/* One line of a simulator's script, Docker's or, after "pve: ", the cluster's; a wrong line fails
 * the test. */
void lab_script(struct lab *lab, const char *line);
/* Lets the clock run, the world and the daemon with it. */
void lab_advance(struct lab *lab, int64_t ms);
/* The clock jumps, as when the machine was asleep. */
void lab_skip(struct lab *lab, int64_t ms);
/* The wall clock is set by so much. */
void lab_set_clock(struct lab *lab, int64_t by_ms);
/* Lets everything happen that is due now. */
void lab_settle(struct lab *lab);

/* A request as a person's; the answer is kept. */
struct answer lab_ask(struct lab *lab, struct request request);

/* The newest incident of a component; false: none. */
bool lab_incident(struct lab *lab, const char *component, struct incident *incident);
int lab_count(struct lab *lab, enum life_state state);
/* What was asked of the engine, and of the cluster, that may change something. */
int lab_posts(struct lab *lab, const char *pattern);
int lab_pve_posts(struct lab *lab, const char *pattern);
/* What the model was asked: requests in all; the last one's body. */
int lab_claude_posts(struct lab *lab);
const char *lab_claude_body(struct lab *lab);
/* What was gathered of an incident, and for /why: lines "KIND SOURCE: TEXT", "*" before those that
 * prove; in a buffer of the lab. */
const char *lab_evidence(struct lab *lab, int64_t incident_id);
int lab_host_posts(struct lab *lab, const char *pattern);
/* The most POSTs that one commit let loose. */
int lab_most_at_once(const struct lab *lab);
/* A container's state, a guest's; NULL: there is none. */
const char *lab_container(struct lab *lab, const char *name);
const char *lab_guest(struct lab *lab, int vmid);
/* The simulated Telegram: https://api.telegram.org. */
struct sim_telegram *lab_phone(struct lab *lab);
/* The words of all notices since the start of the lab. */
const char *lab_words(struct lab *lab);
/* The store's own checks: integrity, the audit chain, and no action twice for one attempt. */
void lab_check_store(struct lab *lab);
const char *lab_state_folder(const struct lab *lab);

/* Faults. The n-th call from now, to any world (1: the next): 0 none. */
enum lab_fault { FAULT_BEFORE, FAULT_AFTER }; /* before or after its effect */
void lab_fail_http(struct lab *lab, int n, enum lab_fault when);
/* The daemon is killed at its n-th commit, as by SIGKILL: it is not up any more, nothing is told
 * of it. */
void lab_kill_at_commit(struct lab *lab, int n, enum lab_fault when);
/* Commits fail (the disk is full) until told otherwise. */
void lab_disk_full(struct lab *lab, bool full);
bool lab_fault_happened(const struct lab *lab);
int lab_calls(const struct lab *lab);
int lab_commits(const struct lab *lab);

#endif
