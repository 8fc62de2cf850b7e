/*
 * A simulated Telegram: one bot, people, chats and the Bot API 10.3 over them, as strict as the
 * real server, on an injected clock; what people do, and faults, by script; and a transcript of
 * what each chat shows. The world belongs to one thread: every function here is called from it.
 * A long poll is answered later: sim_telegram_handle says SIM_TG_HELD with a ticket, and
 * sim_telegram_resume gives the answer once there is one: an update, the end of its time, or a
 * conflict. A server asks with each tick; a test in the same thread winds the clock and asks.
 * Source: core.telegram.org/bots/api, and the words of the real server's sources.
 */
#ifndef SIM_TELEGRAM_H
#define SIM_TELEGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"

struct sim_telegram;

/* What every new world's bot has: @homeostat_bot, "Homeostat". */
#define SIM_TG_TOKEN "123456789:AAF-simulated_token_of_no_real_bot"

/* No people, no chats yet. */
struct sim_telegram *sim_telegram_new(const struct clock *clock);
void sim_telegram_free(struct sim_telegram *sim);
/* Lets the time that has passed take effect. */
void sim_telegram_tick(struct sim_telegram *sim);

/* One line of a script; false: text says what is wrong with it. USER and CHAT are ids, or names and
 * titles; "…" holds words together, with \" and \n in it.
 * The world
 *   bot TOKEN [USERNAME] [NAME]
 *   user ID NAME [username=U] [last=NAME] [bot] [unstarted]     with the private chat of that id
 *   chat ID group|supergroup|channel TITLE [forum]
 *   topic CHAT THREAD [NAME] | topic CHAT THREAD deleted|closed
 *   privacy on|off         (on: of groups, the bot sees commands and answers to it alone)
 * What people do
 *   says USER CHAT TEXT [thread=N] [reply=ID] [via]             via: by an inline bot
 *   edits USER CHAT TEXT                                        of the newest that they said
 *   forwards USER CHAT TEXT
 *   anonymous CHAT TEXT                                         an administrator as the group
 *   presses USER CHAT BUTTON [twice] [old] [inaccessible] [missing]
 *          the newest message that has BUTTON; old: the oldest that ever had it, as still seen on
 *          somebody's screen; the last two: what the callback says of its message
 *   deletes CHAT MESSAGE_ID
 *   blocks USER | unblocks USER | deactivates USER
 *   kicks CHAT | leaves CHAT | joins CHAT | vanishes CHAT       (vanishes: chat not found)
 *   migrates CHAT NEW_ID                                        the group becomes a supergroup
 *   raw JSON                                                    members of an update of any kind
 * Faults
 *   fail METHOD|* STATUS|KIND [ARG] [times=N] [after]           of the next N (1) such requests;
 *          STATUS [TEXT]: that error, 502 and 504 as a gateway's HTML, 429 with ARG as its seconds;
 *          slow MS | refused | closed | silent | truncated | html; after: it had its effect all the
 *          same (truncated and slow always have)
 *   rival on|off           another program polls, once a second
 *   webhook URL|off
 *   revoke                 the token
 *   restart                callbacks are forgotten, polls broken off
 *   redeliver [N]          the last N (1) confirmed updates come again
 *   jump ID                of the next update
 *   rates on|off           (on) | chat-limit CHAT SECONDS       it has to wait so long
 *   query-life SECONDS     (15) a callback can be answered
 *   count points|utf16     (points) what 4096 counts
 *   styles on|off          (on; off: a server that refuses styles)
 *   forget                 the journal is emptied */
bool sim_telegram_script(struct sim_telegram *sim, const char *line, char *text, size_t size);

struct sim_tg_request {
	const char *method, *url;  /* "POST", "/botTOKEN/sendMessage?chat_id=1" */
	const char *content_type;  /* JSON, form or multipart; NULL: none */
	const char *body;          /* NULL: none */
	size_t body_bytes;
};
enum sim_tg_wire {
	SIM_TG_ANSWERED,
	SIM_TG_HELD,      /* a long poll: see ticket */
	SIM_TG_REFUSED,   /* no connection */
	SIM_TG_CLOSED,    /* closed without an answer */
	SIM_TG_SILENT,    /* accepted, and never a byte */
	SIM_TG_TRUNCATED, /* the connection ends in the middle of the body */
};
struct sim_tg_reply {
	enum sim_tg_wire wire;
	int status;
	const char *body; /* in the arena */
	size_t body_bytes;
	const char *content_type;
	int64_t retry_after_s; /* header Retry-After; 0: none */
	int64_t held_ms;       /* the answer comes so much later; of SIM_TG_HELD at the latest */
	uint64_t ticket;
};
void sim_telegram_handle(struct sim_telegram *sim, const struct sim_tg_request *request,
	struct arena *arena, struct sim_tg_reply *reply);
/* True: reply is the answer, and the ticket is used up. */
bool sim_telegram_resume(struct sim_telegram *sim, uint64_t ticket, struct arena *arena,
	struct sim_tg_reply *reply);
/* The client of a held poll is gone. */
void sim_telegram_abandon(struct sim_telegram *sim, uint64_t ticket);

/* The transcript. Patterns are whole texts with * and ?. Texts live until the next call. */
struct sim_tg_shown {
	int64_t id, chat, thread, reply_to;
	const char *text;    /* as seen; of a file its caption */
	const char *buttons; /* "Approve | Reject", a row a line; "" without */
	const char *file;    /* its name, or "" */
	int edits, units;    /* units: of UTF-16 in text */
	bool is_silent, is_deleted;
};
/* The n-th newest message of the bot that fits, from 0; deleted ones too. */
bool sim_telegram_shown(struct sim_telegram *sim, const char *pattern, int n,
	struct sim_tg_shown *shown);
/* How many messages of the bot fit that are there. */
int sim_telegram_sent(const struct sim_telegram *sim, const char *pattern);
/* Buttons of the newest that is there and fits; NULL: there is none. */
const char *sim_telegram_buttons(struct sim_telegram *sim, const char *pattern);
/* All that a person sees in a chat. */
const char *sim_telegram_chat(struct sim_telegram *sim, int64_t chat);
/* What happened, in order: "bot → Ada: …", "Ada presses [Approve]"; NULL: no more. */
const char *sim_telegram_line(const struct sim_telegram *sim, int n);
/* What was asked: "sendMessage 123 200" (method, chat or 0, status), by pattern. */
int sim_telegram_asked(const struct sim_telegram *sim, const char *pattern);
/* Sends and edits that came while a retry_after had not passed. */
int sim_telegram_impatient(const struct sim_telegram *sim);
/* Callbacks without an answer. */
int sim_telegram_unanswered(const struct sim_telegram *sim);
/* The commands that setMyCommands has set last: "status - Status of all\n…". */
const char *sim_telegram_commands(const struct sim_telegram *sim);
/* Updates that wait to be fetched or confirmed. */
int sim_telegram_waiting(const struct sim_telegram *sim);

/* `sim-telegram SOCKET|PORT [LINE…]`: serves the world on a unix socket, or on a port of 127.0.0.1
 * (0: any; the port is printed), in plain HTTP until SIGTERM. Each LINE is one of a script, run at
 * once, or as "after MS LINE" so long after the start. POST /sim/script runs its body as a line;
 * /sim/sent, asked, buttons, chat and line take a pattern, a chat's id, or a number, and answer
 * what the functions above say, /sim/impatient, unanswered and commands without one. Returns the
 * exit code. */
int sim_telegram_main(int argc, char **argv);

#endif
