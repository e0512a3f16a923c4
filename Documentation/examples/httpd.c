/* SPDX-License-Identifier: BSD-3-Clause
 * httpd.c - the files below a folder, over HTTP/1.1: httpd DIR [PORT]
 *
 * GET and HEAD, connections that are kept, requests that come before the answer to the last
 * one. The kernel sees to it that no name leads out of the folder (RESOLVE_BENEATH), by whatever
 * dots, escapes and links.
 */
#include "http.h"
#include "serve.h"

#include <quoit_io.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const char *open_file(int dir, const char *path, int *file, off_t *size)
{
    /* O_NONBLOCK is for the open alone: that of a FIFO would wait for somebody who writes. */
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                            .resolve = RESOLVE_BENEATH };
    struct stat st;

    *file = quoit_openat2(dir, path, &how, sizeof how);
    if (*file == -EACCES)
        return "403 Forbidden";
    if (*file == -EMFILE || *file == -ENFILE || *file == -ENOMEM)
        return "503 Service Unavailable";
    if (*file < 0 || fstat(*file, &st) < 0 || !S_ISREG(st.st_mode) || fcntl(*file, F_SETFL, 0) < 0)
        return "404 Not Found";
    *size = st.st_size;
    return http_ok;
}

/* Whether all that was promised was sent: a file may shrink, and the other side be gone. */
static bool answer(int fd, const char *status, const struct request *r, int file, off_t size)
{
    char out[16384], date[40];
    time_t now = time(NULL);
    off_t left = r->head ? 0 : size, at = 0;
    struct tm tm;
    size_t n;

    strftime(date, sizeof date, "%a, %d %b %Y %T GMT", gmtime_r(&now, &tm));
    n = (size_t)snprintf(out, sizeof out,
                         "HTTP/1.1 %s\r\nDate: %s\r\nContent-Length: %lld\r\n%s\r\n", status, date,
                         (long long)size, r->keep ? "" : "Connection: close\r\n");
    for (;; n = 0) {
        while (left > 0 && n < sizeof out) {
            size_t room = sizeof out - n, want = left < (off_t)room ? (size_t)left : room;
            ssize_t got = quoit_pread(file, out + n, want, at);

            if (got <= 0)
                return false;
            n += (size_t)got;
            at += got;
            left -= got;
        }
        if (quoit_send(fd, out, n, 0) < (ssize_t)n)
            return false;
        if (left == 0)
            return true;
    }
}

static void talk(int fd, void *dir)
{
    char in[8192], *rest;
    size_t n = 0;
    bool sent = true;
    struct request r = { .keep = true };

    while (sent && r.keep) {
        const char *status = http_receive(fd, in, sizeof in, &n, &rest);
        int file = -1;
        off_t size = 0;

        if (status == NULL)
            break;
        r.keep = false;
        if (status == http_ok)
            status = http_parse(in, &r);
        if (status == http_ok)
            status = open_file(*(int *)dir, r.path, &file, &size);
        sent = answer(fd, status, &r, file, size);
        if (file >= 0)
            quoit_close(file);
        if (rest != NULL)
            memmove(in, rest, n -= (size_t)(rest - in));
    }
}

int main(int argc, char **argv)
{
    int dir = argc > 1 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (dir < 0) {
        fprintf(stderr, "usage: httpd DIR [PORT]\n");
        return 2;
    }
    return serve(argc > 2 ? argv[2] : "8080", talk, &dir);
}
