#include "base/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define BYTES_MAX (1024 * 1024)
#define DEPTH_MAX 32
#define NODES_MAX 100000

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	const char *name;
	struct err *err;
	int depth, nodes;
};

static int line_of(const yaml_event_t *event)
{
	return (int)event->start_mark.line + 1;
}

static struct yaml *fail(struct reader *reader, int line, const char *what)
{
	err_set(reader->err, ERR_INPUT, "%s:%d: %s", reader->name, line, what);
	return NULL;
}

/* The library's own words ("did not find expected key") point at where it gave up, which is where
 * people must look. */
static bool next_event(struct reader *reader, yaml_event_t *event)
{
	if (yaml_parser_parse(&reader->parser, event))
		return true;
	const yaml_parser_t *parser = &reader->parser;
	size_t line = parser->problem_mark.line > 0 ? parser->problem_mark.line : parser->mark.line;
	const char *problem = parser->problem != NULL ? parser->problem : "cannot be read";
	if (strstr(problem, "cannot start any token") != NULL)
		problem = "a character that cannot stand here (a tab? indent by spaces)";
	return err_set(reader->err, ERR_INPUT,
		"%s:%zu: not YAML: %s: check indentation (spaces, no tabs) and quotes", reader->name,
		line + 1, problem);
}

static struct yaml *node_new(struct reader *reader, const yaml_event_t *event, enum yaml_kind kind)
{
	struct yaml *node = arena_try(reader->arena, sizeof(*node));
	if (node == NULL || ++reader->nodes > NODES_MAX)
		return fail(reader, line_of(event), "too many values: at most 100,000 are read");
	node->kind = kind;
	node->line = line_of(event);
	node->column = (int)event->start_mark.column + 1;
	return node;
}

static struct yaml *read_scalar(struct reader *reader, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	if (memchr(text, '\0', length) != NULL)
		return fail(reader, line_of(event), "a NUL character in a value: remove it");
	struct yaml *node = node_new(reader, event, YAML_SCALAR);
	if (node == NULL)
		return NULL;
	char *copy = arena_try(reader->arena, length + 1);
	if (copy == NULL)
		return fail(reader, line_of(event), "too large: at most 1 MiB is read");
	memcpy(copy, text, length);
	node->text = copy;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return node;
}

static bool has_tag(const yaml_event_t *event)
{
	if (event->type == YAML_SCALAR_EVENT)
		return event->data.scalar.tag != NULL;
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return event->data.sequence_start.tag != NULL;
	return event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.tag != NULL;
}

static int compare_keys(const void *a, const void *b)
{
	const struct yaml *const *left = a, *const *right = b;
	int order = strcmp((*left)->key, (*right)->key);
	return order != 0 ? order : (*left)->key_line - (*right)->key_line;
}

/* By sorting: a hostile file of 100,000 keys must not cost the square of that. */
static struct yaml *check_keys(struct reader *reader, struct yaml *map, size_t count)
{
	if (count < 2)
		return map;
	struct yaml **sorted = arena_try(reader->arena, count * sizeof(struct yaml *));
	if (sorted == NULL)
		return fail(reader, map->line, "too large: at most 1 MiB is read");
	size_t n = 0;
	for (struct yaml *child = map->children; child != NULL; child = child->next)
		sorted[n++] = child;
	qsort(sorted, n, sizeof(struct yaml *), compare_keys);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(sorted[i - 1]->key, sorted[i]->key) != 0)
			continue;
		err_set(reader->err, ERR_INPUT,
			"%s:%d: %.64s: is already set in line %d: keep one of the two", reader->name,
			sorted[i]->key_line, sorted[i]->key, sorted[i - 1]->key_line);
		return NULL;
	}
	return map;
}

static struct yaml *read_node(struct reader *reader, const yaml_event_t *event);

/* The children up to the closing event, appended in order. */
static struct yaml *read_list(struct reader *reader, struct yaml *list)
{
	struct yaml **end = &list->children;
	for (;;) {
		yaml_event_t event;
		if (!next_event(reader, &event))
			return NULL;
		bool done = event.type == YAML_SEQUENCE_END_EVENT;
		*end = done ? NULL : read_node(reader, &event);
		yaml_event_delete(&event);
		if (done)
			return list;
		if (*end == NULL)
			return NULL;
		end = &(*end)->next;
	}
}

static struct yaml *read_value(struct reader *reader)
{
	yaml_event_t event;
	if (!next_event(reader, &event))
		return NULL;
	struct yaml *value = read_node(reader, &event);
	yaml_event_delete(&event);
	return value;
}

/* One "key: value"; event is the key's. */
static struct yaml *read_member(struct reader *reader, const yaml_event_t *event)
{
	struct yaml *key = read_node(reader, event);
	if (key == NULL)
		return NULL;
	if (key->kind != YAML_SCALAR)
		return fail(reader, key->line, "a key must be a plain word");
	if (!key->quoted && strcmp(key->text, "<<") == 0)
		return fail(reader, key->line, "<<: merging is not supported: write the values out");
	struct yaml *value = read_value(reader);
	if (value == NULL)
		return NULL;
	value->key = key->text;
	value->key_line = key->line;
	return value;
}

static struct yaml *read_map(struct reader *reader, struct yaml *map)
{
	struct yaml **end = &map->children;
	for (size_t count = 0;; count++) {
		yaml_event_t event;
		if (!next_event(reader, &event))
			return NULL;
		bool done = event.type == YAML_MAPPING_END_EVENT;
		*end = done ? NULL : read_member(reader, &event);
		yaml_event_delete(&event);
		if (done)
			return check_keys(reader, map, count);
		if (*end == NULL)
			return NULL;
		end = &(*end)->next;
	}
}

static struct yaml *read_node(struct reader *reader, const yaml_event_t *event)
{
	if (event->type == YAML_ALIAS_EVENT)
		return fail(reader, line_of(event),
			"*alias: aliases are not supported: write the value out (a * at the start of a text "
			"needs quotes: \"*\")");
	if (has_tag(event))
		return fail(reader, line_of(event),
			"!tag: tags are not supported: remove it (a ! at the start of a text needs quotes)");
	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(reader, event);
	bool is_map = event->type == YAML_MAPPING_START_EVENT;
	struct yaml *node = node_new(reader, event, is_map ? YAML_MAP : YAML_LIST);
	if (node == NULL)
		return NULL;
	if (reader->depth == DEPTH_MAX)
		return fail(reader, line_of(event), "nested deeper than 32: make it flatter");
	reader->depth++;
	node = is_map ? read_map(reader, node) : read_list(reader, node);
	reader->depth--;
	return node;
}

/* Whether the stream ends after its first document. */
static bool check_end(struct reader *reader)
{
	yaml_event_t event;
	if (!next_event(reader, &event))
		return false;
	int line = line_of(&event);
	bool more = event.type == YAML_DOCUMENT_START_EVENT;
	yaml_event_delete(&event);
	if (more)
		fail(reader, line, "---: a second document: one file holds one");
	return !more;
}

static struct yaml *read_stream(struct reader *reader)
{
	for (;;) {
		yaml_event_t event;
		if (!next_event(reader, &event))
			return NULL;
		yaml_event_type_t type = event.type;
		struct yaml *root = NULL;
		bool is_content = type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT;
		if (type == YAML_STREAM_END_EVENT) {
			root = node_new(reader, &event, YAML_MAP);
		} else if (is_content) {
			root = read_node(reader, &event);
			if (root != NULL && root->kind == YAML_SCALAR && root->text[0] == '\0')
				root->kind = YAML_MAP;
		}
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			return root;
		if (!is_content)
			continue;
		/* the end of the document, then of the stream */
		return root != NULL && check_end(reader) && check_end(reader) ? root : NULL;
	}
}

struct yaml *yaml_parse(
	struct arena *arena, const char *name, const char *text, size_t length, struct err *err)
{
	struct reader reader = {.arena = arena, .name = name, .err = err};
	if (length > BYTES_MAX)
		return fail(&reader, 1, "too large: at most 1 MiB is read");
	if (!yaml_parser_initialize(&reader.parser)) {
		err_set(err, ERR_SYSTEM, "%s: out of memory", name);
		return NULL;
	}
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
	struct yaml *root = read_stream(&reader);
	yaml_parser_delete(&reader.parser);
	return root;
}

struct yaml *yaml_find(const struct yaml *map, const char *key)
{
	if (map == NULL || map->kind != YAML_MAP)
		return NULL;
	for (struct yaml *child = map->children; child != NULL; child = child->next)
		if (strcmp(child->key, key) == 0)
			return child;
	return NULL;
}
