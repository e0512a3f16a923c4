/* SPDX-License-Identifier: BSD-3-Clause
 * kv.c - keys and values by the protocol of Redis: kv [PORT]
 *
 * GET, SET, MGET, PING, and what redis-benchmark asks for. Commands that come together are
 * answered together.
 */
#include "resp.h"
#include "serve.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void ping(struct resp *c, struct text *word, int n)
{
    if (n == 1)
        resp_say(c, "+PONG\r\n");
    else
        resp_bulk(c, word[1].at, word[1].len);
}

static void get_one(struct resp *c, struct text key)
{
    struct value *v = store_get(key);

    if (v == NULL) {
        resp_say(c, "$-1\r\n");
        return;
    }
    resp_bulk(c, v->bytes, v->len);
    value_put(v);
}

static void get(struct resp *c, struct text *word, int n)
{
    (void)n;
    get_one(c, word[1]);
}

static void mget(struct resp *c, struct text *word, int n)
{
    resp_head(c, '*', (size_t)n - 1);
    for (int i = 1; i < n; i++)
        get_one(c, word[i]);
}

static void set_one(struct resp *c, struct text *word, int n)
{
    (void)n;
    resp_say(c, store_set(word[1], word[2]) ? "+OK\r\n" : "-OOM out of memory\r\n");
}

/* "CONFIG GET save": every setting is there, and empty. */
static void config(struct resp *c, struct text *word, int n)
{
    (void)n;
    resp_head(c, '*', 2);
    resp_bulk(c, word[2].at, word[2].len);
    resp_bulk(c, "", 0);
}

static void list_commands(struct resp *c, struct text *word, int n)
{
    (void)word;
    (void)n;
    resp_say(c, "*0\r\n");
}

static const struct command {
    const char *name;
    int least, most; /* words */
    void (*run)(struct resp *c, struct text *word, int n);
} commands[] = {
    { "GET", 2, 2, get },
    { "SET", 3, 3, set_one },
    { "MGET", 2, RESP_ARGS, mget },
    { "PING", 1, 2, ping },
    { "CONFIG", 3, 3, config },
    { "COMMAND", 1, RESP_ARGS, list_commands },
};

static void run(struct resp *c, struct text *word, int n)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command *k = &commands[i];

        if (word->len != strlen(k->name) || strncasecmp(word->at, k->name, word->len) != 0)
            continue;
        if (n < k->least || n > k->most)
            resp_say(c, "-ERR wrong number of arguments\r\n");
        else
            k->run(c, word, n);
        return;
    }
    resp_say(c, "-ERR unknown command\r\n");
}

static void talk(int fd, void *arg)
{
    struct resp c = { .fd = fd };
    struct text word[RESP_ARGS];
    int n;

    (void)arg;
    while ((n = resp_command(&c, word)) > 0)
        run(&c, word, n);
    free(c.in);
}

int main(int argc, char **argv)
{
    return serve(argc > 1 ? argv[1] : "6380", talk, NULL);
}
