/*
 * What the files proxmox*.c share: the handle, one question with its answer, and rows of a list by
 * a table. Paths are without /api2/json. Whatever is asked goes through proxmox_ask.
 */
#ifndef CLIENT_PROXMOX_INTERNAL_H
#define CLIENT_PROXMOX_INTERNAL_H

#include "base/http.h"
#include "base/json.h"
#include "client/proxmox.h"

#define PROXMOX_ADDRESSES_MAX 33
#define PROXMOX_TIMEOUT_MS 15000
/* Calls that another node has to answer: it may take 21 s to find out that it does not. */
#define PROXMOX_NODE_TIMEOUT_MS 30000
#define PROXMOX_ANSWER_BYTES ((size_t)32 * 1024 * 1024)
#define PROXMOX_SCRATCH_BYTES ((size_t)256 * 1024 * 1024)

struct proxmox_address_of {
	char node[64];        /* "" : not known yet */
	char url[300];
	char fingerprint[100]; /* "" : by ca_file, or the system's authorities */
};

struct proxmox {
	struct config_proxmox config;
	struct arena *arena;  /* the configuration's strings */
	const struct clock *clock;
	int stop_fd;
	char name[80];        /* "proxmox pve" */
	/* [0] is the configured one. */
	struct proxmox_address_of addresses[PROXMOX_ADDRESSES_MAX];
	int address_count, current;
	struct http *http;    /* to the current one; NULL: not yet opened */
	int64_t answered_at;  /* mono, 0: the current address has not answered yet */
	int64_t learnt_at;    /* mono: certificates of the others, 0: never */
	char *token;          /* the header, or NULL */
	char ticket[1024], csrf[256];
	int64_t ticket_at;    /* mono */
	int64_t denied_at;    /* mono: rights were asked for because of empty lists */
	char denied[160];
	bool unsent;          /* of the last question nothing has left us */
	char moved[300];      /* why the configured address was left, "": it answers */
};

/* proxmox_known.c */
#define PATH_BYTES 1024
void proxmox_known_read(struct proxmox *proxmox);
void proxmox_known_write(struct proxmox *proxmox);

struct proxmox_param { const char *name, *value; };

struct proxmox_question {
	const char *method, *path;
	const struct proxmox_param *params; /* ended by a NULL name; NULL: none */
	int64_t timeout_ms;
};

/* The answer's data. Anything but 2xx is an error. */
bool proxmox_ask(struct proxmox *proxmox, const struct proxmox_question *question,
	struct arena *arena, struct json *data, struct err *err);
bool proxmox_get(struct proxmox *proxmox, const char *path, int64_t timeout_ms,
	struct arena *arena, struct json *data, struct err *err);
/* A POST, PUT or DELETE that starts a task. */
bool proxmox_begin(struct proxmox *proxmox, const struct proxmox_question *question,
	char upid[PROXMOX_UPID_BYTES], struct err *err);
/* The exchange itself, to the current address and, when it does not answer, the others. */
bool proxmox_exchange(struct proxmox *proxmox, struct http_request *request, struct arena *arena,
	struct http_reply *reply, struct err *err);
/* {"data": …} of a body. */
bool proxmox_data(const char *text, size_t length, struct arena *arena, struct json *data,
	struct err *err);

/* proxmox_login.c. Headers that prove who we are; asks for a ticket when there is none. */
#define PROXMOX_HEADERS_MAX 4
bool proxmox_login(struct proxmox *proxmox, bool changes, struct arena *arena,
	const char *headers[PROXMOX_HEADERS_MAX], struct err *err);
/* True: the ticket was dropped, and asking once more makes sense. */
bool proxmox_login_again(struct proxmox *proxmox);
/* name=value&…, encoded. NULL: too large. */
char *proxmox_form(const struct proxmox_param *params, struct arena *arena);

/* proxmox_error.c: what a status above 299 means. Always returns false. */
bool proxmox_refused(struct proxmox *proxmox, const struct proxmox_question *question,
	const struct http_reply *reply, struct arena *arena, struct err *err);
/* One line without control characters. */
void proxmox_one_line(char *text);

/* Rows by a table: texts become pointers into the arena. */
enum proxmox_type { PROXMOX_T_TEXT, PROXMOX_T_INT64, PROXMOX_T_DOUBLE, PROXMOX_T_BOOL,
	PROXMOX_T_VMID };
struct proxmox_field {
	const char *key;
	enum proxmox_type type;
	size_t offset;
};
struct proxmox_table {
	const struct proxmox_field *fields;
	size_t count, row_bytes;
};
/* Sets what the table names: texts to "", numbers to -1, booleans to false, then what is there. */
void proxmox_row(struct json object, const struct proxmox_table *table, struct arena *arena,
	void *row);
struct proxmox_rows { void *rows; int count; };
/* GET of an array of objects; what is no object is left out. */
bool proxmox_list(struct proxmox *proxmox, const char *path, const struct proxmox_table *table,
	struct arena *arena, struct proxmox_rows *rows, struct err *err);
/* The same of an array that was read already. */
bool proxmox_rows(struct json data, const struct proxmox_table *table, struct arena *arena,
	struct proxmox_rows *rows, struct err *err);

/* "qemu" or "lxc" */
const char *proxmox_kind_word(enum proxmox_guest_kind kind);
enum proxmox_guest_state proxmox_state_of(const char *text);
/* "/nodes/pve1/qemu/100" and what is appended */
const char *proxmox_guest_path(struct arena *arena, struct proxmox_at at, const char *rest);
const char *proxmox_node_path(struct arena *arena, const char *node, const char *rest);

#endif
