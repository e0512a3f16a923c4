/* SPDX-License-Identifier: BSD-3-Clause
 * resp.c - the protocol of Redis (RESP 2): commands in, replies out
 *
 * A command stays where it was received: its words point there. Replies gather until there is
 * no whole command left to answer, or no room.
 */
#include "resp.h"

#include <quoit_io.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONSENSE = -1, NOT_ALL = -2 };
static const size_t room_first = 16384, room_kept = 1 << 20;

static void flush(struct resp *c)
{
    if (c->n > 0 && !c->failed)
        c->failed = quoit_send(c->fd, c->out, c->n, 0) < (ssize_t)c->n;
    c->n = 0;
}

static void put(struct resp *c, const char *at, size_t len)
{
    for (size_t part; len > 0; at += part, len -= part) {
        if (c->n == sizeof c->out)
            flush(c);
        part = len < sizeof c->out - c->n ? len : sizeof c->out - c->n;
        memcpy(c->out + c->n, at, part);
        c->n += part;
    }
}

void resp_say(struct resp *c, const char *line)
{
    put(c, line, strlen(line));
}

void resp_head(struct resp *c, char mark, size_t n)
{
    char line[32];

    put(c, line, (size_t)snprintf(line, sizeof line, "%c%zu\r\n", mark, n));
}

void resp_bulk(struct resp *c, const char *at, size_t len)
{
    resp_head(c, '$', len);
    put(c, at, len);
    resp_say(c, "\r\n");
}

static int end_of_line(char *p, const char *end, size_t longest, char **last)
{
    size_t n = (size_t)(end - p) < longest ? (size_t)(end - p) : longest;

    *last = memchr(p, '\n', n);
    return *last != NULL ? 0 : n < longest ? NOT_ALL : NONSENSE;
}

/* "*3\r\n": mark and number, from 0 to most. 0, and *p goes behind it. */
static int number(char **p, const char *end, char mark, long most, long *n)
{
    char *line = *p, *last, *stop;
    int e = end_of_line(line, end, 32, &last);

    if (e < 0 || line[0] != mark || !isdigit((unsigned char)line[1]))
        return e < 0 ? e : NONSENSE;
    *n = strtol(line + 1, &stop, 10);
    *p = last + 1;
    return *n <= most && stop[0] == '\r' && stop + 1 == last ? 0 : NONSENSE;
}

/* "PING\r\n", as typed by hand. */
static int words_of_line(char **p, const char *end, struct text *word)
{
    char *last, *save, *w;
    int n = end_of_line(*p, end, 1024, &last);

    if (n < 0)
        return n;
    *last = '\0';
    while (n < RESP_ARGS && (w = strtok_r(n == 0 ? *p : NULL, " \r", &save)) != NULL)
        word[n++] = (struct text){ w, strlen(w) };
    *p = last + 1;
    return n;
}

static int parse(struct resp *c, struct text *word)
{
    char *p = c->in + c->begin, *end = c->in + c->end;
    long words = 0, len;
    int n = *p == '*' ? number(&p, end, '*', RESP_ARGS, &words) : words_of_line(&p, end, word);

    while (n >= 0 && n < words) {
        int e = number(&p, end, '$', RESP_LONGEST, &len);

        if (e < 0 || end - p < len + 2)
            return e < 0 ? e : NOT_ALL;
        word[n++] = (struct text){ p, (size_t)len };
        p += len + 2;
    }
    if (n >= 0)
        c->begin = (size_t)(p - c->in);
    return n;
}

/* More, behind what is there. 0: there is none, or no room for it. */
static int receive(struct resp *c)
{
    ssize_t got;

    if (c->begin > 0)
        memmove(c->in, c->in + c->begin, c->end - c->begin);
    c->end -= c->begin;
    c->begin = 0;
    if (c->end == c->room || (c->end == 0 && c->room > room_kept)) {
        size_t room = c->end == 0 ? room_first : 2 * c->room;
        char *in = room <= 4 * (size_t)RESP_LONGEST ? realloc(c->in, room) : NULL;

        if (in == NULL)
            return 0;
        c->in = in;
        c->room = room;
    }
    got = quoit_recv(c->fd, c->in + c->end, c->room - c->end, 0);
    c->end += got > 0 ? (size_t)got : 0;
    return got > 0;
}

int resp_command(struct resp *c, struct text *word)
{
    for (;;) {
        int n = c->begin < c->end ? parse(c, word) : NOT_ALL;

        if (n > 0)
            return c->failed ? 0 : n;
        if (n == NONSENSE)
            resp_say(c, "-ERR Protocol error\r\n");
        if (n < 0)
            flush(c);
        if (n == NONSENSE || c->failed || (n == NOT_ALL && !receive(c)))
            return 0;
    }
}
