/* SPDX-License-Identifier: BSD-3-Clause
 * serve.h - what the servers here have in common
 */
#ifndef SERVE_H
#define SERVE_H

/* Listens at this port of 127.0.0.1 ("0": one that is free), says which on standard output, and
 * calls talk(fd, arg) in a goroutine of its own for each connection, which is closed when talk
 * returns. At SIGTERM or SIGINT no more connections are taken and talk reads end of file wherever
 * it waits for more; when all have returned, or a few seconds later, so does this. 0, or what
 * went wrong has been said and it is 1. */
int serve(const char *port, void (*talk)(int fd, void *arg), void *arg);

#endif
