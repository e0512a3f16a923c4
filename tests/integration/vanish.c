/* SPDX-License-Identifier: BSD-3-Clause
 * vanish.c - preloaded: a file named "vanishes" is gone as soon as a listing has shown it
 *
 * That is the moment between walking and opening, which no test could hit by trying.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

__attribute__((visibility("default"))) ssize_t getdents64(int fd, void *buffer, size_t size)
{
    static ssize_t (*real)(int, void *, size_t);
    ssize_t n, at = 0;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getdents64");
    n = real(fd, buffer, size);
    while (at < n) {
        const struct dirent64 *e = (const void *)((char *)buffer + at);

        if (strcmp(e->d_name, "vanishes") == 0)
            unlinkat(fd, e->d_name, 0);
        at += e->d_reclen;
    }
    return n;
}
