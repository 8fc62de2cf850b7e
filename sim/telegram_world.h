/* The simulated Telegram's world, shared by the files sim/telegram*.c. */
#ifndef SIM_TELEGRAM_WORLD_H
#define SIM_TELEGRAM_WORLD_H

#include "base/json.h"
#include "base/str.h"
#include "sim/telegram.h"

#define TG_TOPICS 32
#define TG_FAULTS 32
#define TG_TICKETS 16
#define TG_QUERIES 512
#define TG_PARAMS 64
#define TG_WORDS 24
#define TG_GROUP_RATE 20
#define TG_ALL_RATE 30
#define TG_ANONYMOUS INT64_C(1087968824)
#define TG_BUTTONS_MAX 100

struct tg_user {
	int64_t id;
	char name[64], last[64], username[40];
	bool is_bot, is_deactivated;
};

enum tg_type { TG_PRIVATE, TG_GROUP, TG_SUPERGROUP, TG_CHANNEL };
enum tg_standing { TG_MEMBER, TG_BLOCKED, TG_KICKED, TG_LEFT, TG_UNKNOWN, TG_UNSTARTED };
enum tg_topic_state { TG_TOPIC_OPEN, TG_TOPIC_CLOSED, TG_TOPIC_DELETED };
struct tg_topic { int64_t id; enum tg_topic_state state; };

struct tg_chat {
	int64_t id;
	enum tg_type type;
	char title[128];
	bool is_forum;
	enum tg_standing standing;
	int64_t migrated_to;       /* 0: no */
	struct tg_topic topics[TG_TOPICS];
	int topic_count;
	int64_t last_message;
	int64_t free_ms;           /* mono: when the burst is used up again */
	int64_t sent_ms[TG_GROUP_RATE];
	int sent_count;
	int64_t wait_until_ms;     /* mono: of a 429 that was told */
};

struct tg_button { char *text, *data; int row; bool is_former; };

struct tg_message {
	int64_t id, thread, reply_to, from, sender_chat;
	struct tg_chat *chat;
	bool by_bot, is_deleted, is_silent, is_forwarded, via_bot;
	char *text;                /* visible */
	char *entities;            /* "b 0 5;" of what is marked up how */
	char *markup;              /* reply_markup as it is shown to the bot, or NULL */
	char *file;                /* name; NULL: a text */
	bool is_photo;
	struct tg_button *buttons; /* former ones as well */
	int button_count, edits, units;
	int64_t date_s, edited_s;
};

struct tg_update { int64_t id, at_ms; char *json; };

struct tg_query {
	int64_t id, at_ms;         /* mono */
	int64_t user;
	bool is_answered, is_forgotten;
};

/* A poll that is held, or that ended in a conflict which is told late. */
struct tg_held {
	uint64_t ticket;           /* 0: free */
	int64_t offset, until_ms;  /* mono */
	int limit;
	const char *conflict;      /* static; NULL: it waits for updates */
	bool is_broken;            /* by a restart */
};

struct tg_fault {
	char method[40];           /* lower case, or "*" */
	char kind[16], text[200];
	int64_t number;            /* STATUS, or MS of slow; of 429 its seconds are in arg */
	int64_t arg;
	int left;
	bool after;
};

struct sim_telegram {
	const struct clock *clock;
	char token[100];
	struct tg_user bot;
	bool is_revoked, is_private_mode, has_rates, counts_utf16, has_styles, has_rival;
	char webhook[200];
	struct tg_user *users;
	int user_count;
	struct tg_chat **chats;
	int chat_count;
	struct tg_message **messages;
	int message_count;
	struct tg_update *updates; /* oldest first */
	int update_count;
	struct tg_update *confirmed; /* for redelivery */
	int confirmed_count;
	bool redelivers;           /* the next poll gets all, whatever its offset */
	int64_t next_update;
	char allowed[400];         /* ",message,callback_query,"; "": the default */
	int64_t polled_offset, polled_ms;
	int64_t conflict_ms;       /* mono: the next one may be told at once */
	int64_t rival_ms;
	struct tg_held held[TG_TICKETS];
	uint64_t last_ticket;
	struct tg_query queries[TG_QUERIES];
	int64_t query_count, query_life_ms;
	int64_t sent_ms[TG_ALL_RATE];
	int sent_count;
	int64_t wait_until_ms;
	int impatient;
	struct tg_fault faults[TG_FAULTS];
	int fault_count;
	char **journal, **lines;
	int journal_count, line_count;
	char *commands;            /* JSON, as set */
	struct arena *commands_arena, *shown;
	const char *commands_text;
};

/* telegram_world.c */
void *tg_must(void *memory);
char *tg_strdup(const char *text);
/* Makes room for one more of size bytes in an array of count. */
void *tg_more(void *array, int count, size_t size);
struct tg_user *tg_user_find(struct sim_telegram *sim, int64_t id);
struct tg_chat *tg_chat_find(struct sim_telegram *sim, int64_t id);
struct tg_chat *tg_chat_add(struct sim_telegram *sim, int64_t id, enum tg_type type,
	const char *title);
struct tg_message *tg_message_find(struct sim_telegram *sim, const struct tg_chat *chat,
	int64_t id);
struct tg_message *tg_message_add(struct sim_telegram *sim, struct tg_chat *chat,
	const char *text);
void tg_message_free(struct tg_message *message);
int64_t tg_now(const struct sim_telegram *sim);   /* mono ms */
int64_t tg_now_s(const struct sim_telegram *sim); /* wall */
void tg_line(struct sim_telegram *sim, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* telegram_queue.c: an update of a kind, unless it is not wanted. members: '"message":{…}'. */
void tg_update_add(struct sim_telegram *sim, const char *kind, const char *members);
void tg_updates_expire(struct sim_telegram *sim);
/* Forgets what is before the n-th. */
void tg_updates_confirm(struct sim_telegram *sim, int n);

/* telegram_json.c */
void tg_put_user(struct json_out *out, const char *key, const struct tg_user *user);
void tg_put_chat(struct json_out *out, const char *key, struct sim_telegram *sim,
	const struct tg_chat *chat);
void tg_put_message(struct json_out *out, const char *key, struct sim_telegram *sim,
	const struct tg_message *message);

/* telegram_text.c: a text as it will be seen. */
struct tg_text {
	const char *visible, *entities;
	int points, units;
};
/* 0, or the status with why in words. */
struct tg_problem {
	int status; /* 0: none */
	char words[400];
	int64_t retry_after_s, migrate_to;
};
bool tg_problem(struct tg_problem *problem, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool tg_is_utf8(const char *text, size_t length);
void tg_measure(const char *text, int *points, int *units);
bool tg_parse_html(const char *html, struct arena *arena, struct tg_text *text,
	struct tg_problem *problem);
/* Of HTML: the code point of the reference at *at, which moves past it; 0: there is none. */
unsigned tg_reference(const char **at);
void tg_add_point(struct str *str, unsigned point);

/* telegram_params.c: of a request, wherever they stand. */
struct tg_param {
	const char *name, *value, *file_name; /* file_name: NULL: no file */
	size_t length;
};
struct tg_call {
	struct sim_telegram *sim;
	struct arena *arena;
	char method[40];           /* lower case */
	struct tg_param params[TG_PARAMS];
	int param_count;
	struct tg_problem problem;
	struct str result;         /* JSON */
	struct tg_chat *chat;      /* for the journal */
	uint64_t ticket;           /* a poll that is held */
	int64_t held_ms;
};
bool tg_call_params(struct tg_call *call, const struct sim_tg_request *request,
	const char *query);
const struct tg_param *tg_param(const struct tg_call *call, const char *name);
const char *tg_arg(const struct tg_call *call, const char *name); /* "" without */
int64_t tg_arg_int(const struct tg_call *call, const char *name, int64_t otherwise);
bool tg_arg_bool(const struct tg_call *call, const char *name);
bool tg_fail(struct tg_call *call, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* An argument that is JSON of a kind; absent: JSON_NONE, and true. */
bool tg_arg_json(struct tg_call *call, const char *name, enum json_kind kind, struct json *value);

/* telegram_keyboard.c */
struct tg_keyboard {
	const char *markup;        /* NULL: none */
	struct tg_button *buttons; /* in the arena */
	int count;
};
bool tg_call_keyboard(struct tg_call *call, struct tg_keyboard *keyboard);
void tg_message_buttons(struct tg_message *message, const struct tg_keyboard *keyboard);
const char *tg_buttons_text(const struct tg_message *message, struct arena *arena);

/* telegram_rates.c */
bool tg_call_rate(struct tg_call *call);
bool tg_call_wait(struct tg_call *call, struct tg_chat *chat, int64_t seconds);

/* telegram_place.c: the chat, its topic, and what is answered or edited. */
bool tg_call_chat(struct tg_call *call);
bool tg_call_place(struct tg_call *call, int64_t *thread, int64_t *reply_to);
bool tg_call_message(struct tg_call *call, const char *what, struct tg_message **message);

/* The methods. False: problem says why. */
typedef bool tg_method_fn(struct tg_call *call);
tg_method_fn tg_get_updates, tg_set_webhook, tg_delete_webhook, tg_get_webhook_info;
tg_method_fn tg_send_message, tg_send_photo, tg_send_document;
tg_method_fn tg_edit_text, tg_edit_markup, tg_delete_message;
tg_method_fn tg_answer_callback, tg_set_commands, tg_get_commands;

/* telegram_poll.c */
void tg_polls_end(struct sim_telegram *sim, const char *conflict);
void tg_polls_break(struct sim_telegram *sim);

/* telegram_api.c: the JSON of an error. */
void tg_reply_problem(const struct tg_problem *problem, struct arena *arena,
	struct sim_tg_reply *reply);
void tg_reply_result(const char *result, struct arena *arena, struct sim_tg_reply *reply);

/* The script. */
struct tg_line_words {
	struct sim_telegram *sim;
	char *words[TG_WORDS];
	int n;
	char *text;
	size_t size;
};
struct tg_verb {
	const char *name;
	int words; /* at least, after the name */
	bool (*play)(struct tg_line_words *line);
};
extern const struct tg_verb tg_verbs_world[], tg_verbs_people[], tg_verbs_faults[];
bool tg_bad(struct tg_line_words *line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int64_t tg_int(const char *text); /* 0: not one */
struct tg_user *tg_line_user(struct tg_line_words *line, int word); /* NULL: said so */
struct tg_chat *tg_line_chat(struct tg_line_words *line, int word);
const char *tg_line_option(const struct tg_line_words *line, const char *name);
bool tg_line_has(const struct tg_line_words *line, const char *word);

#endif
