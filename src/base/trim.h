/*
 * Letting go of what only the start needed: free heap, and the pages of libraries' code that their
 * initialisation ran through once. What is needed again comes back from the page cache.
 */
#ifndef BASE_TRIM_H
#define BASE_TRIM_H

/* Any thread; costs a millisecond. */
void trim_memory(void);

#endif
