/*
 * The pages of /menu, which the commands /status … /backup and /audit open too: facts in, text and
 * buttons out. A place is a path and a page of it: "" (the menu), "status", "node", "vms",
 * "docker", "health", "backup", "audit", "asking", "vms/lxc_104", "vms/lxc_104/stop" (the question
 * before it is done), "backup/lxc_104". Any path gives a page: of what is gone, it says so. Pure.
 */
#ifndef REPORT_TELEGRAM_MENU_H
#define REPORT_TELEGRAM_MENU_H

#include "report/telegram/button.h"
#include "report/telegram/facts.h"

#define MENU_ROWS 8 /* of a list, on one page */

/* number: from 1; what is beyond the end is the last page. Never NULL. */
struct message *menu_show(
	const struct facts *facts, const char *path, int number, struct arena *arena);

/* /why: one incident's story, with the buttons that its state allows. */
struct message *menu_story(const struct fact_story *story, struct arena *arena);

/* The path above; of the menu itself, itself. */
void menu_parent(const char *path, char parent[PATH_MAX_BYTES]);

#endif
