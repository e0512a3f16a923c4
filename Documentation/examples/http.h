/* SPDX-License-Identifier: BSD-3-Clause
 * http.h - what of HTTP/1.1 httpd understands
 *
 * A status is http_ok, or what a request is refused with.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct request {
    char path[1024]; /* no slash before it, but anything in it */
    bool head, keep;
};

extern const char http_ok[];

/* Reads on behind the *n bytes in `in` until there is a whole head, which ends where *rest begins
 * and is a string then. NULL: nobody asks any more. */
const char *http_receive(int fd, char *in, size_t room, size_t *n, char **rest);

/* What a head says; it is taken to pieces. With a status that is not http_ok keep is false. */
const char *http_parse(char *head, struct request *r);

#endif
