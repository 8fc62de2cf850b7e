/*
 * The audit log. Each entry's hash is a keyed BLAKE2b over the hash before it and all fields, each
 * with its length in front; a head record, keyed too, says how long the chain is, so that nobody
 * without the key can change, insert, drop or cut entries unseen. What this cannot show is a whole
 * database put back to an earlier state: for that, keep the newest hash elsewhere.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "store/internal.h"

#define HASH_BYTES 32
#define HASH_HEX (2 * HASH_BYTES + 1)

struct head {
	int64_t seq;
	char hash[HASH_HEX];
};

static void hash_number(crypto_generichash_state *state, int64_t number)
{
	unsigned char bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)((uint64_t)number >> (8 * i));
	crypto_generichash_update(state, bytes, sizeof(bytes));
}

static void hash_text(crypto_generichash_state *state, const char *text)
{
	size_t length = strlen(text);
	hash_number(state, (int64_t)length);
	crypto_generichash_update(state, (const unsigned char *)text, length);
}

static void hash_start(
	crypto_generichash_state *state, const struct store *store, const char *purpose)
{
	crypto_generichash_init(state, store->audit_key, sizeof(store->audit_key), HASH_BYTES);
	hash_text(state, purpose);
}

static void hash_end(crypto_generichash_state *state, char hex[HASH_HEX])
{
	unsigned char hash[HASH_BYTES];
	crypto_generichash_final(state, hash, sizeof(hash));
	sodium_bin2hex(hex, HASH_HEX, hash, sizeof(hash));
}

static void entry_hash(const struct store *store, const struct audit_entry *entry,
	const char *before, char hex[HASH_HEX])
{
	crypto_generichash_state state;
	hash_start(&state, store, "homeostat audit entry 1");
	hash_text(&state, before);
	hash_number(&state, entry->seq);
	hash_number(&state, entry->at);
	hash_text(&state, entry->what);
	hash_text(&state, entry->actor);
	hash_text(&state, entry->component);
	hash_number(&state, entry->incident_id);
	hash_text(&state, entry->text);
	hash_end(&state, hex);
}

static void head_hash(const struct store *store, const struct head *head, char hex[HASH_HEX])
{
	crypto_generichash_state state;
	hash_start(&state, store, "homeostat audit head 1");
	hash_number(&state, head->seq);
	hash_text(&state, head->hash);
	hash_end(&state, hex);
}

static bool head_write(struct store *store, const struct head *head, struct err *err)
{
	static const struct sql set = {"INSERT INTO meta (key, value) VALUES ('audit_head', ?1)"
								   " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
		NULL};
	char seal[HASH_HEX], value[192];
	head_hash(store, head, seal);
	STR_FORMAT(
		value, "%lld %s %s", (long long)head->seq, head->hash[0] != '\0' ? head->hash : "-", seal);
	sqlite3_stmt *statement = sql_get(store, &set, err);
	if (statement == NULL)
		return false;
	sql_bind_text(statement, 1, value);
	return sql_run(store, statement, err);
}

/* "SEQ HASH SEAL"; *good: it is there and its seal is ours. */
static bool head_read(struct store *store, struct head *head, bool *good, struct err *err)
{
	static const struct sql get = {"SELECT value FROM meta WHERE key = 'audit_head'", NULL};
	char value[192] = "", seal[HASH_HEX], *rest = NULL;
	bool ok;
	*good = false;
	*head = (struct head){0};
	sqlite3_stmt *statement = sql_get(store, &get, err);
	if (statement == NULL)
		return false;
	if (sql_next(store, statement, &ok, err))
		sql_copy_text(statement, 0, value, sizeof(value));
	sql_put(store, statement);
	if (!ok)
		return false;
	head->seq = strtoll(value, &rest, 10);
	char *end = *rest == ' ' ? strchr(++rest, ' ') : NULL;
	if (end == NULL || (size_t)(end - rest) >= sizeof(head->hash))
		return true;
	STR_FORMAT(head->hash, "%.*s", (int)(end - rest), rest);
	if (strcmp(head->hash, "-") == 0)
		head->hash[0] = '\0';
	head_hash(store, head, seal);
	*good = strlen(end + 1) == sizeof(seal) - 1 && sodium_memcmp(seal, end + 1, sizeof(seal)) == 0;
	return true;
}

bool audit_begin(struct store *store, struct err *err)
{
	struct head head = {0};
	return sodium_init() < 0 ? err_set(err, ERR_SYSTEM, "libsodium cannot be initialised")
							 : head_write(store, &head, err);
}

/* Whoever removed or forged the head gets no new one that hides it: the chain goes on from nothing,
 * which verify will name for ever; and healing does not stop for it. */
static bool chain_end(struct store *store, struct head *head, struct err *err)
{
	bool good;
	int64_t last;
	if (!head_read(store, head, &good, err))
		return false;
	if (good)
		return true;
	if (!sql_number(store, "SELECT coalesce(max(seq), 0) FROM audit", &last, err))
		return false;
	*head = (struct head){.seq = last};
	STR_SET(head->hash, "broken");
	return true;
}

bool store_audit_add(struct store *store, struct audit_entry *entry, struct err *err)
{
	static const struct sql add = {
		"INSERT INTO audit (seq, at, what, actor, component, incident_id, text, hash)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		NULL};
	struct head head;
	if (!chain_end(store, &head, err))
		return false;
	entry->seq = head.seq + 1;
	entry_hash(store, entry, head.hash, entry->hash);
	sqlite3_stmt *statement = sql_get(store, &add, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int64(statement, 1, entry->seq);
	sqlite3_bind_int64(statement, 2, entry->at);
	sql_bind_text(statement, 3, entry->what);
	sql_bind_text(statement, 4, entry->actor);
	sql_bind_text(statement, 5, entry->component);
	sqlite3_bind_int64(statement, 6, entry->incident_id);
	sql_bind_text(statement, 7, entry->text);
	sql_bind_text(statement, 8, entry->hash);
	if (!sql_run(store, statement, err))
		return false;
	head.seq = entry->seq;
	STR_SET(head.hash, entry->hash);
	return head_write(store, &head, err);
}

static void read_entry(sqlite3_stmt *statement, struct audit_entry *entry)
{
	*entry = (struct audit_entry){.seq = sqlite3_column_int64(statement, 0),
		.at = sqlite3_column_int64(statement, 1),
		.incident_id = sqlite3_column_int64(statement, 5)};
	sql_copy_text(statement, 2, entry->what, sizeof(entry->what));
	sql_copy_text(statement, 3, entry->actor, sizeof(entry->actor));
	sql_copy_text(statement, 4, entry->component, sizeof(entry->component));
	sql_copy_text(statement, 6, entry->text, sizeof(entry->text));
	sql_copy_text(statement, 7, entry->hash, sizeof(entry->hash));
}

bool store_audit(struct store *store, int limit, store_audit_fn *fn, void *ctx, struct err *err)
{
	static const struct sql list = {
		"SELECT seq, at, what, actor, component, incident_id, text, hash FROM audit"
		" ORDER BY seq DESC LIMIT ?1",
		NULL};
	bool ok;
	sqlite3_stmt *statement = sql_get(store, &list, err);
	if (statement == NULL)
		return false;
	sqlite3_bind_int(statement, 1, limit > 0 ? limit : -1);
	while (sql_next(store, statement, &ok, err)) {
		struct audit_entry entry;
		read_entry(statement, &entry);
		fn(ctx, &entry);
	}
	sql_put(store, statement);
	return ok;
}

static bool check_entry(const struct store *store, const struct audit_entry *entry,
	const struct head *before, struct err *err)
{
	char hash[HASH_HEX];
	if (entry->seq != before->seq + 1)
		return err_set(
			err, ERR_INPUT, "audit log: entry %lld is missing", (long long)before->seq + 1);
	entry_hash(store, entry, before->hash, hash);
	if (str_equal(hash, entry->hash))
		return true;
	return err_set(err, ERR_INPUT,
		"audit log: entry %lld does not fit: it, or the one before it, was changed%s",
		(long long)entry->seq,
		entry->seq == 1 ? "; or the state's secret.key is not the one it was written with" : "");
}

static bool check_head(struct store *store, const struct head *last, struct err *err)
{
	struct head head;
	bool good;
	if (!head_read(store, &head, &good, err))
		return false;
	if (!good)
		return err_set(err, ERR_INPUT,
			"audit log: its head record was removed or changed: entries after %lld may be missing",
			(long long)last->seq);
	if (head.seq == last->seq && str_equal(head.hash, last->hash))
		return true;
	return err_set(err, ERR_INPUT,
		"audit log: entry %lld is missing: it should end with entry %lld", (long long)last->seq + 1,
		(long long)head.seq);
}

/* One read transaction: an entry that is added meanwhile must not look like a forged head. */
bool store_audit_verify(struct store *store, int64_t *count, struct err *err)
{
	static const struct sql walk = {
		"SELECT seq, at, what, actor, component, incident_id, text, hash FROM audit ORDER BY seq",
		NULL};
	struct head last = {0};
	bool ok, own = sqlite3_get_autocommit(store->db) != 0;
	*count = 0;
	if (own && !sql_exec(store, "BEGIN", err))
		return false;
	sqlite3_stmt *statement = sql_get(store, &walk, err);
	ok = statement != NULL;
	while (ok && sql_next(store, statement, &ok, err)) {
		struct audit_entry entry;
		read_entry(statement, &entry);
		ok = check_entry(store, &entry, &last, err);
		if (!ok)
			break;
		last.seq = entry.seq;
		STR_SET(last.hash, entry.hash);
		++*count;
	}
	sql_put(store, statement);
	ok = ok && check_head(store, &last, err);
	if (own)
		store_rollback(store);
	return ok;
}
