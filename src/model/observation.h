/*
 * An observation: what a source saw of one component at one moment. Facts only; whether they mean a
 * failure is detect's to say. Plain data, no ownership.
 */
#ifndef MODEL_OBSERVATION_H
#define MODEL_OBSERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "model/component.h"

enum obs_state {
	OBS_UNKNOWN,     /* could not be seen */
	OBS_RUNNING,
	OBS_EXITED,      /* ended; see cause */
	OBS_RESTARTING,  /* its own system is bringing it back (the engine's restart policy) */
	OBS_PAUSED,
	OBS_CREATED,     /* never started */
	OBS_ABSENT,      /* removed */
	OBS_UNREACHABLE, /* a daemon, a node: does not answer */
	OBS_STATES,
};
enum obs_health { OBS_NO_CHECK, OBS_STARTING, OBS_HEALTHY, OBS_UNHEALTHY };

/* Why something that ran does not run. */
enum stop_cause {
	STOP_UNSEEN, /* nobody saw it and nothing tells: report and ask */
	STOP_CRASH,  /* its process ended by itself, or was killed from outside the engine */
	STOP_PERSON, /* docker stop, docker kill, compose down, an updater's recreation */
	STOP_ENGINE, /* its engine or host went down under it: what ran before is wanted */
	STOP_DONE,   /* a one-shot that ended with 0 and nobody wants back */
};

/* How much it is wanted that something runs. */
enum want {
	WANT_NOT,      /* nobody needs it to: a guest without onboot */
	WANT_STARTED,  /* its own system starts it at boot */
	WANT_CRITICAL, /* the configuration names it */
};

/* What has no number, as its source has compared it with what should be; detail says it. */
enum obs_fault { FAULT_NONE, FAULT_NOTE, FAULT_WARNING, FAULT_FAILED, FAULT_GONE };

struct observation {
	struct component component;
	enum aspect aspect;
	enum obs_state state;       /* of another aspect than STATE: UNKNOWN: could not be seen */
	enum obs_fault fault;       /* of a backup, a storage, and of aspects without a number */
	enum want want;             /* of a guest */
	double percent;             /* CPU, MEMORY, DISK: of all there is; < 0: not known */
	int64_t used_bytes, max_bytes; /* MEMORY, DISK; -1: not known */
	char who[64];               /* who stopped it, where that is known: "root@pam" */
	char held[96];              /* what forbids to act on it now: "locked (backup)"; "" : nothing */
	enum obs_health health;
	enum stop_cause cause;      /* when EXITED */
	int exit_code;
	bool oom_killed;
	bool gave_up;               /* its own system's restart policy tried and gave up */
	int64_t since_ms;           /* wall: when this state began; 0: unknown */
	int64_t seen_mono_ms;       /* mono: when the look was begun */
	int restarts;               /* its own system's count */
	enum err_kind_obs { OBS_ERR_NONE, OBS_ERR_DOWN, OBS_ERR_DENIED } trouble; /* UNREACHABLE: why */
	char status[160];           /* as its own system words it: "Exited (1) 5 minutes ago" */
	char detail[320];           /* an error or the health check's last output, untrusted text */
	char image[128];
	char services[121];         /* SERVICE of a node: those that failed, "chrony,pvestatd"; "" when
	                               there are more than can be told */
};

/* An observation of nothing yet: running, numbers not known. */
struct observation observation_of(const struct component *component, enum aspect aspect);

const char *obs_state_name(enum obs_state state);   /* "exited" */
const char *obs_health_name(enum obs_health health);
const char *stop_cause_name(enum stop_cause cause); /* "stopped by a person" */

/* What one look of a source brought. In a mail to the core. */
struct report {
	char source[64];
	bool reached;              /* false: nothing could be seen; text says why */
	bool complete;             /* lists every component of the source: what is missing is gone */
	int64_t seen_mono_ms;
	int64_t took_ms;
	struct observation *observations;
	int count;
	char cursor[64];           /* where to go on after a restart (time of the last event), or "" */
	char text[480];            /* !reached: why, for people */
	enum err_kind_obs trouble; /* !reached */
};

#endif
