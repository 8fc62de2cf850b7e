/*
 * A page of the menu while it is made; for menu.c, pages.c and story.c only.
 */
#ifndef REPORT_TELEGRAM_PAGE_H
#define REPORT_TELEGRAM_PAGE_H

#include "report/telegram/html.h"
#include "report/telegram/menu.h"

struct page {
	struct html html;
	struct message *message;
	const struct facts *facts;
	struct arena *arena;
	const char *path;
	int number, pages; /* pages: known once page_range was asked */
};

/* The rows of a list of count that are on this page: from *first up to, not with, *last. Says in
 * the text which page it is when there are several. */
void page_range(struct page *page, int count, int *first, int *last);

/* pages.c: the texts, and for lists a button a row. */
void page_status(struct page *page);
void page_node(struct page *page);
void page_guests(struct page *page);
void page_containers(struct page *page);
void page_health(struct page *page);
void page_backups(struct page *page);
void page_audit(struct page *page);
void page_questions(struct page *page);
void page_guest(struct page *page, const struct fact_guest *guest);
void page_container(struct page *page, const struct fact_container *container);
void page_backup(struct page *page, const struct fact_backup *backup);

const char *guest_icon(const struct fact_guest *guest);
const char *container_icon(const struct fact_container *container);

#endif
