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
