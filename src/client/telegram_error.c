/* What an answer means that is no success, out of the server's own words. */
#include "client/telegram_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define WAIT_MAX_S 86400

const char *telegram_outcome_name(enum telegram_outcome outcome)
{
	static const char *const names[] = {
		[TELEGRAM_DONE] = "done",
		[TELEGRAM_UNCHANGED] = "unchanged",
		[TELEGRAM_RATE_LIMITED] = "rate_limited",
		[TELEGRAM_RETRY] = "retry",
		[TELEGRAM_AMBIGUOUS] = "ambiguous",
		[TELEGRAM_CANCELLED] = "cancelled",
		[TELEGRAM_CHAT_DEAD] = "chat_dead",
		[TELEGRAM_MIGRATED] = "migrated",
		[TELEGRAM_MESSAGE_GONE] = "message_gone",
		[TELEGRAM_BAD_ENTITIES] = "bad_entities",
		[TELEGRAM_TOO_LONG] = "too_long",
		[TELEGRAM_BAD_PHOTO] = "bad_photo",
		[TELEGRAM_NO_THREAD] = "no_thread",
		[TELEGRAM_QUERY_OLD] = "query_old",
		[TELEGRAM_WEBHOOK] = "webhook",
		[TELEGRAM_OTHER_POLLER] = "other_poller",
		[TELEGRAM_UNAUTHORIZED] = "unauthorized",
		[TELEGRAM_REFUSED] = "refused",
	};
	return names[outcome];
}

struct meaning {
	const char *words;
	enum telegram_outcome outcome;
};

/* The first that fits; capitals do not count. */
static const struct meaning meanings_400[] = {
	{"message is not modified", TELEGRAM_UNCHANGED},
	{"can't parse entities", TELEGRAM_BAD_ENTITIES},
	{"upgraded to a supergroup", TELEGRAM_MIGRATED},
	{"chat not found", TELEGRAM_CHAT_DEAD},
	{"PEER_ID_INVALID", TELEGRAM_CHAT_DEAD},
	{"user not found", TELEGRAM_CHAT_DEAD},
	{"need administrator rights in the channel", TELEGRAM_CHAT_DEAD},
	{"CHAT_WRITE_FORBIDDEN", TELEGRAM_CHAT_DEAD},
	{"CHAT_RESTRICTED", TELEGRAM_CHAT_DEAD},
	{"not enough rights to send", TELEGRAM_CHAT_DEAD},
	{"have no rights to send", TELEGRAM_CHAT_DEAD},
	{"message thread not found", TELEGRAM_NO_THREAD},
	{"TOPIC_CLOSED", TELEGRAM_NO_THREAD},
	{"TOPIC_DELETED", TELEGRAM_NO_THREAD},
	{"TOPIC_ID_INVALID", TELEGRAM_NO_THREAD},
	{"the chat is not a forum", TELEGRAM_NO_THREAD},
	{"query is too old", TELEGRAM_QUERY_OLD},
	{"query ID is invalid", TELEGRAM_QUERY_OLD},
	{"QUERY_ID_INVALID", TELEGRAM_QUERY_OLD},
	{"message to edit not found", TELEGRAM_MESSAGE_GONE},
	{"message to delete not found", TELEGRAM_MESSAGE_GONE},
	{"message can't be edited", TELEGRAM_MESSAGE_GONE},
	{"message can't be deleted", TELEGRAM_MESSAGE_GONE},
	{"MESSAGE_ID_INVALID", TELEGRAM_MESSAGE_GONE},
	{"message is too long", TELEGRAM_TOO_LONG},
	{"text is too long", TELEGRAM_TOO_LONG},
	{"caption is too long", TELEGRAM_TOO_LONG},
	{"MESSAGE_TOO_LONG", TELEGRAM_TOO_LONG},
	{"MEDIA_CAPTION_TOO_LONG", TELEGRAM_TOO_LONG},
	{"file is too big", TELEGRAM_TOO_LONG},
	{"PHOTO_", TELEGRAM_BAD_PHOTO},
	{"IMAGE_PROCESS_FAILED", TELEGRAM_BAD_PHOTO},
	{"too big for a photo", TELEGRAM_BAD_PHOTO},
};

static enum telegram_outcome meaning_of_400(const char *words)
{
	for (size_t i = 0; i < sizeof(meanings_400) / sizeof(meanings_400[0]); i++)
		if (strcasestr(words, meanings_400[i].words) != NULL)
			return meanings_400[i].outcome;
	return TELEGRAM_REFUSED;
}

static enum telegram_outcome meaning_of(int status, const char *words)
{
	switch (status) {
	case 400:
		return meaning_of_400(words);
	case 401:
		return TELEGRAM_UNAUTHORIZED;
	case 404: /* "Not Found": a token that no bot ever had, or an api_url: that leads elsewhere */
		return strcasestr(words, "method") != NULL ? TELEGRAM_REFUSED : TELEGRAM_UNAUTHORIZED;
	case 403:
		return TELEGRAM_CHAT_DEAD;
	case 409:
		return strcasestr(words, "webhook") != NULL ? TELEGRAM_WEBHOOK : TELEGRAM_OTHER_POLLER;
	case 413:
		return TELEGRAM_TOO_LONG;
	case 420:
	case 429:
		return TELEGRAM_RATE_LIMITED;
	default:
		return status >= 500 || (status >= 200 && status <= 299) ? TELEGRAM_RETRY
																 : TELEGRAM_REFUSED;
	}
}

static enum err_kind kind_of(enum telegram_outcome outcome)
{
	switch (outcome) {
	case TELEGRAM_RATE_LIMITED:
	case TELEGRAM_RETRY:
	case TELEGRAM_OTHER_POLLER:
		return ERR_RETRY;
	case TELEGRAM_AMBIGUOUS:
		return ERR_TIMEOUT;
	case TELEGRAM_CANCELLED:
		return ERR_CANCELLED;
	case TELEGRAM_CHAT_DEAD:
	case TELEGRAM_WEBHOOK:
	case TELEGRAM_UNAUTHORIZED:
		return ERR_DENIED;
	case TELEGRAM_MIGRATED:
	case TELEGRAM_MESSAGE_GONE:
	case TELEGRAM_NO_THREAD:
	case TELEGRAM_QUERY_OLD:
		return ERR_GONE;
	case TELEGRAM_DONE:
	case TELEGRAM_UNCHANGED:
	case TELEGRAM_BAD_ENTITIES:
	case TELEGRAM_TOO_LONG:
	case TELEGRAM_BAD_PHOTO:
	case TELEGRAM_REFUSED:
		break;
	}
	return ERR_INPUT;
}

static const char *cure_of(enum telegram_outcome outcome)
{
	switch (outcome) {
	case TELEGRAM_CHAT_DEAD:
		return ": is chat: right, and has the bot been started, or let in, there?";
	case TELEGRAM_WEBHOOK:
		return ": another program takes this bot's updates by a webhook";
	case TELEGRAM_OTHER_POLLER:
		return ": another program, or another homeostat, asks with the same token";
	case TELEGRAM_UNAUTHORIZED:
		return ": is token: the one that @BotFather gave, and not revoked? homeostat secret set "
			   "telegram";
	case TELEGRAM_DONE:
	case TELEGRAM_UNCHANGED:
	case TELEGRAM_RATE_LIMITED:
	case TELEGRAM_RETRY:
	case TELEGRAM_AMBIGUOUS:
	case TELEGRAM_CANCELLED:
	case TELEGRAM_MIGRATED:
	case TELEGRAM_MESSAGE_GONE:
	case TELEGRAM_BAD_ENTITIES:
	case TELEGRAM_TOO_LONG:
	case TELEGRAM_BAD_PHOTO:
	case TELEGRAM_NO_THREAD:
	case TELEGRAM_QUERY_OLD:
	case TELEGRAM_REFUSED:
		break;
	}
	return "";
}

static void one_line(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = ' ';
}

/* In the body, in the header, or in the words; where nothing says it, a second. */
static int64_t wait_of(struct json body, const struct http_reply *reply, const char *words)
{
	int64_t wait = json_int(json_path(body, "parameters.retry_after"), -1);
	if (wait < 0)
		wait = reply->retry_after_s;
	const char *after = strstr(words, "retry after ");
	if (wait < 0 && after != NULL)
		wait = strtoll(after + strlen("retry after "), NULL, 10);
	return wait < 1 ? 1 : wait > WAIT_MAX_S ? WAIT_MAX_S : wait;
}

bool telegram_refused(const struct telegram_question *question, const struct http_reply *reply,
	struct arena *arena, struct telegram_result *result, struct err *err)
{
	struct json body = {0};
	char words[320] = "";
	/* A gateway says it in HTML: that is not even tried. */
	bool is_json = reply->body_bytes > 0 &&
		json_parse(arena, reply->body, reply->body_bytes, &body, NULL) &&
		json_kind(body) == JSON_OBJECT;
	if (is_json)
		json_copy(json_get(body, "description"), words, sizeof(words));
	if (words[0] == '\0')
		STR_FORMAT(words, "%s%s", reply->reason[0] != '\0' ? reply->reason : "no reason given",
			is_json ? "" : ", and the answer is not the Bot API's");
	one_line(words);
	result->outcome = meaning_of(reply->status, words);
	int64_t moved = json_int(json_path(body, "parameters.migrate_to_chat_id"), 0);
	if (reply->status == 400 && moved != 0)
		result->outcome = TELEGRAM_MIGRATED;
	else if (result->outcome == TELEGRAM_MIGRATED) /* where to is not told */
		result->outcome = TELEGRAM_CHAT_DEAD;
	if (result->outcome == TELEGRAM_MIGRATED)
		result->chat = moved;
	if (result->outcome == TELEGRAM_RATE_LIMITED)
		result->retry_after_s = wait_of(body, reply, words);
	result->may_be_done = result->outcome == TELEGRAM_RETRY && question->adds;
	if (result->outcome == TELEGRAM_UNCHANGED)
		return true;
	return err_set(err, kind_of(result->outcome), "telegram: %s: %s (%d)%s", question->method,
		words, reply->status, cure_of(result->outcome));
}

bool telegram_unanswered(const struct telegram_question *question, const struct http_reply *reply,
	const struct err *why, struct telegram_result *result, struct err *err)
{
	if (why->kind == ERR_CANCELLED)
		result->outcome = TELEGRAM_CANCELLED;
	else if (why->kind == ERR_DENIED) /* a certificate: waiting mends nothing, but nor is it ours */
		result->outcome = TELEGRAM_RETRY;
	else
		result->outcome = question->adds && !reply->unsent ? TELEGRAM_AMBIGUOUS : TELEGRAM_RETRY;
	enum err_kind kind = result->outcome == TELEGRAM_AMBIGUOUS ? ERR_TIMEOUT : why->kind;
	return err_set(err, kind, "%s%s", why->text,
		result->outcome == TELEGRAM_AMBIGUOUS ? ": it may be in the chat all the same" : "");
}
