#include "report/telegram/menu.h"

#include <string.h>

#include "report/telegram/page.h"
#include "report/telegram/texts.h"

static const struct entry {
	const char *path, *label;
	void (*show)(struct page *page);
} entries[] = {
	{"status", "📊 Status", page_status},
	{"node", "🖥️ Node Info", page_node},
	{"vms", "📦 VMs", page_guests},
	{"docker", "🐳 Docker", page_containers},
	{"health", "🏥 Health", page_health},
	{"backup", "💾 Backups", page_backups},
	{"audit", "📜 Audit", page_audit},
	{"asking", "⚠️ Questions", page_questions},
};
#define ENTRIES ((int)(sizeof(entries) / sizeof(entries[0])))
#define MENU_ENTRIES 6 /* of the menu itself, as the document lists them */

static const struct {
	const char *name, *label, *verb, *yes;
	enum button_style style;
} deeds[] = {
	[DEED_START] = {"start", "▶️ Start", "Start", "▶️ Yes, start", BUTTON_SUCCESS},
	[DEED_STOP] = {"stop", "⏹️ Stop", "Stop", "⏹️ Yes, stop", BUTTON_DANGER},
	[DEED_RESTART] = {"restart", "🔄 Restart", "Restart", "🔄 Yes, restart", BUTTON_PRIMARY},
};

/* A path taken apart: "vms/lxc_104/stop". */
struct place {
	const struct entry *entry;      /* NULL: the menu, or nothing that exists */
	char component[NAME_MAX_BYTES]; /* "" : the list */
	bool asks;
	enum deed deed;
};

void page_range(struct page *page, int count, int *first, int *last)
{
	page->pages = count > 0 ? (count + MENU_ROWS - 1) / MENU_ROWS : 1;
	if (page->number > page->pages)
		page->number = page->pages;
	*first = (page->number - 1) * MENU_ROWS;
	*last = *first + MENU_ROWS < count ? *first + MENU_ROWS : count;
	if (page->pages > 1)
		html_addf(&page->html, "\nPage %d of %d\n", page->number, page->pages);
}

void menu_parent(const char *path, char parent[PATH_MAX_BYTES])
{
	const char *slash = strrchr(path, '/');
	str_format(parent, PATH_MAX_BYTES, "%.*s", slash != NULL ? (int)(slash - path) : 0, path);
}

static bool read_place(const char *path, struct place *place)
{
	*place = (struct place){.entry = NULL};
	size_t length = strcspn(path, "/");
	for (int i = 0; i < ENTRIES; i++)
		if (strlen(entries[i].path) == length && strncmp(entries[i].path, path, length) == 0)
			place->entry = &entries[i];
	if (place->entry == NULL || path[length] == '\0')
		return place->entry != NULL;
	const char *rest = path + length + 1;
	size_t name = strcspn(rest, "/");
	STR_FORMAT(place->component, "%.*s", (int)name, rest);
	if (rest[name] == '\0')
		return true;
	for (int i = 0; i < DEEDS; i++)
		if (str_equal(deeds[i].name, rest + name + 1)) {
			place->asks = true;
			place->deed = (enum deed)i;
		}
	return place->asks;
}

static bool guest_can(const struct fact_guest *guest, enum deed deed)
{
	if (guest->is_template || (guest->lock != NULL && guest->lock[0] != '\0'))
		return false;
	switch (guest->state) {
	case GUEST_RUNNING:
		return deed != DEED_START;
	case GUEST_STOPPED:
		return deed == DEED_START;
	case GUEST_PAUSED:
		return deed == DEED_STOP;
	case GUEST_UNKNOWN:
		break;
	}
	return false;
}

static bool container_can(const struct fact_container *container, enum deed deed)
{
	switch (container->state) {
	case OBS_RUNNING:
		return deed != DEED_START;
	case OBS_EXITED:
	case OBS_CREATED:
		return deed == DEED_START;
	case OBS_RESTARTING:
		return deed == DEED_STOP;
	case OBS_PAUSED:
	case OBS_UNKNOWN:
	case OBS_ABSENT:
	case OBS_UNREACHABLE:
	case OBS_STATES:
		break;
	}
	return false;
}

static void add_order(struct page *page, enum deed deed, const char *component, const char *label)
{
	struct intent *intent = message_button(page->message, deeds[deed].style, INTENT_ORDER, label);
	intent->deed = deed;
	STR_SET(intent->component, component);
}

/* What is critical is not stopped by a slip of the thumb. */
static void add_deed(struct page *page, enum deed deed, const char *component, bool critical)
{
	char path[PATH_MAX_BYTES];
	if (!critical || deed == DEED_START) {
		add_order(page, deed, component, deeds[deed].label);
		return;
	}
	STR_FORMAT(path, "%s/%s", page->path, deeds[deed].name);
	message_page(page->message, deeds[deed].label, path, 1);
	page->message->button[page->message->buttons - 1].style = deeds[deed].style;
}

static void ask(struct page *page, enum deed deed, const char *component, const char *label,
	bool critical, bool is_home)
{
	struct html *html = &page->html;
	html_addf(html, critical ? "⚠️ <b>%s is critical</b>\n\n" : "<b>%s</b>\n\n", label);
	if (is_home)
		html_addf(html,
			"homeostat itself seems to run in it: nobody watches, and it cannot start it again, "
			"while it is down\n");
	html_addf(html, "%s <code>%s</code>?\n", deeds[deed].verb, component);
	if (deed != DEED_START)
		html_addf(html, "What runs in it is interrupted. ");
	html_addf(html,
		deed == DEED_STOP ? "It stays down until somebody starts it: a stop that you "
							"order is not healed"
						  : "It is watched afterwards until it is surely healthy");
	add_order(page, deed, component, deeds[deed].yes);
}

static void say_cannot(struct page *page, enum deed deed, const char *component)
{
	html_addf(&page->html, "❌ <code>%s</code> cannot be %s in the state that it is in now",
		component,
		deed == DEED_START      ? "started"
			: deed == DEED_STOP ? "stopped"
								: "restarted");
}

static bool show_guest(struct page *page, const struct place *place)
{
	const struct facts *facts = page->facts;
	for (int i = 0; i < facts->guest_count; i++) {
		const struct fact_guest *guest = &facts->guests[i];
		if (!str_equal(guest->component, place->component))
			continue;
		const char *label = arena_printf(page->arena, "%d %s", guest->vmid, guest->name);
		if (place->asks && guest_can(guest, place->deed)) {
			ask(page, place->deed, guest->component, label, guest->critical, guest->is_home);
		} else if (place->asks) {
			say_cannot(page, place->deed, guest->component);
		} else {
			page_guest(page, guest);
			for (int deed = 0; deed < DEEDS; deed++)
				if (guest_can(guest, (enum deed)deed))
					add_deed(
						page, (enum deed)deed, guest->component, guest->critical || guest->is_home);
		}
		return true;
	}
	return false;
}

static bool show_container(struct page *page, const struct place *place)
{
	const struct facts *facts = page->facts;
	for (int i = 0; i < facts->container_count; i++) {
		const struct fact_container *container = &facts->containers[i];
		if (!str_equal(container->component, place->component))
			continue;
		if (place->asks && container_can(container, place->deed)) {
			ask(page, place->deed, container->component, container->name, container->critical,
				false);
		} else if (place->asks) {
			say_cannot(page, place->deed, container->component);
		} else {
			page_container(page, container);
			for (int deed = 0; deed < DEEDS; deed++)
				if (container_can(container, (enum deed)deed))
					add_deed(page, (enum deed)deed, container->component, container->critical);
		}
		return true;
	}
	return false;
}

static bool show_backup(struct page *page, const struct place *place)
{
	for (int i = 0; !place->asks && i < page->facts->backup_count; i++)
		if (str_equal(page->facts->backups[i].component, place->component)) {
			page_backup(page, &page->facts->backups[i]);
			return true;
		}
	return false;
}

static bool show_one(struct page *page, const struct place *place)
{
	if (place->entry->show == page_guests)
		return show_guest(page, place);
	if (place->entry->show == page_containers)
		return show_container(page, place);
	return place->entry->show == page_backups && show_backup(page, place);
}

static void show_menu(struct page *page)
{
	html_addf(&page->html, "<b>🤖 Homelab Menu</b>\n\nChoose a page:");
	for (int i = 0; i < MENU_ENTRIES; i++) {
		if (i % 2 == 0)
			message_row(page->message);
		message_page(page->message, entries[i].label, entries[i].path, 1);
	}
}

static void add_foot(struct page *page, bool gone)
{
	char parent[PATH_MAX_BYTES];
	struct message *message = page->message;
	menu_parent(page->path, parent);
	if (page->pages > 1) {
		message_row(message);
		if (page->number > 1)
			message_page(message, "◀️", page->path, page->number - 1);
		if (page->number < page->pages)
			message_page(message, "▶️", page->path, page->number + 1);
	}
	message_row(message);
	if (!gone)
		message_page(message, "🔄 Refresh", page->path, page->number);
	message_page(message, "⬅️ Back", parent, 1);
}

struct message *menu_show(
	const struct facts *facts, const char *path, int number, struct arena *arena)
{
	struct page page = {.message = message_new(arena), .facts = facts, .arena = arena};
	struct place place;
	html_init(&page.html, arena);
	page.path = arena_strdup(arena, path);
	page.number = number > 0 ? number : 1;
	bool exists = read_place(page.path, &place);
	if (page.path[0] == '\0') {
		show_menu(&page);
	} else if (exists && place.component[0] == '\0') {
		place.entry->show(&page);
		add_foot(&page, false);
	} else {
		bool shown = exists && show_one(&page, &place);
		if (!shown)
			html_addf(&page.html, "❔ <code>%s</code> is no longer there",
				place.component[0] != '\0' ? place.component : page.path);
		add_foot(&page, !shown || place.asks);
	}
	page.message->html = page.html.out.s;
	return page.message;
}
