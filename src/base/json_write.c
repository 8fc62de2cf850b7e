/* Writing JSON: the half of json.h that needs no library. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/json_text.h"

void json_begin(struct json_out *out, struct str *str)
{
	*out = (struct json_out){.str = str};
}

static void put_key(struct json_out *out, const char *key)
{
	if (out->comma)
		str_addc(out->str, ',');
	out->comma = true;
	if (key == NULL)
		return;
	json_escape(out->str, key);
	str_addc(out->str, ':');
}

void json_open(struct json_out *out, const char *key, char bracket)
{
	put_key(out, key);
	str_addc(out->str, bracket);
	out->comma = false;
}

void json_close(struct json_out *out, char bracket)
{
	str_addc(out->str, bracket);
	out->comma = true;
}

void json_put_str(struct json_out *out, const char *key, const char *value)
{
	put_key(out, key);
	if (value == NULL)
		str_add(out->str, "null");
	else
		json_escape(out->str, value);
}

void json_put_int(struct json_out *out, const char *key, int64_t value)
{
	put_key(out, key);
	str_addf(out->str, "%lld", (long long)value);
}

void json_put_num(struct json_out *out, const char *key, double value)
{
	char text[40];
	put_key(out, key);
	if (!isfinite(value)) {
		str_add(out->str, "null");
		return;
	}
	/* 15 digits read back as 0.1 where 17 would read 0.10000000000000001 */
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) < value || strtod(text, NULL) > value)
		snprintf(text, sizeof(text), "%.17g", value);
	str_add(out->str, text);
}

void json_put_bool(struct json_out *out, const char *key, bool value)
{
	put_key(out, key);
	str_add(out->str, value ? "true" : "false");
}

void json_put_raw(struct json_out *out, const char *key, const char *json)
{
	put_key(out, key);
	str_add(out->str, json);
}
