/*
 * JSON: reading by tokens over the text itself (nothing is copied until asked for), by hand or by a
 * table; writing into a str. The one owner of the JSON library. Values are handles, cheap to copy,
 * valid as long as the text and the arena. Everything outside is untrusted: strict syntax, depth
 * and token limits, and a missing member is an ordinary value of kind JSON_NONE.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum json_kind {
	JSON_NONE, JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT,
};

struct json_doc;
struct json {
	const struct json_doc *doc; /* NULL: JSON_NONE */
	int token;
};

/* Parses all of text (length bytes, need not end with NUL, must outlive the values). Depth at most
 * 64. False: ERR_INPUT that names the offset, or the arena was too small. */
bool json_parse(struct arena *arena, const char *text, size_t length, struct json *root,
	struct err *err);

enum json_kind json_kind(struct json value);
/* Member of an object; JSON_NONE when absent or not an object. Path: "State.Health.Status". */
struct json json_get(struct json object, const char *key);
struct json json_path(struct json object, const char *path);
/* Children of an array or an object, in order: for (v = json_first(a); json_is(v); v =
 * json_next(v)) */
struct json json_first(struct json parent);
struct json json_next(struct json child);
bool json_is(struct json value); /* not JSON_NONE */
size_t json_count(struct json parent);

/* The key of an object's child, unescaped. */
const char *json_key(struct json child, struct arena *arena);
/* The same as it stands in the text, without quotes or NUL; NULL when child is no member. */
const char *json_key_raw(struct json child, size_t *length);
/* A string unescaped, a number or bool as written; NULL otherwise. Invalid UTF-8 → U+FFFD. */
const char *json_str(struct json value, struct arena *arena);
/* As json_str into a field, cut if need be; false (and "") when there is none. */
bool json_copy(struct json value, char *field, size_t size);
/* Numbers, also as strings ("104") and booleans (0/1), as real servers send them. */
int64_t json_int(struct json value, int64_t otherwise);
double json_num(struct json value, double otherwise);
bool json_bool(struct json value, bool otherwise);
/* The value's own text; a string with its quotes. */
const char *json_raw(struct json value, size_t *length);

/* Table-driven decoding into a struct. */
enum json_type { JSON_T_STR, JSON_T_INT64, JSON_T_DOUBLE, JSON_T_BOOL };
struct json_field {
	const char *path;
	enum json_type type;
	size_t offset;
	size_t size;   /* of a JSON_T_STR field: char[size] */
	bool required; /* absent or of another kind: ERR_INPUT that names the path */
};
bool json_decode(struct json object, const struct json_field *fields, size_t n, void *out,
	struct err *err);

/* Writing. Commas and escaping are taken care of; key NULL inside arrays and at the top. */
struct json_out {
	struct str *str;
	bool comma;
};
void json_begin(struct json_out *out, struct str *str);
void json_open(struct json_out *out, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json_out *out, char bracket);                 /* '}' or ']' */
void json_put_str(struct json_out *out, const char *key, const char *value); /* NULL: null */
void json_put_int(struct json_out *out, const char *key, int64_t value);
void json_put_num(struct json_out *out, const char *key, double value);
void json_put_bool(struct json_out *out, const char *key, bool value);
void json_put_raw(struct json_out *out, const char *key, const char *json);

#endif
