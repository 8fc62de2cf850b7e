/*
 * Whether a text is JSON, to the letter of RFC 8259, in one pass and constant memory; for json.c
 * only. It runs before the library does, which is lenient about separators and numbers, quadratic
 * in depth, and wants to know how many tokens there will be.
 */
#ifndef BASE_JSON_CHECK_H
#define BASE_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define JSON_DEPTH_MAX 64

/* *tokens: values and keys. False: ERR_INPUT that names the offset. */
bool json_check(const char *text, size_t length, size_t *tokens, struct err *err);

#endif
