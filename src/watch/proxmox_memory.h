/*
 * What the watcher of Proxmox VE remembers of each component: digests of what was last told of it,
 * and of a guest what would cost a question to learn again. Found by the component's name. Owned by
 * the source, used on its thread only.
 */
#ifndef WATCH_PROXMOX_MEMORY_H
#define WATCH_PROXMOX_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/observation.h"

/* Why a guest does not run, as found by a closer look. */
struct prox_stop {
	unsigned char times;        /* asked, with the same answer */
	unsigned char state, cause, want; /* enum obs_state, stop_cause, want */
	bool known;
	char who[40];
	char detail[80];
	int64_t since_ms;       /* wall; 0: not known */
	int64_t asked_mono_ms;  /* when it was looked at */
	int64_t config_mono_ms; /* when its configuration was */
};

struct prox_guest_memo {
	int vmid;
	bool is_lxc;
	char lock[24];
	int64_t lock_since_ms; /* wall */
	bool lock_asked;
	int64_t down_mono_ms;   /* since when it is seen not running; 0: it runs */
	struct prox_stop *stop; /* NULL: it runs */
};

struct prox_memo {
	char *name, *label, *native, *parent; /* of the component */
	uint32_t told[ASPECTS];               /* digest of what was told; 0: nothing yet */
	uint32_t hot;                         /* a bit an aspect: not well when last told */
	unsigned seen;                        /* the number of the look that listed it */
	unsigned char kind;                   /* enum component_kind */
	unsigned char missed;                 /* looks in a row in which a storage was not available */
	struct prox_guest_memo *guest;        /* of guests */
	bool gone;                            /* to be swept */
};

struct prox_memory {
	struct prox_memo *memos;
	int count, capacity;
	int *slots;
	int slot_count;
};

struct prox_memo *prox_memory_find(const struct prox_memory *memory, const char *name);
/* Makes it. The pointer is good until the next get or sweep. */
struct prox_memo *prox_memory_get(struct prox_memory *memory, const char *name);
/* Drops those that are gone. */
void prox_memory_sweep(struct prox_memory *memory);
void prox_memory_free(struct prox_memory *memory);
/* Everything is news again; what cost a question is kept. */
void prox_memory_forget_told(struct prox_memory *memory);

#endif
