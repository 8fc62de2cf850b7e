/*
 * What the files of the live chat share; see chat.h. All of it is the talker's, but for struct
 * poller, which is the poller's.
 *   chat.c     threads, opening, the rounds       poller.c   getUpdates
 *   hear.c     updates: who, and what             command.c … menu.c: the pure texts
 *   orders.c   what commands and presses do       gather.c   the facts of a page
 *   show.c     a message with live buttons        deliver.c  pace, outcomes, where it stands
 *   news.c     notices become news                cards.c    messages that follow an incident
 *   digest.c   much at once                       storms.c   failures with one cause
 *   quiet.c    quiet hours                        questions.c  that nobody answers
 */
#ifndef REPORT_TELEGRAM_LIVE_H
#define REPORT_TELEGRAM_LIVE_H

#include "client/telegram.h"
#include "report/ask.h"
#include "report/telegram/button.h"
#include "report/telegram/chat.h"
#include "report/telegram/command.h"
#include "report/telegram/facts.h"
#include "store/store.h"

#define TELEGRAM "telegram"
#define FACT_OFFSET "channel:telegram:offset"
#define FACT_NOTICE "channel:telegram:notice"
#define FACT_MORNING "channel:telegram:morning"
#define FACT_STORM "channel:telegram:storm"
#define ASK_MS 5000
#define LIVE_ARENA_BYTES ((size_t)24 << 20)

/* Kinds of mail to the talker, besides MAIL_NOTICE. */
enum { MAIL_UPDATES = 200, MAIL_POLLED };

/* How polling goes. In a mail when it changes. */
struct polled {
	bool ok;
	bool loud; /* people are to be told: it does not mend itself */
	char text[240];
};

/* Where updates come from. */
struct poller {
	struct telegram *telegram;
	const struct clock *clock;
	int64_t offset;
	int64_t next_at;  /* mono: not before */
	int failures;     /* in a row */
	int64_t rival_at; /* mono: when another program's polling was met first; 0: it was not */
	bool webhook_ended;
	struct polled told;
};
/* One poll. Waits for nothing else. True: batch has updates. news: told has changed. */
bool poller_step(struct poller *poller, int timeout_s, struct arena *arena,
	struct telegram_batch *batch, bool *news);

/* A chat that is written to, and its pace. */
#define GROUP_RATE 18
struct place {
	int64_t chat;       /* 0: free */
	int64_t free_at;    /* mono: when the burst is used up again */
	int64_t sent_at[GROUP_RATE];
	unsigned sent;
	int64_t wait_until; /* mono: as Telegram said */
	int64_t used_at;
	bool is_dead;
};
#define PLACES 16

/* A message on its way. */
struct letter {
	int64_t chat, thread, reply_to;
	int64_t message_id; /* to be edited; 0: a new one. After delivery: where it stands */
	const struct message *message;
	int64_t approval_id; /* that its buttons decide */
	bool is_news;        /* leaves room for answers */
};
enum delivery { DELIVERED, DELAYED, LOST };

/* News on its way. */
enum item_kind {
	ITEM_ASK,    /* a question */
	ITEM_REMIND, /* the same, not answered */
	ITEM_REPORT, /* what became of an action that a person approved or ordered */
	ITEM_CARD,   /* an incident, as it stands */
	ITEM_PLAIN,  /* of no incident */
	ITEM_STORM,
	ITEM_MORNING,
};
/* What is told first when not all can be. */
enum { RANK_CRITICAL, RANK_PERSON, RANK_QUESTION, RANK_ANSWER, RANK_NEWS };
struct item {
	enum item_kind kind;
	int64_t notice_id; /* 0: not from the store */
	int64_t chat;      /* REMIND */
	int rank;          /* the lower, the sooner */
	struct notice notice;
};
#define ITEMS_MAX 48
#define DIRTY_MAX 64
#define DIGEST_ROWS 14

/* A message that lists what was too much for one each. */
enum digest_kind { DIGEST_PEOPLE, DIGEST_QUESTION, DIGEST_OTHER, DIGEST_FIX };
#define DIGEST_KINDS 4
struct digest {
	int64_t message_id, at;  /* mono: when it was begun */
	int64_t edit_at;         /* mono: not before */
	int64_t notice_id;       /* the oldest in it that is not shown yet; 0: none */
	bool is_dirty;
	int counts[DIGEST_KINDS];
	int rows;
	struct { enum digest_kind kind; char text[160]; } row[DIGEST_ROWS];
};

struct storm_card {
	char source[64];
	int64_t message_id, began_at, ended_at; /* wall */
	int64_t edit_at;                        /* mono */
	bool is_dirty;
};
#define STORMS_MAX 4

struct stranger {
	int64_t id, told_at; /* mono */
	int unnoted;
};
#define STRANGERS_MAX 64
#define NAMES_MAX 16
#define SHOWN_MAX 128
#define OWED_MAX 8
#define HANDLED_MAX 256
#define WATCHED_MAX 32
#define UNRECORDED_MAX 16

struct talker {
	const struct chat_config *config;
	const struct config_telegram *settings;
	const struct clock *clock;
	struct telegram *telegram;
	struct store *store; /* a reader of its own */
	chat_ask_fn *ask;
	void *ask_ctx;
	char bot[64];        /* our user name; "" : not known yet */
	char host[64];       /* this machine's name */
	int64_t home;        /* the configuration's chat, or what it has become */
	bool is_introduced;  /* getMe and setMyCommands are done */
	int64_t introduce_at; /* mono: not before */
	int64_t update_id;   /* that is handled now; 0: none */
	int64_t committed_offset, first_offset;
	int64_t handled[HANDLED_MAX]; /* updates, the last ones */
	unsigned handled_next;
	struct place places[PLACES];
	int64_t all_free_at;
	int64_t offline_until; /* mono: Telegram is not reached */
	int offline;           /* failures in a row */
	struct polled polled;
	struct channel_status status, status_told;
	int64_t status_at;
	struct stranger strangers[STRANGERS_MAX];
	struct { int64_t id; char name[96]; } names[NAMES_MAX];
	int name_next;
	/* answers that had to wait */
	struct { struct arena *arena; struct letter letter; } owed[OWED_MAX];
	int owed_count;
	/* news */
	bool is_new;             /* the chat was never told anything */
	int64_t cursor, read_id; /* told up to; read up to */
	int64_t cursor_at;
	struct item *items;
	int item_count;
	int64_t dirty[DIRTY_MAX], dirty_notice[DIRTY_MAX];
	int dirty_count;
	struct { int64_t incident_id, approval_id, at; } watched[WATCHED_MAX]; /* to be repeated */
	int watched_count;
	struct posting unrecorded[UNRECORDED_MAX];
	int unrecorded_count;
	struct { int64_t chat, message_id; uint64_t hash; } shown[SHOWN_MAX];
	int shown_next;
	struct digest digest;
	struct storm_card storms[STORMS_MAX];
	int storm_count;
	int64_t watch_at;        /* mono: when reminders and quiet hours are looked at */
	bool is_quiet;
	int64_t morning_at;      /* wall: the end of the last quiet hours that were summed up */
	char down[8][64];        /* sources that people were told are out of reach */
	bool did;                /* this round did something */
};

int64_t talker_now(const struct talker *talker);  /* mono */
int64_t talker_wall(const struct talker *talker);
/* The core's answer; NULL: none. Fills channel and actor; with_position: the update at hand is
 * done with it. */
struct answer *talker_ask(struct talker *talker, struct request *request, bool with_position,
	struct arena *arena);
/* The name of a person, as they call themselves; else of an actor. */
const char *talker_who(struct talker *talker, const char *actor, struct arena *arena);
void talker_said(struct talker *talker, enum telegram_outcome outcome);

/* hear.c */
void hear(struct talker *talker, const struct telegram_update *update);

/* orders.c */
void obey_command(struct talker *talker, const struct telegram_update *update,
	const struct command *command, struct arena **arena);
void obey_press(struct talker *talker, const struct telegram_update *update, struct arena **arena);

/* gather.c: for a page's path; never NULL. */
struct facts *facts_gather(struct talker *talker, const char *path, struct arena *arena);
/* One incident's whole story; false: there is none. */
struct story_rows {
	struct incident incident;
	struct fact_story story;
};
bool story_gather(struct talker *talker, int64_t incident_id, struct story_rows *rows,
	struct arena *arena);
/* Components that text names, by name or label. None: names (ended by NULL) are all there
 * are, each with its label behind it. */
int components_gather(struct talker *talker, const char *text, const char ***names,
	struct arena *arena);
/* A page, or with "why/7" an incident's story. */
struct message *page_show(struct talker *talker, const char *path, int number,
	struct arena *arena, int64_t *approval_id);

/* show.c: the keyboard of a message, its buttons registered with the core. False: they could not
 * be. */
struct keyboard {
	struct telegram_row *rows;
	int row_count;
};
bool keyboard_make(struct talker *talker, const struct letter *letter, struct keyboard *keyboard,
	struct arena *arena);
const char *deed_action(enum deed deed, const char *component);

/* deliver.c */
enum delivery deliver(struct talker *talker, struct letter *letter, struct arena *arena);
/* To a person, who waits: a short while for the pace, and else it is kept for later, which takes
 * *arena. say_now: else it is not sent. */
enum delivery say_now(struct talker *talker, struct letter *letter, struct arena *arena);
void reply(struct talker *talker, struct letter *letter, struct arena **arena);
void owed_send(struct talker *talker);
/* ms until this chat may be written to; 0: now. */
int64_t place_wait(struct talker *talker, int64_t chat, bool is_news);
/* A chat has become another. */
void place_moved(struct talker *talker, int64_t from, int64_t to);
void place_alive(struct talker *talker, int64_t chat);
/* The chat that the configuration's has become before now. */
void home_open(struct talker *talker);

/* news.c */
void news_open(struct talker *talker);
void news_read(struct talker *talker);
void news_send(struct talker *talker);
void news_add(struct talker *talker, enum item_kind kind, const struct notice *notice, int rank);
/* The n-th is told, or need not be. */
void news_done(struct talker *talker, int n);
/* Commits how far the news is told, with what stands in a chat now (NULL: nothing new). */
void news_commit(struct talker *talker, const struct posting *posting);

/* quiet.c: the passing of time: quiet hours, and questions without an answer. */
void news_watch(struct talker *talker);

/* questions.c */
/* What waits for an answer now, whoever was told; NULL: nothing. */
const struct approval *question_open(const struct story_rows *rows);
/* It is repeated when nobody answers. */
void question_watch(struct talker *talker, const struct incident *incident,
	const struct approval *approval);
void questions_watch(struct talker *talker);
/* Those that stand open and have no message: of the quiet hours, or of before a restart. */
void questions_ask(struct talker *talker);

/* cards.c */
void card_touch(struct talker *talker, int64_t incident_id, int64_t notice_id);
void cards_send(struct talker *talker);
/* So it stands there now. */
void card_shown(struct talker *talker, const struct letter *letter);
bool card_exists(struct talker *talker, int64_t incident_id, const char *purpose,
	int64_t approval_id, int64_t *message_id);
/* Whether this message is one that follows the incident. */
bool card_stands(struct talker *talker, int64_t incident_id, int64_t chat, int64_t message_id);
/* What became of a question. */
struct message *card_question(struct talker *talker, const struct story_rows *rows,
	int64_t approval_id, struct arena *arena);
struct message *card_news(struct talker *talker, const struct story_rows *rows,
	struct arena *arena);

/* digest.c: */
void digest_fold(struct talker *talker);
void digest_send(struct talker *talker);
/* storms.c */
bool storms_take(struct talker *talker, const struct notice *notice);
void storms_note(struct talker *talker, const struct notice *notice);
void storms_send(struct talker *talker);
void storms_open(struct talker *talker);

#endif
