/* SPDX-License-Identifier: BSD-3-Clause
 * resp.h - the protocol of Redis (RESP 2): commands in, replies out
 */
#ifndef RESP_H
#define RESP_H

#include "store.h"

#include <stddef.h>

enum {
    RESP_ARGS = 1024,          /* most words of a command */
    RESP_LONGEST = 64 << 20,   /* most bytes of a word */
};

/* One side of a connection: what has come and is not used, what has not been sent. */
struct resp {
    int fd, failed;
    char *in;
    size_t room, begin, end, n;
    char out[16384];
};

/* The next command, waited for, with replies sent before; its words are valid until the next call.
 * How many words; 0: there is none any more, or nothing that can be understood, which was said. */
int resp_command(struct resp *c, struct text *word);

/* As is, with its "\r\n". */
void resp_say(struct resp *c, const char *line);
/* "*2" before two replies, say. */
void resp_head(struct resp *c, char mark, size_t n);
/* Any bytes. */
void resp_bulk(struct resp *c, const char *at, size_t len);

#endif
