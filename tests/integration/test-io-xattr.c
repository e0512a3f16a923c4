/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-xattr.c - attributes of files, by name and by descriptor
 *
 * The environment says which way the calls go; what a program sees is the same.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

static char path[] = "/tmp/quoit-xattr-XXXXXX";
static int fd;

static void *all(void *arg)
{
    char v[16] = "", list[256];

    is_int(quoit_setxattr(path, "user.a", "one", 3, 0), 0, "setxattr");
    is_int(quoit_setxattr(path, "user.a", "two", 3, XATTR_CREATE), -EEXIST, "that makes only");
    is_int(quoit_setxattr(path, "user.b", "two", 3, XATTR_REPLACE), -ENODATA, "that replaces only");
    is_int(quoit_fsetxattr(fd, "user.b", "three", 5, 0), 0, "fsetxattr");
    is_int(quoit_fgetxattr(fd, "user.a", v, sizeof v), 3, "fgetxattr");
    is_str(v, "one", "what was set");
    is_int(quoit_getxattr(path, "user.b", NULL, 0), 5, "how long it is");
    is_int(quoit_getxattr(path, "user.b", v, 4), -ERANGE, "too long");
    is_int(quoit_getxattr(path, "user.b", v, sizeof v), 5, "getxattr");
    is_str(v, "three", "what was set");
    ok(quoit_listxattr(path, list, sizeof list) >= 14, "listxattr");
    ok(quoit_flistxattr(fd, list, sizeof list) >= 14, "flistxattr");
    is_int(quoit_removexattr(path, "user.a"), 0, "removexattr");
    is_int(quoit_removexattr(path, "user.a"), -ENODATA, "once more");
    is_int(quoit_fremovexattr(fd, "user.b"), 0, "fremovexattr");
    is_int(quoit_fgetxattr(fd, "user.b", v, sizeof v), -ENODATA, "it is gone");
    is_int(quoit_fsetxattr(-1, "user.b", "x", 1, 0), -EBADF, "fsetxattr of nothing");
    is_int(quoit_fremovexattr(-1, "user.b"), -EBADF, "fremovexattr of nothing");
    is_int(quoit_getxattr("/no/where", "user.b", v, sizeof v), -ENOENT, "getxattr nowhere");
    is_int(quoit_setxattr("/no/where", "user.b", "x", 1, 0), -ENOENT, "setxattr nowhere");
    return arg;
}

static int body(void *arg)
{
    pthread_t t;

    all(arg);
    if (pthread_create(&t, NULL, all, NULL) != 0)
        bail("pthread_create");
    pthread_join(t, NULL);
    return 0;
}

int main(void)
{
    fd = mkstemp(path);
    if (fd < 0)
        bail("no temporary file");
    if (fsetxattr(fd, "user.a", "x", 1, 0) < 0) {
        unlink(path);
        skip_all("no attributes on this file system: %s", strerror(errno));
    }
    fremovexattr(fd, "user.a");
    is_int(quoit_main(body, NULL), 0, "quoit_main");
    unlink(path);
    return done_testing();
}
