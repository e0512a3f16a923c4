/* SPDX-License-Identifier: BSD-3-Clause
 * names.c - the public functions for names in the file system, thin
 */
#include "quoit_io.h"

#include "op.h"

int quoit_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *out)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_STATX], .fd = dirfd, .addr = op_word(path),
                                     .len = mask, .off = op_word(out), .flags = (uint32_t)flags });
}

int quoit_renameat2(int olddir, const char *from, int newdir, const char *to, unsigned flags)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_RENAMEAT], .fd = olddir, .addr = op_word(from),
                                     .len = (uint32_t)newdir, .off = op_word(to),
                                     .flags = flags });
}

int quoit_renameat(int olddir, const char *from, int newdir, const char *to)
{
    return quoit_renameat2(olddir, from, newdir, to, 0);
}

int quoit_unlinkat(int dirfd, const char *path, int flags)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_UNLINKAT], .fd = dirfd, .addr = op_word(path),
                                     .flags = (uint32_t)flags });
}

int quoit_mkdirat(int dirfd, const char *path, mode_t mode)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_MKDIRAT], .fd = dirfd, .addr = op_word(path),
                                     .len = (uint32_t)mode });
}

int quoit_linkat(int olddir, const char *from, int newdir, const char *to, int flags)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_LINKAT], .fd = olddir, .addr = op_word(from),
                                     .len = (uint32_t)newdir, .off = op_word(to),
                                     .flags = (uint32_t)flags });
}

int quoit_symlinkat(const char *target, int dirfd, const char *path)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_SYMLINKAT], .fd = dirfd,
                                     .addr = op_word(target), .off = op_word(path) });
}

/* ---- extended attributes -------------------------------------------------------------------- */

static ssize_t attribute(int kind, int fd, const char *path, const char *name, const void *value,
                         size_t n, int flags)
{
    return op_run(&(struct op){ .desc = &ops[kind], .fd = fd, .addr3 = op_word(path),
                                .addr = op_word(name), .off = op_word(value),
                                .len = (uint32_t)(n < INT32_MAX ? n : INT32_MAX),
                                .flags = (uint32_t)flags });
}

ssize_t quoit_getxattr(const char *path, const char *name, void *value, size_t n)
{
    return attribute(OP_GETXATTR, 0, path, name, value, n, 0);
}

ssize_t quoit_fgetxattr(int fd, const char *name, void *value, size_t n)
{
    return attribute(OP_FGETXATTR, fd, NULL, name, value, n, 0);
}

ssize_t quoit_listxattr(const char *path, char *list, size_t n)
{
    return attribute(OP_LISTXATTR, 0, path, list, NULL, n, 0);
}

ssize_t quoit_flistxattr(int fd, char *list, size_t n)
{
    return attribute(OP_FLISTXATTR, fd, NULL, list, NULL, n, 0);
}

int quoit_setxattr(const char *path, const char *name, const void *value, size_t n, int flags)
{
    return (int)attribute(OP_SETXATTR, 0, path, name, value, n, flags);
}

int quoit_fsetxattr(int fd, const char *name, const void *value, size_t n, int flags)
{
    return (int)attribute(OP_FSETXATTR, fd, NULL, name, value, n, flags);
}

int quoit_removexattr(const char *path, const char *name)
{
    return (int)attribute(OP_REMOVEXATTR, 0, path, name, NULL, 0, 0);
}

int quoit_fremovexattr(int fd, const char *name)
{
    return (int)attribute(OP_FREMOVEXATTR, fd, NULL, name, NULL, 0, 0);
}
