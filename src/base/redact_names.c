/* Pseudonyms of hosts and addresses: a keyed hash, so that the same one is always the same without
 * a table, and so that nobody can try all addresses to find which one it was. */
#include <arpa/inet.h>
#include <ctype.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/redact.h"
#include "base/redact_pattern.h"
#include "base/str.h"

#define HOSTS_MAX 256
#define HOST_BYTES 128

static char hosts[HOSTS_MAX][HOST_BYTES];
static int host_count;
static unsigned char key[crypto_generichash_KEYBYTES];
static pthread_once_t key_made = PTHREAD_ONCE_INIT;

static void make_key(void)
{
	if (sodium_init() < 0)
		abort();
	randombytes_buf(key, sizeof(key));
}

bool redact_add_host(const char *name)
{
	for (int i = 0; i < host_count; i++)
		if (strcasecmp(hosts[i], name) == 0)
			return true;
	if (strlen(name) < 3 || strlen(name) >= HOST_BYTES || host_count == HOSTS_MAX)
		return false;
	STR_SET(hosts[host_count], name);
	host_count++;
	return true;
}

void names_reset(void)
{
	host_count = 0;
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* The longest registered name that stands at at as a word of its own; its own parts count as well:
 * "nas" in "nas.lan". */
static size_t host_at(const char *text, size_t at, size_t length)
{
	size_t longest = 0;
	if (at > 0 && is_name(text[at - 1]))
		return 0;
	for (int i = 0; i < host_count; i++) {
		size_t n = strlen(hosts[i]);
		if (n > longest && n <= length - at && strncasecmp(text + at, hosts[i], n) == 0 &&
			(at + n == length || !is_name(text[at + n])))
			longest = n;
	}
	return longest;
}

static bool is_public_word(const unsigned char *bytes, bool is_six)
{
	static const unsigned char zero[15];
	if (is_six)
		return memcmp(bytes, zero, sizeof(zero)) == 0 && bytes[15] <= 1;
	return bytes[0] == 127 || bytes[0] == 0 || bytes[0] == 255;
}

/* An address, binary, at at; 0: none. Four numbers within a longer row are a version. */
static size_t address_at(const char *text, size_t at, size_t length, unsigned char bytes[16])
{
	char word[46];
	size_t n = 0;
	bool is_six = false;
	if (at > 0 && (is_name(text[at - 1]) || text[at - 1] == '.' || text[at - 1] == ':'))
		return 0;
	while (at + n < length && n < sizeof(word) - 1 &&
		(isxdigit((unsigned char)text[at + n]) || text[at + n] == '.' || text[at + n] == ':'))
		n++;
	while (n > 0 && (text[at + n - 1] == '.' || (text[at + n - 1] == ':' && n < 3)))
		n--;
	if (n < 3 || (at + n < length && is_name(text[at + n])))
		return 0;
	memcpy(word, text + at, n);
	word[n] = '\0';
	memset(bytes, 0, 16);
	if (inet_pton(AF_INET6, word, bytes) == 1) {
		is_six = true;
	} else {
		/* "10.0.0.1:8006", and "10.0.0.1:" before a message */
		n = strcspn(word, ":");
		word[n] = '\0';
		if (inet_pton(AF_INET, word, bytes) != 1)
			return 0;
	}
	return is_public_word(bytes, is_six) ? 0 : n;
}

static void add_alias(struct str *out, const char *kind, const unsigned char *bytes, size_t length)
{
	unsigned char hash[crypto_generichash_BYTES];
	pthread_once(&key_made, make_key);
	crypto_generichash(hash, sizeof(hash), bytes, length, key, sizeof(key));
	str_addf(out, "%s-%02x%02x%02x", kind, hash[0], hash[1], hash[2]);
}

static void add_host(struct str *out, const char *text, size_t n)
{
	char lower[HOST_BYTES];
	for (size_t i = 0; i < n; i++)
		lower[i] = (char)tolower((unsigned char)text[i]);
	add_alias(out, "host", (const unsigned char *)lower, n);
}

void redact_names(char *text, size_t capacity)
{
	size_t length = capacity > 0 ? strnlen(text, capacity - 1) : 0;
	/* "::2" becomes "ip-123456", three times as long */
	auto_arena arena = arena_new(length * 8 + 4096);
	unsigned char bytes[16];
	struct str out;
	size_t kept = 0;
	if (capacity == 0)
		return;
	text[length] = '\0';
	str_init(&out, arena);
	for (size_t at = 0; at < length;) {
		size_t n = host_count > 0 ? host_at(text, at, length) : 0;
		size_t m = n == 0 && (isxdigit((unsigned char)text[at]) || text[at] == ':')
			? address_at(text, at, length, bytes)
			: 0;
		if (n + m == 0) {
			at++;
			continue;
		}
		str_addn(&out, text + kept, at - kept);
		if (n > 0)
			add_host(&out, text + at, n);
		else
			add_alias(&out, "ip", bytes, sizeof(bytes));
		at += n + m;
		kept = at;
	}
	if (kept == 0)
		return;
	str_addn(&out, text + kept, length - kept);
	str_copy(text, capacity, out.s);
}
