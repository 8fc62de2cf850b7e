/*
 * The configuration, as read from homeostat.yaml: plain structs in one arena, never changed after
 * loading. Durations are milliseconds. Every value has its default here-documented; src/model/
 * config.c owns the table of keys, from which errors, `homeostat help config` and the man page
 * come.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/cron.h"
#include "model/risk.h"

struct config_docker {
	const char *name;                              /* "local" */
	const char *url;                               /* unix:///…, https://host:2376, ssh://u@host */
	const char *ca_file, *cert_file, *key_file, *fingerprint;
	int64_t guest;                                 /* it runs in this guest, 104; 0: not said */
	const char *cluster;                           /* of this proxmox; NULL: there is but one */
	const char *host;                              /* of hosts: where its unit is; NULL: unknown */
	const char *unit;                              /* docker.service */
	int line;
};

struct config_proxmox {
	const char *name;                              /* "pve" */
	const char *url;                               /* https://192.168.1.99:8006 */
	const char *token_id, *token_secret;           /* homeostat@pve!agent; or, instead: */
	const char *user, *password;                   /* homeostat@pve: a ticket is asked for */
	const char *state;                             /* where secret:NAME is kept; NULL: nowhere */
	const char *ca_file, *fingerprint;             /* NULL both: the system's authorities */
	const char *ssh;                               /* NULL: nothing over ssh */
	const int64_t *critical;                          /* guests that must run */
	int critical_count;
	int line;
};

/* The phone. Without a token there is none. */
struct config_telegram {
	const char *token, *api_url;                   /* https://api.telegram.org */
	int64_t chat, thread;                          /* thread: a topic of a forum; 0: none */
	const int64_t *allowed_users;                  /* who may command and approve, by number */
	int allowed_count;
	const int64_t *escalate_chats;                 /* further chats for what nobody answers */
	int escalate_count;
	int64_t escalate_ms;                           /* 15 m: an unanswered CRITICAL question */
	int quiet_from, quiet_to;                      /* minutes of the local day; equal: none */
	int line;
};

/* Another way to people than Telegram: one table of kinds here (config_notify.c) and in
 * report/notify, in the same order. */
enum notify_type {
	NOTIFY_NTFY, NOTIFY_GOTIFY, NOTIFY_DISCORD, NOTIFY_SLACK, NOTIFY_MATRIX, NOTIFY_WEBHOOK,
	NOTIFY_SMTP, NOTIFY_TYPES,
};
#define CONFIG_NOTIFY_MAX 7
struct config_notify {
	const char *name;                              /* at most 15 bytes */
	char channel[24];                              /* "ntfy:phone", as others know it */
	enum notify_type type;
	const char *type_name, *url, *token;           /* url and token: may be secret:NAME */
	const char *user, *from, *room;
	const char *const *to;                         /* ended by NULL */
	const char *ca_file;                           /* NULL: the system's authorities */
	const char *severity_name, *approve_name;      /* as written */
	enum severity min_severity;
	unsigned events;                               /* a bit for each enum notify_event */
	int quiet_from, quiet_to;                      /* minutes of the local day; equal: none */
	bool approves;                                 /* its questions have buttons … */
	enum risk approve_risk;                        /* … up to this risk */
	int line;
};
/* What a channel can be told of. */
enum notify_event {
	TELL_APPROVAL, TELL_ESCALATION, TELL_RESULT, TELL_END, TELL_STORM,
	TELL_SOURCE, TELL_HEALING, TELL_TROUBLE, TELL_RUN, TELL_DETECTION,
	TELL_ACTION, TELL_DELAY, NOTIFY_EVENTS,
};
const char *notify_type_name(enum notify_type type);   /* "ntfy" */
const char *notify_event_name(enum notify_event event);/* "approval" */

/* What is too much, and for how long it must be so. */
struct config_thresholds {
	int node_cpu, node_memory, node_disk; /* 90, 90, 85 % */
	int guest_cpu;                        /* 90 % */
	int storage;                          /* 90 % */
	int severe;                           /* 95 %: more severe */
	int hysteresis;                       /* 5 points below, to be well again */
	int64_t sustained_ms;                 /* 2 m */
	int64_t certificate_ms;               /* 14 d before its end */
	int64_t lock_ms;                      /* 6 h: a lock older than that is stuck */
	int64_t backup_grace_ms;              /* 12 h past its schedule */
};

struct config_mcp {
	const char *name;                              /* "files" */
	const char *const *command;                    /* an argv, ended by NULL; or NULL: url */
	const char *const *env;                        /* "NAME=value", ended by NULL; or NULL. A value
													  may be secret:NAME or env:NAME */
	const char *url, *token;                       /* http://…; token: secret:NAME, or NULL */
	const char *container;                         /* that it lives in: "local/files"; or NULL */
	int64_t timeout_ms;                            /* 10 s: of one answer */
	int line;
};

/* The model that is asked about what the rules do not know. */
struct config_claude {
	const char *provider;                          /* "anthropic", "openai" (compatible) */
	const char *api_url, *api_key;                 /* api_key: secret:NAME, or NULL */
	const char *model;
	const char *strong_model;                      /* asked when model is unsure; NULL: none */
	const char *budget;                            /* as written: "1.00" */
	double usd_a_day;                              /* 1.00; 0: nothing is asked that costs */
	int hourly;                                    /* 20 calls */
	int64_t deadline_ms;                           /* 60 s: a question with all its rounds */
	int line;
};

/* A machine whose services, load, memory and disks are watched. */
struct config_machine {
	const char *name;                              /* "nas" */
	const char *url;                               /* local, ssh://user@host, unix:///bus */
	bool sudo;                                     /* commands there by sudo -n */
	int lxc;                                       /* in this container of that node; 0: itself */
	const char *const *units;                      /* patterns, ended by NULL */
	const char *const *ignore;
	bool measures;                                 /* load, memory and disks too */
	int keep_journal_mib;                          /* 200 */
	int64_t keep_logs_ms, keep_images_ms;          /* 7 d, 14 d; 0: all of them */
	int line;
};

/* Something that is asked from outside; exactly one of the five ways. */
struct config_probe {
	const char *name;                              /* "jellyfin" */
	const char *http, *tcp, *ping, *tls_expiry;    /* URL; host:port; host; host:port */
	const char *const *command;                    /* an argv, ended by NULL */
	const char *ca_file, *fingerprint;             /* https */
	const char *heals;                             /* docker:NAME/CONTAINER, host:NAME/UNIT; NULL */
	int64_t timeout_ms;                            /* 10 s */
	int line;
};

struct config_policy {
	const char *component, *action, *source;       /* patterns with *; NULL: any */
	bool has_risk;
	enum risk risk;
	enum consent then;
	int proven;                                    /* percent, with AUTO; 0: at once */
	int line;
};

struct config_heartbeat {
	const char *url;                               /* https://…, or secret:NAME; NULL: none */
	int64_t every_ms;                              /* 1 m */
};

/* A time in which what it is about is left alone, and nobody is told of it. */
#define CONFIG_WINDOWS_MAX 32
struct config_maintenance {
	const char *host;                              /* a source's name, or what something lives in */
	const char *component, *source;                /* patterns with *; NULL: any */
	const char *schedule;                          /* as written: "0 3 * * 0" */
	struct cron cron;
	int64_t for_ms;                                /* 1 h */
	int line;
};

struct config_redact {
	const char *const *patterns;                   /* globs, ended by NULL; or NULL */
	const char *const *hosts;                      /* names that names hides; or NULL */
	bool emails;                                   /* false */
	bool names;                                    /* false: hosts and addresses, from a model */
};

struct config_learn {
	int demote;                                    /* 15 %: below it a person is asked */
};

struct config_brakes {
	int budget;                                    /* 5 */
	int64_t budget_ms;                             /* 10 m */
	int64_t backoff_min_ms, backoff_max_ms;        /* 10 s .. 300 s */
	int64_t backoff_reset_ms;                      /* 10 m of health */
	int concurrent;                                /* 4 */
	int hourly;                                    /* 60 */
	int storm;                                     /* 3 */
	int64_t storm_ms;                              /* 5 s */
	int64_t settle_ms;                             /* 10 s */
	int64_t verify_ms;                             /* 120 s: longest wait for health after it */
	int64_t approval_ms;                           /* 1 h */
	int64_t ask_again_ms;                          /* 6 h after nobody answered; 0: never */
	int64_t later_ms;                              /* 1 h: what "later" means */
	bool two_persons;                              /* false: HIGH needs two to agree */
	int64_t recent_exit_ms;                        /* 10 m */
	int64_t unreachable_ms;                        /* 10 s: a daemon may be silent this long */
};

struct config {
	struct arena *arena;
	const char *file;
	int64_t interval_ms;                           /* 60 s */
	enum healing healing;                          /* off: first start only */
	const char *state;                             /* /var/lib/homeostat */
	const char *listen;                            /* 127.0.0.1:9095; "none": no TCP */
	const char *control;                           /* NULL: the default for this user */
	struct config_docker *docker;
	int docker_count;
	struct config_proxmox *proxmox;
	int proxmox_count;
	struct config_telegram telegram;               /* token NULL: not configured */
	struct config_notify *notify;
	int notify_count;
	const char *public_url;                        /* where others reach listen; NULL: nowhere */
	struct config_thresholds thresholds;
	struct config_mcp *mcp;
	int mcp_count;
	struct config_claude *claude;                  /* NULL: none */
	struct config_machine *machines;
	int machine_count;
	struct config_probe *probes;
	int probe_count;
	struct config_policy *policy;
	int policy_count;
	struct config_heartbeat heartbeat;
	struct config_maintenance *maintenance;
	int maintenance_count;
	struct config_brakes brakes;
	struct config_learn learn;
	struct config_redact redact;
	const char **warnings;                         /* ended by NULL: "FILE:LINE: key: …" */
};

/* NULL: err is "FILE:LINE: key: what is wrong" and how to mend it. Reads the file, checks all. */
struct config *config_load(const char *file, struct err *err);
/* The same from text; name is for errors. */
struct config *config_parse(const char *name, const char *text, size_t length, bool is_private,
	struct err *err);
void config_free(struct config *config);

/* One key of the table, for help and the man page; check is the reader's own. */
struct config_check;
struct config_key {
	const char *path, *type, *otherwise, *summary;
	const struct config_check *check;
};
const struct config_key *config_keys(int *count);

/* The control socket's default: in $RUNTIME_DIRECTORY (systemd's), else /run/homeostat/control.sock
 * for root, else in $XDG_RUNTIME_DIR. */
const char *config_control_default(struct arena *arena);

#endif
