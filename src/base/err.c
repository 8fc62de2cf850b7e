#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

bool(err_set)(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	if (err == NULL)
		return false;
	err->kind = kind;
	va_list args;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return false;
}

bool(err_prefix)(struct err *err, const char *fmt, ...)
{
	if (err == NULL)
		return false;
	char context[sizeof(err->text)];
	char old[sizeof(err->text)];
	va_list args;
	va_start(args, fmt);
	vsnprintf(context, sizeof(context), fmt, args);
	va_end(args);
	STR_SET(old, err->text);
	str_format(err->text, sizeof(err->text), "%s: %s", context, old);
	return false;
}

const char *err_kind_name(enum err_kind kind)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",
		[ERR_RETRY] = "retry",
		[ERR_TIMEOUT] = "timeout",
		[ERR_CANCELLED] = "cancelled",
		[ERR_DENIED] = "denied",
		[ERR_GONE] = "gone",
		[ERR_INPUT] = "input",
		[ERR_SYSTEM] = "system",
	};
	return names[kind];
}
