#include "base/redact.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/redact_pattern.h"
#include "base/str.h"

#define SHORTEST 6
#define FORMS_MAX 16
#define BUCKETS 256
#define MASK "[redacted]"

/* One form of a registered value, found by the hash of its first four bytes. Never changed once it
 * can be seen, never freed before the reset: readers need no lock. */
struct entry {
	struct entry *next;
	size_t length;
	const char *bytes;
};

/* A value's forms and their bytes: one piece of locked memory. */
struct block {
	struct block *next;
	struct entry entries[FORMS_MAX];
	char bytes[];
};

static struct {
	_Atomic(struct entry *) buckets[BUCKETS];
	_Atomic(struct block *) blocks;
} known;

static size_t bucket_of(const char *bytes)
{
	uint32_t head;
	memcpy(&head, bytes, sizeof(head));
	return (head * 2654435761u) >> 24;
}

static bool is_known(const char *bytes, size_t length)
{
	struct entry *entry = atomic_load_explicit(
		&known.buckets[bucket_of(bytes)], memory_order_acquire);
	for (; entry != NULL; entry = entry->next)
		if (entry->length == length && memcmp(entry->bytes, bytes, length) == 0)
			return true;
	return false;
}

static void must(bool ok)
{
	if (!ok) {
		fputs("homeostat: out of memory\n", stderr);
		abort();
	}
}

struct forms {
	struct block *block;
	size_t used, capacity;
	int count;
};

/* Adds a form, unless it is short or known. */
static void add_form(struct forms *forms, const char *bytes, size_t length)
{
	if (length < SHORTEST || forms->count == FORMS_MAX || is_known(bytes, length) ||
		length > forms->capacity - forms->used)
		return;
	char *copy = forms->block->bytes + forms->used;
	memcpy(copy, bytes, length);
	forms->used += length;
	struct entry *entry = &forms->block->entries[forms->count++];
	*entry = (struct entry){.length = length, .bytes = copy};
	_Atomic(struct entry *) *head = &known.buckets[bucket_of(copy)];
	entry->next = atomic_load(head);
	while (!atomic_compare_exchange_weak(head, &entry->next, entry))
		;
}

/* As in a URL (RFC 3986): all but the unreserved characters, in the case given. */
static size_t url_encode(const char *value, char *out, const char *hex)
{
	size_t at = 0;
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			strchr("-._~", c) != NULL;
		if (plain) {
			out[at++] = (char)c;
			continue;
		}
		out[at++] = '%';
		out[at++] = hex[c >> 4];
		out[at++] = hex[c & 15];
	}
	return at;
}

/* As in a JSON string. */
static size_t json_quote(const char *value, char *out)
{
	size_t at = 0;
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			out[at++] = '\\';
		out[at++] = *value;
	}
	return at;
}

/* What is the same in the base64 of every text that holds value at an offset of shift bytes: that
 * is how a password stands in "Basic base64(user:password)". */
static void add_base64(
	struct forms *forms, const char *value, size_t length, size_t shift, char *scratch, size_t size)
{
	static const size_t skipped[] = {0, 2, 3};
	static const int alphabets[] = {
		sodium_base64_VARIANT_ORIGINAL_NO_PADDING, sodium_base64_VARIANT_URLSAFE_NO_PADDING};
	char *shifted = scratch + size / 2;
	memset(shifted, 0, shift);
	memcpy(shifted + shift, value, length);
	size_t whole = (length + shift) * 8 / 6;
	for (int i = 0; i < 2; i++) {
		sodium_bin2base64(
			scratch, size / 2, (const unsigned char *)shifted, length + shift, alphabets[i]);
		add_form(forms, scratch + skipped[shift], whole - skipped[shift]);
	}
}

void redact_register(const char *value)
{
	size_t length = value == NULL ? 0 : strlen(value);
	if (length < SHORTEST || is_known(value, length))
		return;
	must(sodium_init() >= 0);
	/* raw, JSON (2), URL (2 × 3), base64 (6 × 1.4); and rounded, as locked memory ends on a page */
	size_t capacity = (length * 18 + 64 + 15) / 16 * 16, size = (length * 3 + 16) * 2;
	struct block *block = sodium_malloc((sizeof(*block) + capacity + 15) / 16 * 16);
	char *scratch = sodium_malloc((size + 15) / 16 * 16);
	must(block != NULL && scratch != NULL);
	block->next = atomic_load(&known.blocks);
	while (!atomic_compare_exchange_weak(&known.blocks, &block->next, block))
		;
	struct forms forms = {.block = block, .capacity = capacity};
	add_form(&forms, value, length);
	add_form(&forms, scratch, json_quote(value, scratch));
	add_form(&forms, scratch, url_encode(value, scratch, "0123456789ABCDEF"));
	add_form(&forms, scratch, url_encode(value, scratch, "0123456789abcdef"));
	for (size_t shift = 0; shift < 3; shift++)
		add_base64(&forms, value, length, shift, scratch, size);
	sodium_free(scratch);
}

void redact_reset(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		atomic_store(&known.buckets[i], NULL);
	struct block *block = atomic_exchange(&known.blocks, NULL);
	while (block != NULL) {
		struct block *next = block->next;
		sodium_free(block);
		block = next;
	}
	extra_reset();
	names_reset();
}

/* Where a registered value that begins at at ends; at when there is none. A text that ends within a
 * value was cut, and shows its beginning. */
static size_t value_end(const struct scan *scan, size_t at)
{
	size_t left = scan->length - at, longest = 0;
	const char *text = scan->text + at;
	if (left < SHORTEST)
		return at;
	const struct entry *entry = atomic_load_explicit(
		&known.buckets[bucket_of(text)], memory_order_acquire);
	for (; entry != NULL; entry = entry->next) {
		size_t length = entry->length < left ? entry->length : left;
		if (length > longest && memcmp(entry->bytes, text, length) == 0)
			longest = length;
	}
	return at + longest;
}

/* The redacted text as it grows. made NULL: nothing was found yet. */
struct output {
	char *made;
	size_t used, capacity;
	size_t copied; /* of the text */
};

static void emit(struct output *output, const char *bytes, size_t length)
{
	size_t left = output->capacity - output->used;
	if (length > left)
		length = left;
	memcpy(output->made + output->used, bytes, length);
	output->used += length;
}

static void hide(struct output *output, const char *text, struct span secret)
{
	if (secret.end == 0)
		return;
	if (output->made == NULL) {
		output->made = malloc(output->capacity + 1);
		must(output->made != NULL);
	}
	emit(output, text + output->copied, secret.start - output->copied);
	emit(output, MASK, strlen(MASK));
	output->copied = secret.end;
}

/* Joins what overlaps; the scan goes on within a secret, as another may begin there and reach
 * further. */
static void note(struct output *output, const char *text, struct span *open, struct span secret)
{
	if (secret.start < output->copied)
		secret.start = output->copied;
	if (secret.end <= secret.start)
		return;
	if (open->end > 0 && secret.end < open->start) {
		/* a secret may be told ahead of its place: of two, the earlier goes first */
		hide(output, text, secret);
		return;
	}
	if (open->end > 0 && secret.start <= open->end) {
		open->start = secret.start < open->start ? secret.start : open->start;
		open->end = secret.end > open->end ? secret.end : open->end;
		return;
	}
	hide(output, text, *open);
	*open = secret;
}

/* After one of these no word begins. */
static bool is_inside(char c)
{
	return c != '-' && is_word(c);
}

void redact(char *text, size_t capacity)
{
	if (capacity == 0)
		return;
	struct scan scan = {.text = text, .length = strnlen(text, capacity - 1)};
	struct output output = {.capacity = capacity + sizeof(MASK)};
	struct span open = {0}, secret;
	bool extra = extra_wanted();
	bool values = atomic_load_explicit(&known.blocks, memory_order_acquire) != NULL;
	text[scan.length] = '\0';
	for (size_t at = 0; at < scan.length; at++) {
		if (values && (secret.end = value_end(&scan, at)) > at) {
			secret.start = at;
			note(&output, text, &open, secret);
		}
		if (extra && extra_at(&scan, at, &secret))
			note(&output, text, &open, secret);
		unsigned char begins = pattern_begins[(unsigned char)text[at]];
		if (begins == 0 || (begins == 2 && at > 0 && is_inside(text[at - 1])))
			continue;
		if (pattern_at(&scan, at, &secret))
			note(&output, text, &open, secret);
	}
	hide(&output, text, open);
	if (output.made == NULL)
		return;
	emit(&output, text + output.copied, scan.length - output.copied);
	output.made[output.used] = '\0';
	str_copy(text, capacity, output.made);
	free(output.made);
}
