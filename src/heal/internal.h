/*
 * The core's own state, shared by the files of heal/. Only the core's thread touches it.
 */
#ifndef HEAL_INTERNAL_H
#define HEAL_INTERNAL_H

#include "act/act.h"
#include "client/claude.h"
#include "decide/decide.h"
#include "diagnose/opinion.h"
#include "diagnose/evidence.h"
#include "heal/heal.h"
#include "learn/learn.h"
#include "model/notice.h"
#include "model/request.h"

#define SOURCES_MAX 32
#define MUTES_MAX 32
#define ANCESTORS_MAX 8
#define GATHERS_MAX 4        /* that look for evidence at a time */
/* PVE notices after 20 s that a node is away, looks every 10 s, and is looked at as often. */
#define HOME_TELLS_MS 45000
#define HOME_AFTER_MS 15000 /* so much later what lives still deeper */

/* What the core remembers of a life besides its row: lost by a restart, undone with the row. */
struct life_mind {
	bool looking;            /* a look is on its way */
	bool seen_down;          /* VERIFYING: a look found it down */
	bool resumed;            /* waits for its source's first report */
	bool in_doubt;           /* stopped by us or by a person: nobody can tell */
	bool by_order;           /* the action at hand was ordered by an operator */
	bool sighted;            /* by the whole report at hand */
	enum hold hold;          /* POSTPONED: for what */
	int told_attempt;        /* the last postponement that people were told of */
	char told[96];
	char told_cause[96];     /* the cause that people were told of */
	int64_t acted_mono_ms;   /* when the action's end was known: older sights do not count */
	int64_t home_until;      /* wall: what it lives in has just come back: it may come, too */
	int64_t quiet_until;     /* wall: an action of unknown end may still be going on */
	int64_t up_since;        /* wall: since when it runs, at the last look */
	int gathered;            /* 1 + the attempt that evidence was gathered of; 0: none */
	int opinions;            /* that a model was asked for */
	int counted;             /* the attempt up to which the outcome is in the lessons */
};

/* The model, as the core keeps its books. Undone with the transaction. */
struct model {
	int64_t busy_until;      /* wall: a question is on its way; 0: none */
	int64_t shut_until;      /* wall: it is not asked before */
	int failures;            /* in a row */
	char told[32];           /* the trouble that people were told of; "" : it works */
	struct claude_spent spent;
	double reserved_usd;     /* of the question on its way */
	long long answered, unanswered; /* since ever, for /metrics */
	double total_usd;
	int64_t reserved_for;    /* incident; after a crash: is not asked about again */
};

/* An open incident in memory. Changed only between life_touch and the commit. */
struct life {
	struct incident row;
	struct life_mind mind;
	struct incident before;  /* as committed; valid while touched */
	struct life_mind mind_before;
	bool touched, is_new;
};

/* A component that a source lists. Strings are its own. */
struct member {
	char *name, *label, *native, *parent;
	char held[96];           /* what forbids to act on it now; "" : nothing */
	int source;
	enum component_kind kind;
	enum obs_state state;
	enum obs_health health;
	enum finding_kind finding; /* of its state */
	bool has_risk, critical, seen;
	enum risk risk;
};

struct source_state {
	struct source_status status;
	char suffix[64];
	struct component root;   /* name "" : none; its parent is home's present name */
	char home[NAME_MAX_BYTES]; /* "guest_104@pve", or "" */
	char cursor[64], stored_cursor[64];
	int64_t cursor_stored_at;
	struct storm storm;
	bool storm_probing;
};

struct recent_action {
	char component[NAME_MAX_BYTES];
	int64_t began_at;
};

/* Actions of a component up to a time do not count: a person has said so. */
#define RESETS_MAX 64
struct reset {
	char component[NAME_MAX_BYTES];
	int64_t at;
};

struct pending_event {
	struct life *life;
	enum life_event event;
};

/* Something to do after the commit, in order. */
struct effect {
	struct effect *next;
	enum { EFFECT_JOB, EFFECT_NOTICE, EFFECT_ANSWER } kind;
	struct arena *arena;
	void *body;
	job_fn *fn;              /* EFFECT_JOB */
	const char *name;
	struct mailbox *to;      /* EFFECT_ANSWER */
};

struct heal {
	const struct config *config;
	const struct clock *clock;
	struct jobs *jobs;
	struct store *store;
	struct mailbox *inbox;
	struct mailbox *reporters[4];
	enum healing healing;
	int64_t started_at;
	struct life **lives;
	int life_count, life_capacity;
	struct member *members;
	int member_count, member_capacity;
	int *member_index;       /* open addressing by name; -1 empty; member_slots long */
	int member_slots;
	struct source_state sources[SOURCES_MAX];
	int source_count;
	struct recent_action *recent;
	int recent_count, recent_capacity;
	struct reset resets[RESETS_MAX]; /* in the order of their times */
	int reset_count;
	int acting;
	struct mute mutes[MUTES_MAX];
	int mute_count;
	int64_t summed_at;       /* wall: when shadow mode was summed up last */
	int64_t windows_minute;  /* wall: when window_until was made */
	int64_t window_until[CONFIG_WINDOWS_MAX]; /* of the maintenance windows; 0: not open */
	bool cut_off;            /* no source answers: see note_cut_off */
	bool keeps_notices;      /* a channel wants to have them after a restart too */
	struct channel_status channels[CHANNELS_MAX];
	int channel_count;
	int64_t forget_at;       /* wall: when old incidents are forgotten next */
	struct model model;
	int64_t gather_until[GATHERS_MAX]; /* wall: a slot is taken so long at most; 0: free */
	int64_t wall_offset;     /* from mono to wall: see now_ms */
	/* the transaction */
	bool in_transaction, failed;
	struct err store_err;
	struct pending_event *queue;
	int queued, queue_capacity;
	bool in_step;            /* an event is being handled */
	int raised;              /* by it, so far */
	struct effect *effects, **effects_end;
	/* when the store cannot be written */
	char trouble[240];
	bool is_resumed;         /* what the last run left open was taken up */
	struct mail *stalled, **stalled_end;
	int64_t retry_mono_ms;
	const struct observation *sight; /* what the event at hand was raised by; NULL: none */
};

/* A job's answer to the core. */
enum job_kind { JOB_ACTED, JOB_UNDONE, JOB_LOOKED, JOB_PROBED };
struct job_answer {
	enum job_kind kind;
	int64_t incident_id;
	int attempt;
	enum act_result acted;
	enum look_result looked;
	int64_t since_ms;
	char source[64];
	char text[480];
};

/* What the two kinds of diagnosis jobs answer. */
struct diagnosis_answer {
	bool is_opinion;
	int64_t incident_id;
	int attempt, slot;
	struct evidence_list list;
	struct incident subject;     /* as it was when it was asked; its diagnosis the rules' own,
									refined by the evidence */
	struct mailbox *box;         /* of the person who wants to know; NULL: a life does */
	char signature[SIGNATURE_BYTES];
	struct opinion opinion;
};

/* transaction.c: everything that changes something runs inside one. */
typedef void transaction_fn(struct heal *heal, void *arg);
bool transact(struct heal *heal, transaction_fn *fn, void *arg);
bool must_store(struct heal *heal); /* begins the store's transaction if need be; false: failed */
void stored(struct heal *heal, bool ok, const struct err *err); /* notes a failed write */
void audit(struct heal *heal, const char *what, const char *actor, const struct life *life,
	const char *text);
void effect_job(struct heal *heal, const char *name, job_fn *fn, struct arena *arena, void *body);
void effect_answer(struct heal *heal, struct mailbox *to, const struct answer *answer,
	const char *json);
void tell(struct heal *heal, enum notice_kind kind, const struct life *life, bool ok,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* lives.c: the open lives and their events. */
struct life *life_find(struct heal *heal, const char *component, enum aspect aspect);
struct life *life_by_id(struct heal *heal, int64_t id);
struct life *life_open(struct heal *heal, const struct component *component,
	enum aspect aspect);
void life_touch(struct life *life);
void life_raise(struct heal *heal, struct life *life, enum life_event event);
void life_reason(struct life *life, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void lives_run(struct heal *heal); /* until no event is left */
void lives_settle(struct heal *heal, bool committed);

/* handlers.c: what each `do` of the table means; decision.c: DO_DECIDE. */
void handle_do(struct heal *heal, struct life *life, enum life_do act);
void do_decide(struct heal *heal, struct life *life);
void recent_add(struct heal *heal, const char *component, int64_t began_at);
/* Those of a component so far do not count any more. False: too many such. */
bool recent_reset(struct heal *heal, const char *component);
/* The last one of a component did not take place after all. */
void recent_take_back(struct heal *heal, const char *component);

/* diagnosis.c: DO_DIAGNOSE, and what comes of it; opinion.c: the model's part. */
void do_diagnose(struct heal *heal, struct life *life);
void take_diagnosis(struct heal *heal, void *answer);
void diagnosis_due(struct heal *heal, struct life *life);
/* After a repair that did not help: what it looks like now. */
void diagnose_again(struct heal *heal, struct life *life);
bool in_storm(const struct heal *heal, const struct life *life);
/* Tells people the cause, unless they know it. */
void tell_cause(struct heal *heal, struct life *life);
bool model_load(struct heal *heal, struct err *err);
void model_resume(struct heal *heal);
/* Asks it about a life, or takes what it has said to the same signs. False: nothing is on its
 * way. */
bool opinion_start(struct heal *heal, struct life *life, const struct diagnosis_answer *evidence);
void opinion_take(struct heal *heal, struct life *life, const struct diagnosis_answer *answer);
/* The same for a person, who is answered in any case. */
void opinion_start_for(struct heal *heal, const struct diagnosis_answer *evidence);

/* gather.c: false: nothing was started. */
bool gather(struct heal *heal, struct life *life);
bool gather_for(struct heal *heal, const struct incident *subject, struct mailbox *box);

/* person.c. diagnose: true: the answer comes later. */
#define BY_PROPOSAL "proposal"
bool person_diagnose(struct heal *heal, const struct request *request, struct answer *answer);
void person_answer(struct heal *heal, struct mailbox *box, const struct incident *subject,
	const struct evidence_list *list, const char *note);
/* A program's idea about what is well. */
bool is_proposal(const struct life *life);
void propose(struct heal *heal, const struct request *request, struct answer *answer);

/* lessons.c */
#define WELL_AGAIN "it is healthy again"
void lesson_ended(struct heal *heal, struct life *life);
/* offer (out): what to say besides, or "". */
void lesson_decided(struct heal *heal, const struct life *life, const struct approval *approval,
	bool approved, char *offer, size_t size);
void lesson_relapsed(struct heal *heal, const struct life *life);
/* What has helped before, where the rules have no answer. */
void lesson_known(struct heal *heal, struct life *life);
struct chance lesson_chance(struct heal *heal, const struct life *life, const char *action);
void lesson_tell(struct heal *heal, const struct incident *row, struct evidence_list *list);

/* sights.c: reports and what is seen. */
void take_report(struct heal *heal, void *report);
/* What a component lives in: said by its source, else the source's root; "": nothing. */
const char *home_of(struct heal *heal, const char *parent, const char *name, int source);
struct life *parent_of(struct heal *heal, const struct life *life);
/* What is suspected is believed, or known to be another's consequence. */
void confirm(struct heal *heal, struct life *life);
int source_find(struct heal *heal, const char *name);

/* answers.c: what jobs answer. */
void take_job(struct heal *heal, void *answer);
void start_look(struct heal *heal, struct life *life, enum job_kind kind);
void start_act(struct heal *heal, struct life *life, enum job_kind kind);

/* roster.c: the components. */
struct member *member_find(struct heal *heal, const char *name);
/* The guest of a name that leaves its kind open, "guest_104"; NULL: it is not known. */
struct member *member_home(struct heal *heal, const char *home);
struct member *member_note(struct heal *heal, const struct observation *seen, int source);
void members_drop_unseen(struct heal *heal, int source);
void members_free(struct heal *heal);

/* requests.c */
void take_request(struct heal *heal, void *request);
void answer_with(struct answer *answer, int status, const char *text);
void give_order(struct heal *heal, const struct request *request, struct answer *answer);
void retry(struct heal *heal, const struct request *request, struct answer *answer);
struct life *ordered_life(struct heal *heal, const struct member *member);
bool may_order(const struct request *request, const struct action *action,
	const struct member *member, char params[PARAMS_MAX_BYTES], struct answer *answer);
void set_healing(struct heal *heal, const struct request *request, struct answer *answer);

/* approvals.c */
void decide_approval(struct heal *heal, const struct request *request, struct answer *answer);

/* channel.c */
void take_press(struct heal *heal, const struct request *request, struct answer *answer);
void take_channel(struct heal *heal, const struct request *request, struct answer *answer);
void set_mute(struct heal *heal, const struct request *request, struct answer *answer);
/* Where the order's result is to be shown. */
void note_progress(struct heal *heal, const struct request *request, int64_t incident_id);

/* rest.c: until when a component is left alone, wall ms; 0: it is not. why (out): for people. */
int64_t rests_until(struct heal *heal, const struct component *component, const char **why);
const struct mute *mute_of(const struct heal *heal, const char *component); /* NULL: none */

/* shadow.c: once a week people are told what shadow mode would have done. */
bool shadow_load(struct heal *heal, struct err *err);
void shadow_begin(struct heal *heal);        /* the week begins now */
int64_t shadow_due_at(const struct heal *heal); /* wall; INT64_MAX: never */
void shadow_sum(struct heal *heal);

/* timers.c */
void take_timers(struct heal *heal, void *unused);
void wake_held(struct heal *heal, enum hold hold, int limit, int source);

int64_t now_ms(const struct heal *heal);

#endif
