/* Hosts and fingerprints, as the sections of several sources name them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/config_keys.h"

static void part(char *field, size_t size, const char *start, const char *end, bool *bad)
{
	size_t length = (size_t)(end - start);
	*bad = *bad || length >= size;
	str_format(field, size, "%.*s", (int)length, start);
}

static void read_host(const char *start, const char *end, struct config_host *out)
{
	const char *colon = memchr(start, ':', (size_t)(end - start));
	if (*start == '[') {
		const char *bracket = memchr(start, ']', (size_t)(end - start));
		out->bad = out->bad || bracket == NULL || (bracket + 1 < end && bracket[1] != ':');
		colon = bracket != NULL && bracket + 1 < end ? bracket + 1 : NULL;
	}
	part(out->host, sizeof(out->host), start, colon != NULL ? colon : end, &out->bad);
	if (colon == NULL)
		return;
	part(out->port, sizeof(out->port), colon + 1, end, &out->bad);
	long port = strtol(out->port, NULL, 10);
	out->bad = out->bad || out->port[0] == '\0' || port < 1 || port > 65535 ||
		strspn(out->port, "0123456789") != strlen(out->port);
}

/* A host or user that begins with a dash would be an option to the programs it is given to. */
static bool is_sane(const char *text, const char *marks)
{
	if (*text == '-')
		return false;
	for (; *text != '\0'; text++)
		if (!isalnum((unsigned char)*text) && strchr(marks, *text) == NULL)
			return false;
	return true;
}

struct config_host config_host_read(const char *text)
{
	struct config_host out = {0};
	const char *end = text + strcspn(text, "/?#");
	const char *at = memrchr(text, '@', (size_t)(end - text));
	const char *host = at != NULL ? at + 1 : text;
	if (at != NULL) {
		const char *colon = memchr(text, ':', (size_t)(at - text));
		out.has_password = colon != NULL;
		part(out.user, sizeof(out.user), text, colon != NULL ? colon : at, &out.bad);
		out.bad = out.bad || out.user[0] == '\0';
	}
	read_host(host, end, &out);
	out.bad = out.bad || out.host[0] == '\0' || !is_sane(out.host, ".-_[]:%") ||
		!is_sane(out.user, "._-+$%");
	return out;
}

bool config_host_is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
		(str_starts(host, "127.") && strspn(host, "0123456789.") == strlen(host));
}

bool config_is_fingerprint(const char *text)
{
	int digits = 0;
	if (str_starts(text, "SHA256:") || str_starts(text, "sha256:"))
		text += strlen("SHA256:");
	for (; *text != '\0'; text++) {
		if (*text == ':' && digits % 2 == 0 && digits > 0 && digits < 64)
			continue;
		if (!isxdigit((unsigned char)*text))
			return false;
		digits++;
	}
	return digits == 64;
}
