/* SPDX-License-Identifier: BSD-3-Clause
 * quoit_io.h - system calls that park the goroutine instead of blocking its core
 *
 * POSIX semantics, but -errno instead of errno. Where rings cannot be had
 * (QUOIT_IO=posix, seccomp, sysctl) helper threads do the same calls. Buffers and
 * paths are borrowed until the call returns, never longer. Counts may be short as with
 * read(2). EINTR is never returned. A descriptor with O_NONBLOCK is waited for like
 * any other: it is the goroutine that waits, not its thread. Each call parks [P] when
 * called by a goroutine, unless it says that it is made on the spot, and makes the plain
 * call when called by any other thread [T]. Where each goes by ring, on which kernels, and
 * what is done elsewhere: its man page, and a table in Documentation/io.md. All are there
 * since version 0.1.0. See quoit.h for the marks.
 */
#ifndef QUOIT_IO_H
#define QUOIT_IO_H

#include <stddef.h>
#include <sys/types.h>

struct iovec;
struct open_how;
struct statx;

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* openat(2): the new descriptor. */
int quoit_openat(int dirfd, const char *path, int flags, mode_t mode);
/* openat2(2): needs <linux/openat2.h>. -E2BIG: `how` has fields that the kernel does not know. */
int quoit_openat2(int dirfd, const char *path, const struct open_how *how, size_t size);
/* close(2): the descriptor is gone even on error. */
int quoit_close(int fd);
/* read(2), write(2): at the file's own position, or on a pipe or socket; 0 from read: end of
 * file. Without a reader quoit_write returns -EPIPE and raises no SIGPIPE; only before Linux 6.18,
 * by ring, the kernel still does. */
ssize_t quoit_read(int fd, void *buf, size_t n);
ssize_t quoit_write(int fd, const void *buf, size_t n);
/* pread(2), pwrite(2): `at` is a byte offset; -EINVAL when it is negative. For what can be
 * sought in: on a pipe the result is -ESPIPE or that of quoit_read. */
ssize_t quoit_pread(int fd, void *buf, size_t n, off_t at);
ssize_t quoit_pwrite(int fd, const void *buf, size_t n, off_t at);
/* readv(2), writev(2) and those at a place: `n` buffers, at most IOV_MAX; -EINVAL past that. */
ssize_t quoit_readv(int fd, const struct iovec *v, int n);
ssize_t quoit_writev(int fd, const struct iovec *v, int n);
ssize_t quoit_preadv(int fd, const struct iovec *v, int n, off_t at);
ssize_t quoit_pwritev(int fd, const struct iovec *v, int n, off_t at);
/* preadv2(2), pwritev2(2): `at` -1 is the file's own position; `flags` RWF_. With RWF_NOWAIT nobody
 * waits: -EAGAIN. -EOPNOTSUPP: the kernel does not know a flag. */
ssize_t quoit_preadv2(int fd, const struct iovec *v, int n, off_t at, int flags);
ssize_t quoit_pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags);

/* fsync(2), fdatasync(2), sync_file_range(2): -EIO, -ENOSPC: not all that was written before
 * is on the disk; -EINVAL: not a file that can be. `at` and `n` in bytes; `n` 0: to the end. */
int quoit_fsync(int fd);
int quoit_fdatasync(int fd);
int quoit_sync_file_range(int fd, off_t at, off_t n, unsigned flags);
/* fallocate(2), ftruncate(2): bytes. */
int quoit_fallocate(int fd, int mode, off_t at, off_t n);
int quoit_ftruncate(int fd, off_t n);
/* posix_fadvise(2), madvise(2): bytes; `n` 0: to the end of the file. */
int quoit_fadvise(int fd, off_t at, off_t n, int advice);
int quoit_madvise(void *p, size_t n, int advice);
/* getdents64(2): bytes of struct dirent64; 0: no more entries. -EINVAL: not even one fits. */
ssize_t quoit_getdents(int fd, void *buf, size_t n);

/* statx(2): needs _GNU_SOURCE's struct statx from <sys/stat.h>. Made on the spot, never parks. */
int quoit_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *out);
/* renameat(2), renameat2(2), unlinkat(2), mkdirat(2), linkat(2), symlinkat(2). */
int quoit_renameat(int olddir, const char *from, int newdir, const char *to);
int quoit_renameat2(int olddir, const char *from, int newdir, const char *to, unsigned flags);
int quoit_unlinkat(int dirfd, const char *path, int flags);
int quoit_mkdirat(int dirfd, const char *path, mode_t mode);
int quoit_linkat(int olddir, const char *from, int newdir, const char *to, int flags);
int quoit_symlinkat(const char *target, int dirfd, const char *path);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
