/* SPDX-License-Identifier: BSD-3-Clause
 * http.c - what of HTTP/1.1 httpd understands
 */
#include "http.h"

#include <quoit_io.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Compared by address. */
const char http_ok[] = "200 OK";
static const char bad[] = "400 Bad Request";

/* The target of a request as a name below the folder; false: it is none. */
static bool decode(const char *from, char *path, size_t room)
{
    static const char index[] = "index.html";
    char *to = path;

    if (*from++ != '/')
        return false;
    for (; *from != '\0' && *from != '?'; from++) {
        unsigned char c = (unsigned char)*from;

        if (c == '%') {
            if (!isxdigit((unsigned char)from[1]) || !isxdigit((unsigned char)from[2]))
                return false;
            c = (unsigned char)strtol((char[]){ from[1], from[2], '\0' }, NULL, 16);
            from += 2;
        }
        if (c < ' ' || to == path + room - sizeof index)
            return false;
        *to++ = (char)c;
    }
    strcpy(to, to == path || to[-1] == '/' ? index : "");
    return true;
}

const char *http_parse(char *text, struct request *r)
{
    char *method = strsep(&text, " "), *target = strsep(&text, " ");
    char *version = strsep(&text, "\r"), *line;

    r->head = r->keep = false;
    if (version == NULL || strncmp(version, "HTTP/1.", 7) != 0)
        return bad;
    r->head = strcmp(method, "HEAD") == 0;
    if (!r->head && strcmp(method, "GET") != 0)
        return "405 Method Not Allowed";
    if (!decode(target, r->path, sizeof r->path))
        return bad;
    r->keep = version[7] != '0';
    while ((line = strsep(&text, "\r")) != NULL) {
        if (strncasecmp(line, "\nConnection:", 12) == 0)
            r->keep = r->keep && strstr(line, "lose") == NULL;
        /* Nobody reads a body here: it would be taken for the next request. */
        else if (strncasecmp(line, "\nTransfer-Encoding:", 19) == 0 ||
                 (strncasecmp(line, "\nContent-Length:", 16) == 0 && atoi(line + 16) != 0))
            r->keep = false;
    }
    return http_ok;
}

const char *http_receive(int fd, char *in, size_t room, size_t *n, char **rest)
{
    ssize_t got;

    for (in[*n] = '\0'; (*rest = strstr(in, "\r\n\r\n")) == NULL; in[*n] = '\0') {
        if (strlen(in) < *n)
            return bad;
        if (*n + 1 == room)
            return "431 Request Header Fields Too Large";
        if ((got = quoit_recv(fd, in + *n, room - 1 - *n, 0)) <= 0)
            return NULL;
        *n += (size_t)got;
    }
    **rest = '\0';
    *rest += 4;
    return http_ok;
}
