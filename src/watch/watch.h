/*
 * Watching, as the rest of the program sees it: the table of sources and the loop that runs one.
 */
#ifndef WATCH_WATCH_H
#define WATCH_WATCH_H

#include "watch/source.h"
#include "watch/watcher.h"

#endif
