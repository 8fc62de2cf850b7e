/*
 * Listening sockets for the server: TCP on a numeric address, or a unix socket that is never open
 * to others than its mode says, and that replaces one whose server is gone.
 */
#ifndef BASE_SERVER_LISTEN_H
#define BASE_SERVER_LISTEN_H

#include <sys/stat.h>

#include "base/err.h"

/* "127.0.0.1:9095", "[::1]:0", "localhost:80". Listening; -1 with err. *port is the real one. */
int server_listen_tcp(const char *address, int *port, struct err *err);
/* Listening; -1 with err. *made tells the socket's file, for server_unlink. */
int server_listen_unix(const char *path, unsigned mode, struct stat *made, struct err *err);
/* Removes the socket, unless another server has put its own there. */
void server_unlink(const char *path, const struct stat *made);

#endif
